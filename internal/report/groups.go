package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
)

// group is what was found in one package, in the packages that a distribution
// builds from one source, or, for what belongs to no package, in one file.
type group struct {
	Package  *boltseal.ReportPackage // the first; nil if the report does not list it
	Built    []string                // names of the packages, where Name is their source's
	Name     string
	Version  string
	Type     string
	Layer    *boltseal.ReportLayer // nil if unknown
	Findings []*boltseal.Finding   // the worst first
}

// index answers the questions all renderers ask of a report.
type index struct {
	layers   map[string]*boltseal.ReportLayer
	packages map[string]*boltseal.ReportPackage
	places   map[string]int // in how many places a package was found
}

func newIndex(r *boltseal.Report) index {
	x := index{map[string]*boltseal.ReportLayer{}, map[string]*boltseal.ReportPackage{}, map[string]int{}}
	for i := range r.Layers {
		if l := &r.Layers[i]; x.layers[l.DiffID] == nil {
			x.layers[l.DiffID] = l
		}
	}
	for i := range r.Packages {
		p := &r.Packages[i]
		if x.packages[p.PURL] == nil {
			x.packages[p.PURL] = p
		}
		x.places[p.PURL]++
	}
	return x
}

// layer returns where a finding lies, nil if unknown.
func (x index) layer(f *boltseal.Finding) *boltseal.ReportLayer {
	for _, l := range f.Locations {
		if l := x.layers[l.Layer]; l != nil {
			return l
		}
	}
	if p := x.packages[f.Package]; p != nil {
		return x.layers[p.Layer]
	}
	return nil
}

// name returns what to call the thing a finding is about.
func (x index) name(f *boltseal.Finding) (name, version, typ string) {
	if p := x.packages[f.Package]; p != nil {
		return display(&p.Package), p.Version, p.Type
	}
	if f.Package != "" {
		return f.Package, "", ""
	}
	if len(f.Locations) > 0 {
		return f.Locations[0].String(), "", string(f.Kind)
	}
	return cmp.Or(f.Asset, "the image"), "", string(f.Kind)
}

// display returns a package's name as its ecosystem writes it.
func display(p *boltseal.Package) string {
	switch {
	case p.Namespace == "" || p.Distro != nil || p.Type == "deb" || p.Type == "rpm" || p.Type == "apk":
		return p.Name
	case p.Type == "maven":
		return p.Namespace + ":" + p.Name
	}
	return p.Namespace + "/" + p.Name
}

// groups returns what counts, by package: the worst first, then the most, then
// by name.
func (x index) groups(r *boltseal.Report) []*group {
	by := map[string]*group{}
	var out []*group
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Suppressed != "" {
			continue
		}
		name, version, typ := x.name(f)
		p := x.packages[f.Package]
		key := cmp.Or(f.Package, "\x00"+name)
		built := ""
		if p != nil && p.Source.Name != "" || p != nil && p.Distro != nil {
			built = name
			name, version = cmp.Or(p.Source.Name, name), cmp.Or(p.Source.Version, version)
			key = strings.Join([]string{typ, name, version, p.Layer}, "\x00")
		}
		g := by[key]
		if g == nil {
			g = &group{Package: p, Name: name, Version: version, Type: typ, Layer: x.layer(f)}
			by[key], out = g, append(out, g)
		}
		if built != "" && !slices.Contains(g.Built, built) {
			g.Built = append(g.Built, built)
		}
		g.Findings = append(g.Findings, f)
	}
	for _, g := range out {
		slices.SortStableFunc(g.Findings, worse)
		g.Findings = slices.CompactFunc(g.Findings, func(a, b *boltseal.Finding) bool {
			return len(g.Built) > 1 && a.Rule == b.Rule && a.Fixed == b.Fixed
		})
		slices.Sort(g.Built)
		if len(g.Built) == 1 && g.Built[0] == g.Name {
			g.Built = nil
		}
	}
	slices.SortStableFunc(out, func(a, b *group) int {
		return cmp.Or(
			cmp.Compare(order(a.Findings[0].Severity), order(b.Findings[0].Severity)),
			cmp.Compare(len(b.Findings), len(a.Findings)),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	return out
}

// worse orders findings: the worst first, then those with a fix, then by rule.
func worse(a, b *boltseal.Finding) int {
	fix := func(f *boltseal.Finding) int {
		if f.Fixed != "" {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(order(a.Severity), order(b.Severity)), cmp.Compare(fix(a), fix(b)), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Fingerprint, b.Fingerprint))
}

// sorted returns all findings, the worst first, the suppressed ones last.
func sorted(r *boltseal.Report) []*boltseal.Finding {
	out := make([]*boltseal.Finding, len(r.Findings))
	for i := range r.Findings {
		out[i] = &r.Findings[i]
	}
	slices.SortStableFunc(out, func(a, b *boltseal.Finding) int {
		if (a.Suppressed == "") != (b.Suppressed == "") {
			if a.Suppressed == "" {
				return -1
			}
			return 1
		}
		return worse(a, b)
	})
	return out
}
