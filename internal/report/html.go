package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/boltseal/boltseal"
)

// HTML writes r as one page that needs nothing else: no network, no font, no
// script of others. It reads well without JavaScript; with it, lists can be
// filtered and sorted.
func HTML(w io.Writer, r *boltseal.Report) error {
	v := newHTMLView(r)
	nav := []navLink{{"findings", "Findings"}, {"packages", "Packages"}}
	if len(v.Layers) > 0 {
		nav = append([]navLink{{"layers", "Layers"}}, nav...)
	}
	return writePage(w, "image", frame{Title: v.Name + " - boltseal", What: "image report", Nav: nav, Data: v})
}

// htmlView is a report as the template wants it, every string clean.
type htmlView struct {
	Name, Line, Bytes, Wasted, Sources, Schema string
	Facts                                      []htmlFact
	Incomplete                                 bool
	Gaps, MoreGaps, Notes                      []string
	Tiles                                      []htmlTile
	Layers                                     []htmlLayer
	Legend                                     []htmlKind
	Findings                                   []htmlFinding
	Packages                                   []htmlPackage
	FindingTypes, PackageTypes                 []string
	Suppressed                                 int
}

// LayerIndex cuts the index off a layer's name, "3 runtime".
func (htmlView) LayerIndex(name string) string {
	n, _, _ := strings.Cut(name, " ")
	return n
}

type htmlFact struct {
	Name, Value string
	Mono        bool
}

type htmlTile struct {
	Severity string
	Count    int
}

type htmlKind struct{ Name, Class string }

type htmlFinding struct {
	Query, Severity, Type, Layer, LayerName, Name, Version, Rule, Title, Advisory, Fixed string
	Description, Suppressed, Fix, PURL, Fingerprint                                      string
	Order                                                                                int
	Why, Aliases, Places, References                                                     []string
}

type htmlPackage struct {
	Query, Name, Version, Type, State, Layer, LayerName, PURL, Licenses, Source, OwnedBy string
	Places, Why                                                                          []string
	Findings                                                                             int
}

func newHTMLView(r *boltseal.Report) *htmlView {
	x, sum := newIndex(r), Summarize(r)
	v := &htmlView{
		Name: "image", Bytes: size(sum.Bytes), Schema: boltseal.ReportSchema, Suppressed: sum.Suppressed,
		Incomplete: !r.Complete || len(sum.Skipped) > 0,
	}
	if r.Image != nil && r.Image.Name != "" {
		v.Name = Clean(r.Image.Name)
	}
	v.facts(r)
	for _, c := range sum.Unknown {
		v.Gaps = append(v.Gaps, Clean(cmp.Or(c.Title, c.Rule)+": "+c.Reason))
	}
	for _, s := range r.Skipped {
		text := s.Reason
		if s.Path != "" {
			text = s.Path + ": " + text
		}
		if l := x.layers[s.Layer]; l != nil {
			text = fmt.Sprintf("layer %d: %s", l.Index, text)
		}
		if s.Note {
			v.Notes = append(v.Notes, Clean(text))
		} else {
			v.Gaps = append(v.Gaps, Clean(text))
		}
	}
	if len(v.Gaps) > listed {
		v.Gaps, v.MoreGaps = v.Gaps[:listed], v.Gaps[listed:]
	}
	for _, s := range severities {
		v.Tiles = append(v.Tiles, htmlTile{s.String(), sum.Counts[s]})
	}
	v.Line = plural(sum.Findings, "finding") + fmt.Sprintf(", %d with a fix", sum.Fixable)
	if sum.Suppressed > 0 {
		v.Line += fmt.Sprintf(", %d suppressed, each with its reason", sum.Suppressed)
	}
	if sum.Wasted > 0 {
		v.Wasted = size(sum.Wasted)
	}
	byPURL, byLayer := map[string]int{}, map[string]int{}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Suppressed == "" {
			byPURL[f.Package]++
			if l := x.layer(f); l != nil {
				byLayer[l.DiffID]++
			}
		}
	}
	v.layers(r, sum, byLayer)
	types := map[string]bool{}
	for _, f := range sorted(r) {
		h := newHTMLFinding(x, f)
		types[h.Type] = true
		v.Findings = append(v.Findings, h)
	}
	v.FindingTypes = keys(types)
	types = map[string]bool{}
	for i := range r.Packages {
		p := newHTMLPackage(x, &r.Packages[i], byPURL)
		types[p.Type] = true
		v.Packages = append(v.Packages, p)
	}
	slices.SortStableFunc(v.Packages, func(a, b htmlPackage) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	v.PackageTypes = keys(types)
	return v
}

func keys(m map[string]bool) []string {
	var out []string
	for k := range m {
		if k != "" {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

func (v *htmlView) facts(r *boltseal.Report) {
	add := func(name, value string, mono bool) {
		if value != "" {
			v.Facts = append(v.Facts, htmlFact{name, Clean(value), mono})
		}
	}
	date := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.UTC().Format("2006-01-02 15:04 UTC")
	}
	if d := r.Distro; d != nil {
		add("Operating system", cmp.Or(d.PrettyName, d.String()), false)
	}
	if im := r.Image; im != nil {
		add("Platform", im.Platform, false)
		if b := im.Base; b != nil {
			add("Base image", base(b), false)
		}
		add("Built", date(im.Created), false)
		add("Digest", im.Digest, true)
		add("Image ID", im.ImageID, true)
	}
	add("Scanned", date(r.Created), false)
	if a := r.Advisories; a != nil {
		text := plural(a.Advisories, "advisory")
		if a.Newest != nil {
			text += ", the newest of " + a.Newest.UTC().Format("2006-01-02")
		}
		add("Matched to", text, false)
		var names []string
		for _, s := range a.Sources {
			n := s.Name
			if s.License != "" {
				n += " (" + s.License + ")"
			}
			names = append(names, Clean(n))
		}
		v.Sources = strings.Join(names, ", ")
	}
}

func newHTMLFinding(x index, f *boltseal.Finding) htmlFinding {
	name, version, typ := x.name(f)
	rule, title := label(f, name)
	h := htmlFinding{
		Severity: f.Severity.String(), Order: order(f.Severity), Type: Clean(typ), Name: Clean(name), Version: Clean(version),
		Rule: rule, Title: title, Advisory: Clean(f.Rule), Fixed: Clean(f.Fixed), Description: Clean(f.Description), Fix: Clean(f.Fix),
		Suppressed: Clean(f.Suppressed), PURL: Clean(f.Package), Fingerprint: Clean(f.Fingerprint), Aliases: cleanAll(f.Aliases),
		Why: why(f.Evidence),
	}
	if l := x.layer(f); l != nil {
		h.Layer = fmt.Sprint(l.Index)
		h.LayerName = Clean(h.Layer + " " + l.Kind)
	}
	for _, l := range x.locations(f) {
		text := Clean(l.String())
		if l.HiddenBy != "" {
			text += " (deleted or replaced by a higher layer)"
		}
		h.Places = append(h.Places, text)
	}
	for _, ref := range f.References {
		if u := webLink(ref); u != nil {
			h.References = append(h.References, Clean(u.String()))
		}
	}
	h.Query = strings.ToLower(strings.Join(append(append([]string{h.Name, h.Version, h.Rule, h.Advisory, h.Title}, h.Aliases...), h.Places...), " "))
	return h
}

func newHTMLPackage(x index, p *boltseal.ReportPackage, findings map[string]int) htmlPackage {
	h := htmlPackage{
		Name: Clean(display(&p.Package)), Version: Clean(p.Version), Type: Clean(p.Type), PURL: Clean(p.PURL), OwnedBy: Clean(p.OwnedBy),
		Licenses: Clean(strings.Join(p.Licenses, ", ")), Source: Clean(strings.TrimSpace(p.Source.Name + " " + p.Source.Version)),
		Places: cleanAll(p.Paths), Why: why(p.Evidence), Findings: findings[p.PURL],
	}
	if p.State != boltseal.StateInstalled {
		h.State = p.State.String()
	}
	if l := x.layers[p.Layer]; l != nil {
		h.Layer = fmt.Sprint(l.Index)
		h.LayerName = Clean(h.Layer + " " + l.Kind)
	}
	h.Query = strings.ToLower(strings.Join(append([]string{h.Name, h.Version, h.Licenses, h.Source}, h.Places...), " "))
	return h
}

// why writes evidence in words.
func why(evidence []boltseal.Evidence) []string {
	var out []string
	for _, e := range evidence {
		text := cmp.Or(e.Detail, string(e.Technique))
		if e.Confidence > 0 && e.Confidence < 1 {
			text += fmt.Sprintf(" (%.0f%% sure)", e.Confidence*100)
		}
		if text != "" {
			out = append(out, Clean(text))
		}
	}
	return out
}

func cleanAll(in []string) []string {
	var out []string
	for _, s := range in {
		out = append(out, Clean(s))
	}
	return out
}
