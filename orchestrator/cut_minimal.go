package orchestrator

import (
	"context"
	"slices"
)

// Cut is a set of removals that ends all paths to a position.
type Cut struct {
	// Removals are what to remove. None of them can be left out. Stops and Eases
	// of each say what it alone does.
	Removals []Removal `json:"removals"`
	// Rest are the starts that reach the position whatever is removed.
	Rest []Position `json:"rest,omitempty"`
	// Smallest says that no smaller set would do. It is false where finding that
	// out would have taken too long.
	Smallest bool `json:"smallest"`
}

// MinimalCut returns a smallest set of removals that together end all paths to
// a position, the conditional ones too.
//
// It gathers what the shortest paths rest on, takes a smallest set that hits
// all of them, and looks for paths that are left, until there are none: every
// path is a demand that no cut can do without, so that the set that is enough
// at last is as small as any. Where the demands are so many that a smallest set
// takes more than some 100,000 steps to find, the set is a greedy one, from
// which what is needless was taken: see [Cut.Smallest].
func (g *Graph) MinimalCut(ctx context.Context, to Position, opts *CutOptions) (*Cut, error) {
	c := newCutter(g, to, opts)
	h := newHitting()
	known := map[any]Removal{}
	stuck := map[Position]bool{}
	wanted := c.want
	c.want = func(p Position) bool { return wanted(p) && !stuck[p] }
	var removed []Removal
	for {
		open := false
		for p := range c.graph(removed).Attackers(ctx, to) {
			if !c.want(p.From) {
				continue
			}
			open = true
			var keys []any
			for _, r := range c.removals(&p) {
				if _, ok := known[r.key]; !ok {
					known[r.key] = r
				}
				if !slices.Contains(keys, r.key) {
					keys = append(keys, r.key)
				}
			}
			if len(keys) == 0 {
				stuck[p.From] = true
				h.forget(p.From)
				continue
			}
			h.demand(p.From, keys)
		}
		if ctx.Err() != nil {
			return &Cut{Removals: removed}, ctx.Err()
		}
		if !open {
			break
		}
		removed = nil
		for _, key := range h.solve(func(a, b any) bool { return known[a].Text < known[b].Text }) {
			removed = append(removed, known[key])
		}
	}
	cut := &Cut{Removals: c.needed(ctx, removed), Smallest: h.exact}
	for p := range stuck {
		cut.Rest = append(cut.Rest, p)
	}
	slices.Sort(cut.Rest)
	before := c.left(ctx, nil)
	for i := range cut.Removals {
		cut.Removals[i].spoil(before, c.left(ctx, cut.Removals[i:i+1]))
	}
	return cut, ctx.Err()
}

// needed leaves out of a cut what is not needed: nothing, if it is a smallest.
func (c *cutter) needed(ctx context.Context, cut []Removal) []Removal {
	for i := len(cut) - 1; i >= 0; i-- {
		fewer := slices.Delete(slices.Clone(cut), i, i+1)
		if len(c.left(ctx, fewer)) == 0 {
			cut = fewer
		}
	}
	return cut
}
