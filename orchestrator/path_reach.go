package orchestrator

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
)

// Starts returns everything that an attacker may begin with: identities that
// the snapshot holds or bindings name, and workloads.
func (g *Graph) Starts() []Position {
	out := make([]Position, len(g.starts))
	for i, id := range g.starts {
		out[i] = g.position(id)
	}
	slices.Sort(out)
	return out
}

// Attackers yields, for each of [Graph.Starts] that can reach a position, a
// shortest path: a confirmed one if there is any. It ends early when the
// context does. [Position.System] tells those that belong to Kubernetes.
func (g *Graph) Attackers(ctx context.Context, to Position) iter.Seq[Path] {
	return func(yield func(Path) bool) {
		target := g.targetOf(to)
		if target < 0 {
			return
		}
		bound := g.lowerBounds(target)
		s := newSearch(g)
		for _, start := range g.starts {
			if start == target || bound[start] >= far {
				continue
			}
			if ctx.Err() != nil {
				return
			}
			if s.run(start, target, bound) && !yield(g.path(g.position(start), to, start, s.proof(target))) {
				return
			}
		}
	}
}

// reach is a start that reaches a target, and whether by a confirmed path.
type reach struct {
	from      Position
	confirmed bool
}

func compareReach(a, b reach) int { return strings.Compare(string(a.from), string(b.from)) }

// reaching returns the starts that reach a position, sorted.
func (g *Graph) reaching(ctx context.Context, to Position, want func(Position) bool) (out []reach) {
	target := g.targetOf(to)
	if target < 0 {
		return nil
	}
	bound := g.lowerBounds(target)
	s := newSearch(g)
	for _, start := range g.starts {
		if start == target || bound[start] >= far || ctx.Err() != nil {
			continue
		}
		if p := g.position(start); want(p) && s.run(start, target, bound) {
			out = append(out, reach{p, s.dist[target] < conditional})
		}
	}
	slices.SortFunc(out, compareReach)
	return out
}

// BlastRadius yields a shortest path to everything that follows from a
// position, such as a compromised workload: the confirmed and near before the
// conditional and far. Whoever reaches cluster-admin has all there is: what
// follows from that alone is left out.
func (g *Graph) BlastRadius(from Position) iter.Seq[Path] {
	return func(yield func(Path) bool) {
		start := g.startOf(from)
		if start < 0 {
			return
		}
		s := newSearch(g)
		s.stop = g.at(ClusterAdmin)
		s.run(start, -1, nil)
		reached := slices.DeleteFunc(slices.Clone(s.seen), func(f int32) bool {
			return f == start || g.facts[f].kind != atPosition || g.facts[f].a == string(Group(GroupAuthenticated).Position())
		})
		slices.SortFunc(reached, func(a, b int32) int {
			return cmp.Or(cmp.Compare(s.dist[a], s.dist[b]), strings.Compare(g.facts[a].a, g.facts[b].a))
		})
		for _, f := range reached {
			if !yield(g.path(from, g.position(f), start, s.proof(f))) {
				return
			}
		}
	}
}

// Paths yields the minimal paths between two positions of a snapshot. To ask
// more than once, build a [Graph].
func (s *Snapshot) Paths(ctx context.Context, from, to Position) iter.Seq2[Path, error] {
	return NewGraph(NewAccess(s), nil).Paths(ctx, from, to)
}
