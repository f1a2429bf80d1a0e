package orchestrator

import (
	"container/heap"
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/boltseal/boltseal"
)

const far = int32(1 << 30)

// search finds shortest proofs from one fact. Its slices are as long as the
// graph; one search may be used again.
type search struct {
	g     *Graph
	dist  []int32 // steps to prove a fact; far if not (yet) proven
	via   []int32 // the edge that proves it
	seen  []int32 // facts and edges that were touched
	stop  int32   // a fact from which nothing follows, or -1
	queue factQueue
}

func newSearch(g *Graph) *search {
	s := &search{g: g, dist: make([]int32, len(g.facts)), via: make([]int32, len(g.facts)), stop: -1}
	for i := range s.dist {
		s.dist[i] = far
	}
	return s
}

// reset forgets the last run.
func (s *search) reset() {
	for _, f := range s.seen {
		s.dist[f] = far
	}
	s.seen, s.queue = s.seen[:0], s.queue[:0]
}

// run proves facts in the order of their distance from start, until it reaches
// the target, or all that can be proven if that is -1. bound, if not nil, is
// a lower bound of the steps from each fact to the target; facts that are far
// are left out.
//
// The distance of a fact that needs several others is the sum of theirs:
// Knuth's generalization of Dijkstra's algorithm.
func (s *search) run(start, target int32, bound []int32) bool {
	s.reset()
	estimate := func(f int32) int32 {
		if bound == nil {
			return 0
		}
		return bound[f]
	}
	if estimate(start) >= far {
		return false
	}
	s.prove(start, 0, -1, estimate(start))
	for len(s.queue) > 0 {
		top := heap.Pop(&s.queue).(queued)
		if top.cost-estimate(top.fact) > s.dist[top.fact] {
			continue // a shorter proof came first
		}
		if top.fact == target {
			return true
		}
		if top.fact == s.stop {
			continue
		}
		for _, id := range s.g.out[top.fact] {
			e := &s.g.edges[id]
			if bound != nil && bound[e.head] >= far {
				continue
			}
			sum := e.cost()
			ready := true
			for _, t := range e.tails {
				if t < 0 {
					break
				}
				if s.dist[t] >= far {
					ready = false
					break
				}
				sum += s.dist[t]
			}
			if ready && sum < s.dist[e.head] {
				s.prove(e.head, sum, id, sum+estimate(e.head))
			}
		}
	}
	return target >= 0 && s.dist[target] < far
}

func (s *search) prove(f, dist, via, priority int32) {
	if s.dist[f] >= far {
		s.seen = append(s.seen, f)
	}
	s.dist[f], s.via[f] = dist, via
	heap.Push(&s.queue, queued{f, priority})
}

// proof returns the edges that prove a fact, in an order in which each needs
// only those before it.
func (s *search) proof(target int32) (edges []int32) {
	done := map[int32]bool{}
	var visit func(f int32)
	visit = func(f int32) {
		if done[f] || s.via[f] < 0 {
			return
		}
		done[f] = true
		for _, t := range s.g.edges[s.via[f]].tails {
			if t >= 0 {
				visit(t)
			}
		}
		edges = append(edges, s.via[f])
	}
	visit(target)
	return edges
}

type queued struct{ fact, cost int32 }

type factQueue []queued

func (q factQueue) Len() int           { return len(q) }
func (q factQueue) Less(i, j int) bool { return q[i].cost < q[j].cost }
func (q factQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *factQueue) Push(x any)        { *q = append(*q, x.(queued)) }
func (q *factQueue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}

// lowerBounds returns the least number of steps from each fact to the target,
// counting one of the tails of an edge as enough.
func (g *Graph) lowerBounds(target int32) []int32 {
	bound := make([]int32, len(g.facts))
	for i := range bound {
		bound[i] = far
	}
	bound[target] = 0
	queue := factQueue{{target, 0}}
	for len(queue) > 0 {
		top := heap.Pop(&queue).(queued)
		if top.cost > bound[top.fact] {
			continue
		}
		for _, id := range g.in[top.fact] {
			e := &g.edges[id]
			for _, t := range e.tails {
				if t < 0 {
					break
				}
				if d := top.cost + e.cost(); d < bound[t] {
					bound[t] = d
					heap.Push(&queue, queued{t, d})
				}
			}
		}
	}
	return bound
}

// Paths yields the minimal paths between two positions: the confirmed before
// the conditional, the short before the long. There may be very many of them;
// break ends the search. An error is the last that it yields: of the context,
// or [boltseal.ErrLimit] if [PathOptions.MaxStates] did not suffice.
//
// Of a step that needs several things, all ways to one of them are combined
// with the shortest way to each of the others.
func (g *Graph) Paths(ctx context.Context, from, to Position) iter.Seq2[Path, error] {
	return func(yield func(Path, error) bool) {
		start, target := g.startOf(from), g.targetOf(to)
		if start < 0 || target < 0 || start == target {
			return
		}
		g.paths(ctx, newSearch(g), g.lowerBounds(target), start, target, yield)
	}
}

// AllPaths yields, for each of [Graph.Starts], up to max minimal paths to a
// position, as [Graph.Paths] does. An error of [boltseal.ErrLimit] concerns one
// start.
func (g *Graph) AllPaths(ctx context.Context, to Position, max int) iter.Seq2[Path, error] {
	return func(yield func(Path, error) bool) {
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
			n, stopped := 0, false
			g.paths(ctx, s, bound, start, target, func(p Path, err error) bool {
				stopped = !yield(p, err)
				n++
				return !stopped && n < max
			})
			if stopped || ctx.Err() != nil {
				return
			}
		}
	}
}

// paths yields the minimal paths between two facts. bound is from
// [Graph.lowerBounds].
func (g *Graph) paths(ctx context.Context, s *search, bound []int32, start, target int32, yield func(Path, error) bool) {
	if s.run(start, -1, bound); s.dist[target] >= far {
		return
	}
	from, to := g.position(start), g.position(target)
	w := &walker{g: g, s: s, start: start, max: g.opts.MaxStates}
	if w.max <= 0 {
		w.max = 200_000
	}
	// The shortest comes first whatever the limit is.
	shortest := s.proof(target)
	if !yield(g.path(from, to, start, shortest), nil) {
		return
	}
	for edges, err := range w.walk(ctx, target, shortest) {
		if err != nil {
			yield(Path{From: from, To: to}, fmt.Errorf("paths from %s to %s: %w", from, to, err))
			return
		}
		if !yield(g.path(from, to, start, edges), nil) {
			return
		}
	}
}

// Shortest returns a shortest path between two positions, a confirmed one if
// there is any; ok is false if there is none at all.
func (g *Graph) Shortest(from, to Position) (p Path, ok bool) {
	start, target := g.startOf(from), g.targetOf(to)
	if start < 0 || target < 0 || start == target {
		return Path{}, false
	}
	s := newSearch(g)
	if !s.run(start, target, nil) {
		return Path{}, false
	}
	return g.path(from, to, start, s.proof(target)), true
}

// startOf returns the fact of a position to start from, or -1. An identity that
// no binding names has the rights of its groups.
func (g *Graph) startOf(p Position) int32 {
	if id, ok := g.ids[fact{kind: atPosition, a: string(p)}]; ok {
		return id
	}
	return -1
}

func (g *Graph) targetOf(p Position) int32 {
	if id, ok := g.ids[fact{kind: atPosition, a: string(p)}]; ok {
		return id
	}
	return -1
}

// walker enumerates proofs from the target back to the start: best first, by
// the steps so far and the true distance of what is left.
type walker struct {
	g     *Graph
	s     *search
	start int32
	max   int
	queue stateQueue
}

// state is a partial proof: a chain of edges from goal to the target.
type state struct {
	goal    int32
	edge    int32 // whose tail goal is
	next    *state
	pending []int32 // facts that edges of the chain need beside it
	cost    int32   // steps so far
	total   int32   // and the least that are left
	order   int
}

type stateQueue []*state

func (q stateQueue) Len() int { return len(q) }
func (q stateQueue) Less(i, j int) bool {
	if q[i].total != q[j].total {
		return q[i].total < q[j].total
	}
	return q[i].order < q[j].order
}
func (q stateQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *stateQueue) Push(x any)   { *q = append(*q, x.(*state)) }
func (q *stateQueue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}

// walk yields all proofs but the one that is known.
func (w *walker) walk(ctx context.Context, target int32, known []int32) iter.Seq2[[]int32, error] {
	return func(yield func([]int32, error) bool) {
		w.queue = stateQueue{{goal: target, edge: -1, total: w.s.dist[target]}}
		order, states := 0, 0
		given := map[string]bool{proofKey(known): true}
		for len(w.queue) > 0 {
			top := heap.Pop(&w.queue).(*state)
			if states++; states > w.max {
				yield(nil, fmt.Errorf("%d partial paths: %w; raise PathOptions.MaxStates", w.max, boltseal.ErrLimit))
				return
			}
			if states%1024 == 0 && ctx.Err() != nil {
				yield(nil, ctx.Err())
				return
			}
			if top.goal == w.start {
				edges := w.complete(top)
				key := proofKey(edges)
				if edges == nil || given[key] {
					continue
				}
				given[key] = true
				if !yield(edges, nil) {
					return
				}
				continue
			}
			for _, id := range w.g.in[top.goal] {
				e := &w.g.edges[id]
				for i, t := range e.tails {
					if t < 0 {
						break
					}
					next := w.extend(top, id, i)
					if next == nil {
						continue
					}
					order++
					next.order = order
					heap.Push(&w.queue, next)
				}
			}
		}
	}
}

// extend goes on from a partial proof to one tail of an edge into its goal, or
// returns nil if that leads nowhere: a tail out of reach, a fact twice, or a
// detour past an edge that leads there directly.
func (w *walker) extend(s *state, id int32, tail int) *state {
	e := &w.g.edges[id]
	goal := e.tails[tail]
	next := &state{goal: goal, edge: id, next: s, cost: s.cost + e.cost(), pending: s.pending}
	for i, t := range e.tails {
		switch {
		case t < 0:
		case w.s.dist[t] >= far:
			return nil
		case i != tail && t != w.start:
			next.pending = append(slices.Clip(next.pending), t)
		}
	}
	for c := s; c != nil; c = c.next {
		if c.goal == goal {
			return nil
		}
		if c != s && w.direct(goal, c.goal) {
			return nil
		}
	}
	next.total = next.cost + w.s.dist[goal]
	for _, p := range next.pending {
		if p != goal {
			next.total += w.s.dist[p]
		}
	}
	return next
}

// direct reports whether an edge leads from one fact alone to another.
func (w *walker) direct(from, to int32) bool {
	for _, id := range w.g.out[from] {
		if e := &w.g.edges[id]; e.head == to && e.tails[1] < 0 {
			return true
		}
	}
	return false
}

// complete puts the chain and the shortest proofs of what it needs beside it in
// order. It returns nil if one of these leads through the chain.
func (w *walker) complete(s *state) []int32 {
	var edges []int32
	have := map[int32]bool{}
	proven := map[int32]bool{w.start: true}
	add := func(id int32) {
		if !have[id] {
			have[id] = true
			edges = append(edges, id)
		}
	}
	var chain []int32
	for c := s; c.next != nil; c = c.next {
		chain = append(chain, c.edge)
	}
	for _, id := range chain {
		for _, t := range w.g.edges[id].tails {
			if t < 0 || proven[t] {
				continue
			}
			for _, p := range w.s.proof(t) {
				if head := w.g.edges[p].head; !proven[head] {
					proven[head] = true
					add(p)
				}
			}
		}
		head := w.g.edges[id].head
		if proven[head] {
			return nil // the chain comes back to what it needed
		}
		proven[head] = true
		add(id)
	}
	return edges
}

func proofKey(edges []int32) string {
	sorted := slices.Sorted(slices.Values(edges))
	b := make([]byte, 0, 4*len(sorted))
	for _, e := range sorted {
		b = append(b, byte(e), byte(e>>8), byte(e>>16), byte(e>>24))
	}
	return string(b)
}
