package image

import (
	"fmt"
	"sync/atomic"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/tree"
)

// budget is what all layers of one image together may hold in memory.
type budget struct {
	results, facts, names atomic.Int64
}

// spent is what one layer holds.
type spent struct {
	results, facts, names int64
}

// maxNames bounds the bytes of a layer's paths and links whatever the limit on
// those of the image. A layer of five million entries, the most by default, has
// some 200 MB.
const maxNames = 512 << 20

// names adds what the entries since the last call hold.
func (b *layerBuilder) names() error {
	n := int64(len(b.rec.Entries.Data) + len(b.rec.Marks.Data))
	sum := b.budget.names.Add(n - b.spent.names)
	b.spent.names = n
	switch {
	case n > maxNames:
		return fmt.Errorf("names of entries and links of the layer: %w of %d bytes", boltseal.ErrLimit, maxNames)
	case sum > b.limits.ImageNameBytes:
		return fmt.Errorf("names of entries and links of the image: %w of %d bytes (Limits.ImageNameBytes)", boltseal.ErrLimit, b.limits.ImageNameBytes)
	}
	return nil
}

// weigh counts results and the bytes of facts.
func weigh(r *boltseal.Results) (n, facts int64) {
	for i := range r.Facts {
		facts += int64(len(r.Facts[i].Data))
	}
	return int64(len(r.Packages) + len(r.Findings) + len(r.Facts) + len(r.Distros) + len(r.Skipped)), facts
}

// keep takes the results of a file into the record, unless they are too many.
func (b *layerBuilder) keep(r tree.FileResults) {
	n, facts := weigh(&r.Results)
	if n == 0 {
		return
	}
	// The layer's own limits first: they hold for every image that has it.
	switch {
	case b.spent.results+n > int64(b.limits.LayerResults):
		b.skip(r.Path, fmt.Sprintf("results of the layer: %v of %d (Limits.LayerResults)", boltseal.ErrLimit, b.limits.LayerResults))
		return
	case b.spent.facts+facts > b.limits.LayerFactBytes:
		b.skip(r.Path, fmt.Sprintf("facts of the layer: %v of %d bytes (Limits.LayerFactBytes)", boltseal.ErrLimit, b.limits.LayerFactBytes))
		return
	}
	if why := b.budget.spend(&b.limits, n, facts); why != "" {
		b.transient = true // another image may have room for it
		b.skip(r.Path, why)
		return
	}
	b.spent.results += n
	b.spent.facts += facts
	b.rec.Results = append(b.rec.Results, r)
}

// spend takes what results need, or says why there is no room for them.
func (m *budget) spend(l *boltseal.Limits, n, facts int64) (why string) {
	switch {
	case m.results.Add(n) > int64(l.ImageResults):
		why = fmt.Sprintf("results of the image: %v of %d (Limits.ImageResults)", boltseal.ErrLimit, l.ImageResults)
	case m.facts.Add(facts) > l.ImageFactBytes:
		m.facts.Add(-facts)
		why = fmt.Sprintf("facts of the image: %v of %d bytes (Limits.ImageFactBytes)", boltseal.ErrLimit, l.ImageFactBytes)
	default:
		return ""
	}
	m.results.Add(-n)
	return why
}

// charge takes what a cached record holds. Results for which there is no room
// are replaced by a remark in their place: others count them by number.
func (m *budget) charge(l *boltseal.Limits, rec *tree.Record) (dropped bool, err error) {
	if m.names.Add(int64(len(rec.Entries.Data)+len(rec.Marks.Data))) > l.ImageNameBytes {
		return false, fmt.Errorf("names of entries and links of the image: %w of %d bytes (Limits.ImageNameBytes)", boltseal.ErrLimit, l.ImageNameBytes)
	}
	for i := range rec.Results {
		r := &rec.Results[i]
		n, facts := weigh(&r.Results)
		if why := m.spend(l, n, facts); why != "" {
			r.Results = boltseal.Results{Skipped: []boltseal.Skip{{Path: r.Path, Reason: why}}}
			dropped = true
		}
	}
	return dropped, nil
}
