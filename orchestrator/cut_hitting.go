package orchestrator

import (
	"cmp"
	"slices"
)

// hitting finds a smallest set that hits demands: of each, at least one element
// is in the set.
type hitting struct {
	demands []demand
	number  map[any]int // of the elements
	element []any
	exact   bool // no answer so far was a greedy one
	steps   int
}

type demand struct {
	of  Position
	set []int // sorted
}

// maxHittingSteps bounds one search for a smallest set.
const maxHittingSteps = 100_000

func newHitting() *hitting { return &hitting{number: map[any]int{}, exact: true} }

// demand adds that one of the elements is needed, for somebody's sake.
func (h *hitting) demand(of Position, elements []any) {
	d := demand{of: of}
	for _, e := range elements {
		n, ok := h.number[e]
		if !ok {
			n = len(h.element)
			h.number[e] = n
			h.element = append(h.element, e)
		}
		d.set = append(d.set, n)
	}
	slices.Sort(d.set)
	h.demands = append(h.demands, d)
}

// forget drops all demands for somebody's sake.
func (h *hitting) forget(of Position) {
	h.demands = slices.DeleteFunc(h.demands, func(d demand) bool { return d.of == of })
}

// solve returns a smallest set that hits all demands. Of equal ones it takes
// elements that are in many demands first, and then those that are less.
func (h *hitting) solve(less func(a, b any) bool) []any {
	sets := minimalSets(h.demands)
	count := make([]int, len(h.element))
	for _, s := range sets {
		for _, e := range s {
			count[e]++
		}
	}
	better := func(a, b int) int {
		order := cmp.Compare(count[b], count[a])
		if order == 0 && a != b {
			order = 1
			if less(h.element[a], h.element[b]) {
				order = -1
			}
		}
		return order
	}
	for i := range sets {
		sets[i] = slices.SortedFunc(slices.Values(sets[i]), better)
	}
	h.steps = 0
	best := greedyHit(sets)
	if found := h.search(sets, nil, len(best)); found != nil {
		best = found
	}
	h.exact = h.exact && h.steps <= maxHittingSteps
	slices.SortFunc(best, better)
	out := make([]any, len(best))
	for i, e := range best {
		out[i] = h.element[e]
	}
	return out
}

// search returns a smallest set with less than limit elements that extends
// chosen and hits all sets, or nil.
func (h *hitting) search(sets [][]int, chosen []int, limit int) []int {
	if h.steps++; h.steps > maxHittingSteps || len(chosen)+disjoint(sets) >= limit {
		return nil
	}
	if len(sets) == 0 {
		return slices.Clone(chosen)
	}
	smallest := slices.MinFunc(sets, func(a, b []int) int { return cmp.Compare(len(a), len(b)) })
	var best []int
	for _, e := range smallest {
		if found := h.search(without(sets, e), append(chosen, e), limit); found != nil {
			best, limit = found, len(found)
		}
	}
	return best
}

// disjoint counts sets that have nothing in common: each needs an element of
// its own.
func disjoint(sets [][]int) (n int) {
	used := map[int]bool{}
	for _, s := range sets {
		if !slices.ContainsFunc(s, func(e int) bool { return used[e] }) {
			n++
			for _, e := range s {
				used[e] = true
			}
		}
	}
	return n
}

// without returns the sets that an element does not hit.
func without(sets [][]int, e int) (out [][]int) {
	for _, s := range sets {
		if !slices.Contains(s, e) {
			out = append(out, s)
		}
	}
	return out
}

// greedyHit takes the element that hits most, again and again.
func greedyHit(sets [][]int) (chosen []int) {
	for len(sets) > 0 {
		count := map[int]int{}
		best := sets[0][0]
		for _, s := range sets {
			for _, e := range s {
				if count[e]++; count[e] > count[best] || count[e] == count[best] && e < best {
					best = e
				}
			}
		}
		chosen = append(chosen, best)
		sets = without(sets, best)
	}
	return chosen
}

// minimalSets leaves out demands that others include: what hits the smaller
// hits the larger.
func minimalSets(demands []demand) (out [][]int) {
	bySize := slices.SortedStableFunc(slices.Values(demands), func(a, b demand) int { return cmp.Compare(len(a.set), len(b.set)) })
	for _, d := range bySize {
		if !slices.ContainsFunc(out, func(s []int) bool { return includes(d.set, s) }) {
			out = append(out, d.set)
		}
	}
	return out
}

// includes reports whether a sorted set holds all of another.
func includes(set, part []int) bool {
	for _, e := range part {
		if _, ok := slices.BinarySearch(set, e); !ok {
			return false
		}
	}
	return true
}
