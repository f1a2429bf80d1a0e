package image

import (
	"context"
	"fmt"
	"slices"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/tree"
	"github.com/boltseal/boltseal/internal/wire"
)

// recordVersion is raised when the reading of layers itself changes what a
// record holds.
const recordVersion = "2"

// records keeps the results of one analysis in a cache.
type records struct {
	cache    Cache
	settings string // digest of the analyzers and limits
}

func newRecords(c Cache, analyzers []Analyzer, limits boltseal.Limits) *records {
	if c == nil {
		return nil
	}
	var parts []string
	for _, a := range analyzers {
		i := a.Info()
		parts = append(parts, cacheKey("a", i.ID, fmt.Sprint(i.Version), i.Options))
	}
	slices.Sort(parts)
	return &records{cache: c, settings: cacheKey("s", append(parts, recordVersion, fmt.Sprintf("%+v", limits))...)}
}

func (r *records) layerKey(l *Layer) string {
	return cacheKey("layer", string(l.DiffID), r.settings, tocKey(l))
}

// layer returns the record of a layer, nil if there is none that fits. A record
// fits if it was made from the very blob that the image names: an image that
// names the diffID of another's layer but other bytes must be read.
func (r *records) layer(ctx context.Context, l *Layer) *tree.Record {
	if r == nil || l.DiffID == "" || l.FS != nil || l.Unreadable != "" {
		return nil
	}
	b, err := r.cache.Get(ctx, r.layerKey(l))
	if err != nil || b == nil {
		return nil // a cache that fails costs time, not results
	}
	rec, err := tree.ParseRecord(b)
	if err != nil || rec.DiffID != string(l.DiffID) {
		return nil
	}
	if l.Digest != "" && !slices.Contains(rec.Blobs, string(l.Digest)) {
		return nil
	}
	return rec
}

// keepLayer stores a record. It must be verified.
func (r *records) keepLayer(ctx context.Context, l *Layer, rec *tree.Record) error {
	if r == nil || l.DiffID == "" || l.FS != nil {
		return nil
	}
	return r.cache.Put(ctx, r.layerKey(l), rec.Marshal())
}

// imageRecord is an [Inventory] without its [Image].
type imageRecord struct {
	Distros  []boltseal.Distro // the tree's first, if it has one
	HasOwn   bool
	Packages []boltseal.Package
	// Distro says per package which of Distros it belongs to; 0 is none.
	Distro   []int
	Findings []boltseal.Finding
	Skipped  []boltseal.Skip
	Layers   []layerRecord
	Complete bool
}

type layerRecord struct {
	Stats    LayerStats
	Encoding string
}

// imageKey is empty for an image that cannot be known by its digests.
func (r *records) imageKey(img *Image, analyzers []Analyzer) string {
	if r == nil || len(img.Layers) == 0 {
		return ""
	}
	parts := []string{r.settings}
	for _, a := range analyzers { // joins run in this order
		parts = append(parts, a.Info().ID)
	}
	for i := range img.Layers {
		l := &img.Layers[i]
		if l.DiffID == "" || l.FS != nil || l.Unreadable != "" {
			return ""
		}
		parts = append(parts, string(l.DiffID), string(l.Digest), fmt.Sprint(l.Size), l.MediaType, tocKey(l))
	}
	return cacheKey("image", parts...)
}

// image returns what is known of an image, nil if nothing is.
func (r *records) image(ctx context.Context, key string, img *Image) *findings {
	if key == "" {
		return nil
	}
	b, err := r.cache.Get(ctx, key)
	if err != nil || b == nil {
		return nil
	}
	var rec imageRecord
	if wire.Unmarshal(b, &rec) != nil || len(rec.Layers) != len(img.Layers) || len(rec.Distro) != len(rec.Packages) || rec.HasOwn && len(rec.Distros) == 0 {
		return nil
	}
	for i, d := range rec.Distro {
		if d < 0 || d > len(rec.Distros) {
			return nil
		}
		if d > 0 {
			rec.Packages[i].Distro = &rec.Distros[d-1]
		}
	}
	f := &findings{packages: rec.Packages, findings: rec.Findings, skipped: rec.Skipped, complete: rec.Complete}
	if rec.HasOwn {
		f.distro = &rec.Distros[0]
	}
	for _, l := range rec.Layers {
		f.layers = append(f.layers, LayerInfo{Stats: l.Stats, Encoding: l.Encoding, Verified: true, Cached: true})
	}
	return f
}

func (r *records) keepImage(ctx context.Context, key string, f *findings) error {
	if key == "" {
		return nil
	}
	rec := imageRecord{
		Packages: slices.Clone(f.packages), Distro: make([]int, len(f.packages)),
		Findings: f.findings, Skipped: f.skipped, Complete: f.complete,
	}
	index := map[*boltseal.Distro]int{}
	number := func(d *boltseal.Distro) int {
		if d == nil {
			return 0
		}
		if index[d] == 0 {
			rec.Distros = append(rec.Distros, *d)
			index[d] = len(rec.Distros)
		}
		return index[d]
	}
	rec.HasOwn = number(f.distro) > 0
	for i := range rec.Packages {
		rec.Distro[i] = number(rec.Packages[i].Distro)
		rec.Packages[i].Distro = nil
	}
	for i := range f.layers {
		rec.Layers = append(rec.Layers, layerRecord{f.layers[i].Stats, f.layers[i].Encoding})
	}
	size := 0
	for i := range rec.Packages {
		size += 512
		for _, f := range rec.Packages[i].Files { // most of the record
			size += len(f) + 1
		}
	}
	return r.cache.Put(ctx, key, wire.Marshal(&rec, size))
}
