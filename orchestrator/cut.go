package orchestrator

import (
	"cmp"
	"context"
	"fmt"
	"maps"
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
	// Eases are the starts that have no confirmed path any more, but still one
	// that depends on conditions.
	Eases []Position `json:"eases,omitempty"`

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
// many starts no longer reach it without that object: first those that end the
// most confirmed paths, then those that end the most of any. Each is tried on a graph of its own, so that what it says holds for all
// paths, not only for those that were looked at. At most 64 are tried, those on
// most of the shortest paths.
func (g *Graph) Cuts(ctx context.Context, to Position, opts *CutOptions) ([]Removal, error) {
	return newCutter(g, to, opts).round(ctx)
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

func (c *cutter) left(ctx context.Context, removed []Removal) []reach {
	return c.graph(removed).reaching(ctx, c.to, c.want)
}

// round tries what lies on the shortest paths, one by one.
func (c *cutter) round(ctx context.Context) ([]Removal, error) {
	count := map[any]int{}
	found := map[any]Removal{}
	var before []reach
	for p := range c.g.Attackers(ctx, c.to) {
		if !c.want(p.From) {
			continue
		}
		before = append(before, reach{p.From, p.Confirmed()})
		for _, r := range c.removals(&p) {
			count[r.key]++
			found[r.key] = r
		}
	}
	slices.SortFunc(before, compareReach)
	list := slices.SortedFunc(maps.Values(found), func(a, b Removal) int {
		return cmp.Or(cmp.Compare(count[b.key], count[a.key]), strings.Compare(a.Text, b.Text))
	})
	if len(list) > maxCandidates {
		list = list[:maxCandidates]
	}
	confirmed := make(map[any]int, len(list))
	for i := range list {
		if ctx.Err() != nil {
			return list[:i], ctx.Err()
		}
		confirmed[list[i].key] = list[i].spoil(before, c.left(ctx, list[i:i+1]))
	}
	slices.SortStableFunc(list, func(a, b Removal) int {
		return cmp.Or(cmp.Compare(confirmed[b.key], confirmed[a.key]), cmp.Compare(len(b.Stops), len(a.Stops)))
	})
	return list, ctx.Err()
}

// spoil fills in what a removal does, from who reaches the target before and
// after; it returns how many confirmed paths ended.
func (r *Removal) spoil(before, after []reach) (confirmed int) {
	r.Stops, r.Eases = nil, nil
	for _, b := range before {
		i, still := slices.BinarySearchFunc(after, b, compareReach)
		switch {
		case !still:
			r.Stops = append(r.Stops, b.from)
		case b.confirmed && !after[i].confirmed:
			r.Eases = append(r.Eases, b.from)
		default:
			continue
		}
		if b.confirmed {
			confirmed++
		}
	}
	return confirmed
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
