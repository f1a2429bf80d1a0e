package document

import (
	"slices"

	"github.com/boltseal/boltseal"
)

// Record is one package as read, not yet resolved against the others.
type Record struct {
	Component
	Ref       string
	Licenses  []string
	Evidence  []boltseal.Evidence
	Locations []boltseal.Location
	Source    boltseal.Source
}

// Collection gathers a document's records and edges, in any order, and makes a
// report of them.
type Collection struct {
	Records []Record
	edges   map[string][]string // ref → refs, present and empty for "none"
}

// Depends says that one reference needs others; with none, that it needs none.
func (c *Collection) Depends(ref string, on ...string) {
	if c.edges == nil {
		c.edges = map[string][]string{}
	}
	c.edges[ref] = append(c.edges[ref], on...)
}

// Report sets the report's packages, by package URL and path, and lists what
// could not be read under Skipped.
func (c *Collection) Report(r *boltseal.Report) {
	names := make(map[string]string, len(c.Records))
	kept := make([]*Record, 0, len(c.Records))
	distros := map[string]*boltseal.Distro{} // packages of one release share it
	for i := range c.Records {
		rec := &c.Records[i]
		p, err := rec.Package(r.Distro)
		if err != nil {
			r.Complete = false
			r.Skipped = append(r.Skipped, boltseal.Skip{Reason: "component " + clip(rec.Name) + ": " + err.Error()})
			continue
		}
		if d := p.Distro; d != nil && d != r.Distro {
			if distros[d.String()] == nil {
				distros[d.String()] = d
			}
			p.Distro = distros[d.String()]
		}
		p.Licenses = rec.Licenses
		p.Evidence = append(slices.Clip(rec.Evidence), p.Evidence...)
		if len(rec.Locations) > 0 {
			p.Locations, p.Paths = rec.Locations, nil
			for _, l := range rec.Locations {
				p.Paths = append(p.Paths, l.Path)
			}
		}
		if rec.Source.Name != "" {
			p.Source = rec.Source
			if p.Source.Version == p.Version {
				p.Source.Version = ""
			}
		}
		if rec.Ref != "" {
			names[rec.Ref] = Qualified(&p.Package)
		}
		kept = append(kept, rec)
		r.Packages = append(r.Packages, p)
	}
	if r.Distro == nil && len(distros) == 1 { // the document says it by its packages
		for _, r.Distro = range distros {
		}
	}
	first := len(r.Packages) - len(kept)
	for i, rec := range kept {
		refs, known := c.edges[rec.Ref]
		if !known || rec.Ref == "" {
			continue
		}
		p := &r.Packages[first+i]
		needs := slices.Clone(p.DependsOn)
		for _, ref := range refs {
			if name, ok := names[ref]; ok {
				needs = append(needs, name)
			}
		}
		slices.Sort(needs)
		if p.DependsOn = slices.Compact(needs); p.DependsOn == nil {
			p.DependsOn = []string{}
		}
	}
}

func clip(s string) string {
	if len(s) > 100 {
		return s[:100] + "…"
	}
	return s
}
