package report

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
)

// severities from the worst down. Unknown stands before None: nobody rated it,
// so it may be anything.
var severities = [...]boltseal.Severity{
	boltseal.SeverityCritical, boltseal.SeverityHigh, boltseal.SeverityMedium,
	boltseal.SeverityLow, boltseal.SeverityUnknown, boltseal.SeverityNone,
}

// order returns a severity's place in severities.
func order(s boltseal.Severity) int {
	if i := slices.Index(severities[:], s); i >= 0 {
		return i
	}
	return len(severities)
}

// Summary counts what a report says.
type Summary struct {
	Counts     map[boltseal.Severity]int // findings that count, by severity
	Findings   int                       // their sum
	Fixable    int                       // those of them with a known fix
	Suppressed int                       // findings that do not count
	Unknown    []boltseal.Check          // checks that could not be decided
	Skipped    []boltseal.Skip           // what was not looked at, notes left out
	Notes      int
	Bytes      int64 // of all layers, inflated
	Wasted     int64
}

// Summarize counts what r says.
func Summarize(r *boltseal.Report) Summary {
	s := Summary{Counts: map[boltseal.Severity]int{}}
	for _, f := range r.Findings {
		if f.Suppressed != "" {
			s.Suppressed++
			continue
		}
		s.Counts[f.Severity]++
		s.Findings++
		if f.Fixed != "" {
			s.Fixable++
		}
	}
	for _, c := range r.Checks {
		if c.Verdict == boltseal.VerdictUnknown {
			s.Unknown = append(s.Unknown, c)
		}
	}
	for _, k := range r.Skipped {
		if k.Note {
			s.Notes++
		} else {
			s.Skipped = append(s.Skipped, k)
		}
	}
	for _, l := range r.Layers {
		s.Bytes += l.Bytes
		s.Wasted += l.Wasted
	}
	return s
}

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

// cve is an advisory's ID that ends in a CVE's: DEBIAN-CVE-…, GLAD-…-CVE-….
var cve = regexp.MustCompile(`^.*-(CVE-[0-9]{4}-[0-9]{4,})$`)

// label returns a finding's rule as a person looks it up, and its title, empty
// if it adds nothing.
func label(f *boltseal.Finding, name string) (rule, title string) {
	rule, title = Clean(f.Rule), Clean(f.Title)
	if m := cve.FindStringSubmatch(rule); m != nil {
		rule = m[1]
	}
	for _, said := range []string{rule, Clean(f.Rule)} {
		if title == said || strings.HasPrefix(title, said+" in ") && strings.HasSuffix(name, strings.TrimPrefix(title, said+" in ")) {
			title = ""
		}
	}
	return rule, title
}

// plural writes "1 layer", "2 layers".
func plural(n int, one string) string {
	switch {
	case n == 1:
		return "1 " + one
	case strings.HasSuffix(one, "y"):
		return fmt.Sprintf("%d %sies", n, one[:len(one)-1])
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// size writes bytes in decimal units, as registries do: 999 B, 28.1 MB.
func size(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n), ""
	for _, unit = range []string{"kB", "MB", "GB", "TB", "PB", "EB"} {
		if f /= 1000; f < 999.95 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", f, unit)
}

// short returns the head of a digest that people compare by eye.
func short(digest string) string {
	_, hex, ok := strings.Cut(digest, ":")
	if !ok {
		hex = digest
	}
	return hex[:min(12, len(hex))]
}

// base says which image this one was built on, and how sure that is.
func base(b *boltseal.ReportBase) string {
	name := cmp.Or(b.Name, b.Digest, "of unknown name")
	switch {
	case b.Layers == 1:
		name += ", the lowest layer"
	case b.Layers > 1:
		name += fmt.Sprintf(", the lowest %d layers", b.Layers)
	}
	return fmt.Sprintf("%s (%.0f%% sure: %s)", name, b.Confidence*100, b.Evidence)
}
