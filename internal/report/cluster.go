package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
)

// Cluster is an audit of a cluster: a report, and what leads from where to
// where.
type Cluster struct {
	Name     string
	Facts    []Fact
	Report   *boltseal.Report
	Passed   int // how often a check passed
	Paths    []AttackPath
	Removals []PathRemoval // the most effective first
}

// Fact is a line about what was looked at.
type Fact struct{ Name, Value string }

// AttackPath is a way from one position to another.
type AttackPath struct {
	From, To  string
	Confirmed bool
	Steps     []AttackStep
}

// AttackStep leads from one position, or several together, to the next.
type AttackStep struct {
	From        []string
	To          string
	ID          string // of the primitive, or empty
	Text        string // the step in words
	Conditional bool
	Remove      []string // what would end it
}

// PathRemoval is something to take away, and how many starts it stops.
type PathRemoval struct {
	Text  string
	Stops int
}

// ClusterHTML writes an audit as one page that needs nothing else. The ways of
// attack are drawn, and written out beneath the drawing.
func ClusterHTML(w io.Writer, c *Cluster) error {
	v := newClusterView(c)
	nav := []navLink{{"findings", "Findings"}, {"checks", "Checks"}}
	if len(v.Paths) > 0 {
		nav = append([]navLink{{"paths", "Paths"}}, nav...)
	}
	return writePage(w, "cluster", frame{Title: v.Name + " - boltseal", What: "cluster audit", Nav: nav, Data: v})
}

// clusterView is an audit as the template wants it, every string clean.
type clusterView struct {
	Name, Line, Schema     string
	Facts                  []htmlFact
	Incomplete             bool
	Gaps, MoreGaps, Notes  []string
	Tiles                  []htmlTile
	Paths                  []AttackPath
	Removals               []PathRemoval
	Graph                  *graphView
	Findings               []clusterFinding
	Families               []string
	Checks                 []clusterCheck
	Suppressed, Unknown    int
	Confirmed, Conditional int
}

type clusterFinding struct {
	Query, Severity, Rule, Family, Title, Object, Description, Fix, Suppressed, Source string
	Order                                                                              int
	Why, Places                                                                        []string
}

type clusterCheck struct{ Rule, Title, Verdict, Reason, Query string }

func newClusterView(c *Cluster) *clusterView {
	r := c.Report
	v := &clusterView{Name: Clean(c.Name), Schema: boltseal.ReportSchema, Incomplete: !r.Complete}
	for _, f := range c.Facts {
		v.Facts = append(v.Facts, htmlFact{Name: f.Name, Value: Clean(f.Value)})
	}
	if r.Created != nil {
		v.Facts = append(v.Facts, htmlFact{Name: "Audited", Value: r.Created.UTC().Format("2006-01-02 15:04 MST")})
	}
	for _, s := range r.Skipped {
		text := s.Reason
		if s.Path != "" {
			text = s.Path + ": " + text
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
	counts := map[boltseal.Severity]int{}
	for i := range r.Findings {
		v.finding(&r.Findings[i], counts)
	}
	for _, s := range severities {
		v.Tiles = append(v.Tiles, htmlTile{s.String(), counts[s]})
	}
	slices.Sort(v.Families)
	v.Families = slices.Compact(v.Families)
	for _, k := range r.Checks {
		if k.Verdict == boltseal.VerdictUnknown {
			v.Unknown++
		}
		one := clusterCheck{Rule: Clean(k.Rule), Title: Clean(k.Title), Verdict: k.Verdict.String(), Reason: Clean(k.Reason)}
		one.Query = strings.ToLower(one.Rule + " " + one.Title)
		v.Checks = append(v.Checks, one)
	}
	v.Line = fmt.Sprintf("%s, %d passed", plural(len(r.Findings)-v.Suppressed, "finding"), c.Passed)
	if v.Suppressed > 0 {
		v.Line += fmt.Sprintf(", %d waived, each with its reason", v.Suppressed)
	}
	if v.Unknown > 0 {
		v.Line += fmt.Sprintf(", %s undecided for some object", plural(v.Unknown, "check"))
	}
	for _, p := range c.Paths {
		v.Paths = append(v.Paths, cleanPath(p))
		if p.Confirmed {
			v.Confirmed++
		} else {
			v.Conditional++
		}
	}
	for _, x := range c.Removals {
		v.Removals = append(v.Removals, PathRemoval{Clean(x.Text), x.Stops})
	}
	v.Graph = drawPaths(v.Paths)
	return v
}

func (v *clusterView) finding(f *boltseal.Finding, counts map[boltseal.Severity]int) {
	if f.Rule == "path" {
		counts[f.Severity]++ // drawn, and written out, above
		return
	}
	object := f.Asset
	if _, name, ok := strings.Cut(object, ":"); ok {
		object = name
	}
	one := clusterFinding{
		Severity: f.Severity.String(), Order: order(f.Severity), Rule: Clean(f.Rule), Title: Clean(f.Title), Object: Clean(object),
		Description: Clean(f.Description), Fix: Clean(f.Fix), Suppressed: Clean(f.Suppressed), Source: Clean(strings.Join(f.References, ", ")),
	}
	if f.Rule != "" {
		one.Family = one.Rule[:1]
		v.Families = append(v.Families, one.Family)
	}
	for _, e := range f.Evidence {
		one.Why = append(one.Why, Clean(e.Detail))
	}
	for _, l := range f.Locations {
		one.Places = append(one.Places, Clean(l.String()))
	}
	one.Query = strings.ToLower(strings.Join([]string{one.Rule, one.Title, one.Object, strings.Join(one.Places, " ")}, " "))
	if f.Suppressed != "" {
		v.Suppressed++
	} else {
		counts[f.Severity]++
	}
	v.Findings = append(v.Findings, one)
}

func cleanPath(p AttackPath) AttackPath {
	out := AttackPath{From: Clean(p.From), To: Clean(p.To), Confirmed: p.Confirmed}
	for _, s := range p.Steps {
		step := AttackStep{To: Clean(s.To), ID: Clean(s.ID), Text: Clean(s.Text), Conditional: s.Conditional}
		for _, f := range s.From {
			step.From = append(step.From, Clean(f))
		}
		for _, x := range s.Remove {
			step.Remove = append(step.Remove, Clean(x))
		}
		out.Steps = append(out.Steps, step)
	}
	return out
}
