package document

import (
	"cmp"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
)

// Component is what a document says of one package, before the writers' habits
// are folded.
type Component struct {
	PURL                 string
	Group, Name, Version string
	Properties           []Property
}

// Package makes a package of it. The distribution comes from the package URL,
// else it is the document's, if the package is one of that distribution's; else
// it is unknown. Names keep their case where the component tells it.
func (c *Component) Package(os *boltseal.Distro) (boltseal.ReportPackage, error) {
	var out boltseal.ReportPackage
	u, err := purl.Parse(c.PURL)
	if err != nil {
		return out, err
	}
	p := &out.Package
	p.Type, p.Namespace, p.Name, p.Version = u.Type, u.Namespace, u.Name, cmp.Or(u.Version, c.Version)
	p.Arch = u.Get("arch")
	p.Module = u.Get("modularitylabel")
	c.restoreCase(p, &u)
	switch {
	case u.Type == "golang":
		foldGo(p)
	case purl.IsOS(p.Type):
		if e := u.Get("epoch"); e != "" && e != "0" && !strings.Contains(p.Version, ":") {
			p.Version = e + ":" + p.Version
		}
		if u.Type == "rpm" {
			p.Version = strings.TrimPrefix(p.Version, "0:")
		}
		p.Distro = distroOf(u.Get("distro"), p.Namespace, os)
		p.Source = c.source(p, &u)
	case u.Type == "maven", u.Type == "cargo":
		p.State = boltseal.StateEmbedded
	}
	for _, prop := range c.Properties {
		Apply(&out, prop)
	}
	if p.Module == "" {
		p.Module = c.get("syft:metadata:modularityLabel", "aquasecurity:trivy:Modularitylabel")
	}
	if out.Layer == "" {
		out.Layer = c.get("syft:location:0:layerID", "aquasecurity:trivy:LayerDiffID")
	}
	if len(out.Locations) == 0 {
		if path := c.get("syft:location:0:path", "aquasecurity:trivy:FilePath"); path != "" {
			out.Locations = []boltseal.Location{{Layer: out.Layer, Path: strings.TrimPrefix(path, "/")}}
		}
	}
	for _, l := range out.Locations {
		out.Paths = append(out.Paths, l.Path)
	}
	p.PURL = canonical(p, &u)
	return out, nil
}

func (c *Component) get(names ...string) string {
	for _, p := range c.Properties {
		for _, n := range names {
			if p.Name == n {
				return p.Value
			}
		}
	}
	return ""
}

// restoreCase takes the component's own spelling of a name, if it is the same
// name by the rules of the package URL's type.
func (c *Component) restoreCase(p *boltseal.Package, u *purl.PURL) {
	full := u.Name
	if u.Type == "golang" {
		if u.Namespace != "" {
			full = u.Namespace + "/" + u.Name
		}
		p.Namespace, p.Name = "", full
	}
	for _, name := range []string{c.Name, c.Group + "/" + c.Name} {
		if name != full && len(name) == len(full) && foldName(name) == foldName(full) {
			p.Name = name
		}
	}
}

func foldName(s string) string {
	return strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(s))
}

// foldGo gives modules their "v" and takes it, and "go", from the toolchain's
// library.
func foldGo(p *boltseal.Package) {
	p.State = boltseal.StateEmbedded
	if p.Name == "stdlib" || p.Name == "go" {
		p.Name = "stdlib"
		p.Version = strings.TrimPrefix(strings.TrimPrefix(p.Version, "go"), "v")
		return
	}
	if p.Version != "" && '0' <= p.Version[0] && p.Version[0] <= '9' {
		p.Version = "v" + p.Version
	}
}

// source reads who a package was built from: upstream=name[@version] or a
// source RPM's file name (syft), source= and sourceversion=, origin=, sourcerpm=
// (scalibr), properties (trivy).
func (c *Component) source(p *boltseal.Package, u *purl.PURL) boltseal.Source {
	var s boltseal.Source
	upstream := cmp.Or(u.Get("upstream"), u.Get("sourcerpm"), c.get("syft:metadata:sourceRpm"))
	switch {
	case strings.HasSuffix(upstream, ".src.rpm"), strings.HasSuffix(upstream, ".nosrc.rpm"):
		s = sourceRPM(upstream)
	case upstream != "":
		s.Name, s.Version, _ = strings.Cut(upstream, "@")
	case u.Get("source") != "":
		s.Name, s.Version = u.Get("source"), u.Get("sourceversion")
	case u.Get("origin") != "":
		s.Name = u.Get("origin")
	default:
		s.Name = c.get("aquasecurity:trivy:SrcName")
		s.Version = c.get("aquasecurity:trivy:SrcVersion")
		if r := c.get("aquasecurity:trivy:SrcRelease"); r != "" && s.Version != "" {
			s.Version += "-" + r
		}
		if e := c.get("aquasecurity:trivy:SrcEpoch"); e != "" && e != "0" && s.Version != "" {
			s.Version = e + ":" + s.Version
		}
	}
	if s.Version == p.Version || p.Type == "rpm" && s.Version == withoutEpoch(p.Version) {
		s.Version = ""
	}
	return s
}

// sourceRPM takes name-version-release.src.rpm apart.
func sourceRPM(file string) boltseal.Source {
	nvr := strings.TrimSuffix(strings.TrimSuffix(file, ".src.rpm"), ".nosrc.rpm")
	r := strings.LastIndexByte(nvr, '-')
	if r <= 0 {
		return boltseal.Source{Name: nvr}
	}
	v := strings.LastIndexByte(nvr[:r], '-')
	if v <= 0 {
		return boltseal.Source{Name: nvr}
	}
	return boltseal.Source{Name: nvr[:v], Version: nvr[v+1:]}
}

func withoutEpoch(v string) string {
	if _, rest, ok := strings.Cut(v, ":"); ok {
		return rest
	}
	return v
}

// canonical writes the package URL anew, with the qualifiers of the old one
// that say something of their own.
func canonical(p *boltseal.Package, old *purl.PURL) string {
	u, err := purl.Parse(purl.Of(p))
	if err != nil {
		return old.String()
	}
	for _, q := range old.Qualifiers {
		switch q.Key {
		case "arch", "distro", "epoch", "modularitylabel", "upstream", "package-id":
		case "source", "sourceversion", "sourcerpm", "origin":
			if !purl.IsOS(p.Type) {
				u.Set(q.Key, q.Value)
			}
		default:
			u.Set(q.Key, q.Value)
		}
	}
	if !purl.IsOS(p.Type) {
		u.Set("distro", old.Get("distro"))
		u.Set("upstream", old.Get("upstream"))
	}
	u.Subpath = old.Subpath
	return u.String()
}
