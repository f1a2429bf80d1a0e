package image

import (
	"context"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/tree"
)

// A chain is a number of layers from the lowest on. Where layers that the cache
// knows meet new ones, the tree that the known make is put into the cache too:
// the next image that shares them folds nothing but its own layers.

// worthwhile is how many entries must lie above the last known chain to write
// another one. Folding fewer takes less than a millisecond.
const worthwhile = 4096

func (r *records) chainKey(layers []Layer) string {
	parts := []string{r.settings}
	for i := range layers {
		parts = append(parts, string(layers[i].DiffID), tocKey(&layers[i]))
	}
	return cacheKey("chain", parts...)
}

// known is how many layers from the lowest on came from the cache.
func (a *analysis) known() int {
	n := 0
	for n < len(a.results) && a.results[n].cached {
		n++
	}
	return n
}

// longest returns the squash of the longest chain that the cache has, and how
// many layers it is of. Without one it is empty, and of none.
func (a *analysis) longest(ctx context.Context, known int) (*tree.Squash, int) {
	for n := known; n > 0; n-- {
		b, err := a.records.cache.Get(ctx, a.records.chainKey(a.img.Layers[:n]))
		if err != nil || b == nil {
			continue
		}
		recs := make([]*tree.Record, n)
		for i := range recs {
			recs[i] = a.results[i].rec
		}
		if sq, err := tree.Restore(b, recs, a.limits); err == nil {
			return sq, n
		}
	}
	return tree.NewSquash(a.limits), 0
}

// squash puts all layers on top of each other.
func (a *analysis) squash(ctx context.Context) (*tree.Squash, []error, error) {
	known := a.known()
	sq, from := a.longest(ctx, known)
	if err := a.check(ctx, from); err != nil {
		return nil, nil, err
	}
	known = min(known, a.known()) // a damaged record was read anew
	var errs []error
	above := 0
	for i := from; i < len(a.results); i++ {
		if err := sq.Apply(ctx, a.results[i].rec); err != nil {
			if ctx.Err() != nil {
				return nil, nil, ctx.Err()
			}
			errs = append(errs, &boltseal.Error{Op: "squash layer", Location: boltseal.Location{Layer: layerName(&a.img.Layers[i])}, Err: err})
		}
		above += a.results[i].rec.Entries.N
		if i+1 == known && above >= worthwhile && len(errs) == 0 {
			// What the cache cannot keep costs time, not results.
			_ = a.records.cache.Put(ctx, a.records.chainKey(a.img.Layers[:known]), sq.Snapshot())
		}
	}
	return sq, errs, nil
}

// check looks at the entries of the cached records that are to be folded, and
// reads again the layers where they are damaged.
func (a *analysis) check(ctx context.Context, from int) error {
	var r *layerReader
	for i := from; i < len(a.results); i++ {
		if !a.results[i].cached || a.results[i].rec.Check() == nil {
			continue
		}
		if r == nil {
			r = a.reader()
			defer r.inflate.close()
		}
		a.results[i], a.errs[i] = a.readLayer(ctx, r, &a.img.Layers[i])
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}
