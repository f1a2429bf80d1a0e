package orchestrator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// Removal is something that can be taken away to end attack paths.
type Removal struct {
	// Text says what to remove, in words.
	Text string `json:"text"`
	// Binding and Subject, or Role and Rule, or Workload name it.
	Binding  *Binding `json:"-"`
	Subject  *Subject `json:"subject,omitempty"`
	Role     *Role    `json:"-"`
	Rule     int      `json:"rule,omitempty"`
	Workload Position `json:"workload,omitempty"`
	// Stops are the starts that no longer reach the target without it.
	Stops []Position `json:"stops"`

	key any
}

// placeStep is the key of [Graph.without] for a step that comes from a
// workload's fields.
type placeStep struct {
	from Position
	why  string
}

// maxCandidates bounds the removals that are tried: those on most paths.
const maxCandidates = 64

// CutOptions say what [Graph.Cuts] and [Graph.MinimalCut] look at.
type CutOptions struct {
	// From are the starts that shall not reach the target; nil means all that do
	// and do not belong to Kubernetes.
	From []Position
	// Objects limits the removals to the kinds listed: "binding" (a subject of
	// it), "rule", "workload". Nil means all.
	Objects []string
}

// Cuts says for each removable object on the shortest paths to a position how
// many starts no longer reach it without that object: the most effective first.
// Each is tried on a graph of its own, so that what it says holds for all
// paths, not only for those that were looked at. At most 64 are tried, those on
// most of the shortest paths.
func (g *Graph) Cuts(ctx context.Context, to Position, opts *CutOptions) ([]Removal, error) {
	return newCutter(g, to, opts).round(ctx, nil)
}

// MinimalCut returns removals that together end all paths to a position, none
// of which can be left out. It takes the most effective one again and again,
// which need not give the smallest set there is. rest are the starts that
// reach the position whatever is removed.
func (g *Graph) MinimalCut(ctx context.Context, to Position, opts *CutOptions) (cut []Removal, rest []Position, err error) {
	c := newCutter(g, to, opts)
	for {
		list, err := c.round(ctx, cut)
		if err != nil {
			return cut, c.left(ctx, cut), err
		}
		if len(list) == 0 {
			break
		}
		best := list[0]
		if len(best.Stops) == 0 {
			// No single one helps: two ways lead around each other. Take that on
			// most paths and go on.
			if len(cut) >= maxCandidates {
				break
			}
		}
		cut = append(cut, best)
	}
	rest = c.left(ctx, cut)
	for i := len(cut) - 1; i >= 0; i-- { // what later ones made needless
		fewer := slices.Delete(slices.Clone(cut), i, i+1)
		if len(c.left(ctx, fewer)) == len(rest) {
			cut = fewer
		}
	}
	return cut, rest, ctx.Err()
}

type cutter struct {
	g    *Graph
	to   Position
	want func(Position) bool
	kind func(string) bool
}

func newCutter(g *Graph, to Position, opts *CutOptions) *cutter {
	c := &cutter{g: g, to: to, want: func(p Position) bool { return !p.System() }, kind: func(string) bool { return true }}
	if opts != nil && opts.From != nil {
		c.want = func(p Position) bool { return slices.Contains(opts.From, p) }
	}
	if opts != nil && opts.Objects != nil {
		c.kind = func(k string) bool { return slices.Contains(opts.Objects, k) }
	}
	return c
}

// graph returns the graph without what was removed.
func (c *cutter) graph(removed []Removal) *Graph {
	if len(removed) == 0 {
		return c.g
	}
	without := map[any]bool{}
	for _, r := range removed {
		without[r.key] = true
	}
	return newGraph(c.g.access, &c.g.opts, without)
}

func (c *cutter) left(ctx context.Context, removed []Removal) []Position {
	return c.graph(removed).reaching(ctx, c.to, c.want)
}

// round tries what lies on the shortest paths that are left, one by one.
func (c *cutter) round(ctx context.Context, removed []Removal) ([]Removal, error) {
	g := c.graph(removed)
	count := map[any]int{}
	found := map[any]Removal{}
	var before []Position
	for p := range g.Attackers(ctx, c.to) {
		if !c.want(p.From) {
			continue
		}
		before = append(before, p.From)
		for _, r := range c.removals(&p) {
			count[r.key]++
			found[r.key] = r
		}
	}
	slices.Sort(before)
	var list []Removal
	for _, r := range found {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b Removal) int {
		return cmp.Or(cmp.Compare(count[b.key], count[a.key]), strings.Compare(a.Text, b.Text))
	})
	if len(list) > maxCandidates {
		list = list[:maxCandidates]
	}
	for i := range list {
		if ctx.Err() != nil {
			return list[:i], ctx.Err()
		}
		after := c.left(ctx, append(slices.Clone(removed), list[i]))
		for _, p := range before {
			if _, still := slices.BinarySearch(after, p); !still {
				list[i].Stops = append(list[i].Stops, p)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Removal) int { return cmp.Compare(len(b.Stops), len(a.Stops)) })
	return list, nil
}

// removals lists what a path rests on.
func (c *cutter) removals(p *Path) (out []Removal) {
	for i := range p.Steps {
		s := &p.Steps[i]
		for _, u := range s.Uses {
			for _, g := range u.Grants {
				if g.Binding.Name == "" || g.Binding.Assumed {
					continue
				}
				if c.kind("binding") {
					subject := g.Subject
					out = append(out, Removal{
						Text:    fmt.Sprintf("remove %s from %s (%s)", g.Subject, g.Binding, g.Binding.RoleRef.Name),
						Binding: g.Binding, Subject: &subject, key: bindingSubject{g.Binding, g.SubjectIndex},
					})
				}
				if c.kind("rule") && !g.Role.Assumed {
					out = append(out, Removal{
						Text: fmt.Sprintf("remove rule %d from %s: %s", g.RuleIndex, g.Role, ruleString(g.Rule())),
						Role: g.Role, Rule: g.RuleIndex, key: roleRule{g.Role, g.RuleIndex},
					})
				}
			}
		}
		if len(s.Uses) == 0 && len(s.From) == 1 && strings.HasPrefix(string(s.From[0]), "workload:") && c.kind("workload") {
			why := s.Why
			if why == "" {
				why = s.Title
			}
			out = append(out, Removal{Text: fmt.Sprintf("change %s: %s", strings.TrimPrefix(string(s.From[0]), "workload:"), why), Workload: s.From[0], key: placeStep{s.From[0], why}})
		}
	}
	return out
}
