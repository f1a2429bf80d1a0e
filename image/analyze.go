package image

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/scan"
	"github.com/boltseal/boltseal/internal/tree"
)

// Analyzer looks at the files of an image. It is the root's interface.
type Analyzer = boltseal.FileAnalyzer

// AnalyzeOptions are the settings of [Analyze]. Nil and the zero value are
// ready to use.
type AnalyzeOptions struct {
	Limits boltseal.Limits
	// Parallel is how many layers are read at once; 0 is GOMAXPROCS. Each costs
	// about a megabyte, and Limits.FileBytes bounds the large files that
	// analyzers want whole, of all layers together.
	Parallel int
	// Cache keeps what was found in a layer for the next image that has it.
	// Nil: nothing is kept.
	Cache Cache
	// Observer receives progress. Items are layers, by diffID.
	Observer *boltseal.Observer
}

// Analyze reads every layer of the image once and returns what the analyzers
// found in the tree that a container of it would see.
//
// Layers are read in parallel, nothing is written to disk, and memory does not
// depend on the size of layers and files. All digests are verified in the same
// pass. Layers are put on top of each other by the rules of the OCI image
// specification, layer.md.
//
// The error joins those of all layers, each with its place; the inventory that
// comes with it holds what could be read, and its Complete is false. A layer
// whose digests do not fit its bytes contributes nothing. Once ctx ends,
// Analyze returns within 100 ms, unless an analyzer ignores it: those are left
// behind.
//
// Analyze is safe for concurrent use, also on the same image.
func Analyze(ctx context.Context, img *Image, o *AnalyzeOptions, analyzers ...Analyzer) (*Inventory, error) {
	if o == nil {
		o = &AnalyzeOptions{}
	}
	a := &analysis{img: img, limits: o.Limits.WithDefaults(), options: o, analyzers: analyzers}
	if most := min(a.limits.Layers, tree.MaxLayers); len(img.Layers) > most {
		return nil, fmt.Errorf("analyze image %q: %d layers: %w of %d (Limits.Layers)", img.Name, len(img.Layers), boltseal.ErrLimit, most)
	}
	a.records = newRecords(o.Cache, analyzers, a.limits)
	key := a.records.imageKey(img, analyzers)
	if f := a.records.image(ctx, key, img); f != nil {
		return a.inventory(f), ctx.Err()
	}
	f, errs, err := a.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("analyze image %q: %w", img.Name, err)
	}
	if a.lasting(errs) {
		if err := a.records.keepImage(ctx, key, f); err != nil {
			errs = append(errs, fmt.Errorf("cache the results: %w", err))
		}
	}
	return a.inventory(f), errors.Join(errs...)
}

type analysis struct {
	img       *Image
	limits    boltseal.Limits
	options   *AnalyzeOptions
	analyzers []Analyzer
	records   *records
	runner    *scan.Runner
	budget    budget
	results   []layerResult
	errs      []error
	hurried   bool // an analyzer ran out of time in Join
}

// findings are what an analysis gave, and a cache keeps.
type findings struct {
	distro   *boltseal.Distro
	packages []boltseal.Package
	findings []boltseal.Finding
	skipped  []boltseal.Skip
	layers   []LayerInfo
	complete bool
}

// lasting reports whether another run would give the same.
func (a *analysis) lasting(errs []error) bool {
	ok := len(errs) == 0 && !a.hurried
	for i := range a.results {
		ok = ok && a.results[i].verified && !a.results[i].transient
	}
	return ok
}

func (a *analysis) run(ctx context.Context) (*findings, []error, error) {
	if err := a.readLayers(ctx); err != nil {
		return nil, nil, err
	}
	sq, squashErrs, err := a.squash(ctx)
	if err != nil {
		return nil, nil, err
	}
	errs := slices.DeleteFunc(slices.Concat(a.errs, squashErrs), func(err error) bool { return err == nil })
	t := a.join(ctx, sq)
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	return a.collect(t, errs), errs, nil
}

// readLayers fills in results and errs, one of each per layer. It returns an
// error only if the context ends.
func (a *analysis) readLayers(ctx context.Context) error {
	layers := a.img.Layers
	a.results, a.errs = make([]layerResult, len(layers)), make([]error, len(layers))
	a.runner = scan.New(a.analyzers, a.limits)
	// The largest first, so that none is left when the others are done.
	order := make([]int, len(layers))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(layers[j].Size, layers[i].Size) })
	jobs := make(chan int, len(order))
	for _, i := range order {
		jobs <- i
	}
	close(jobs)
	n := a.options.Parallel
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	g, ctx := errgroup.WithContext(ctx)
	for range min(n, len(layers)) {
		g.Go(func() error {
			r := a.reader()
			defer r.inflate.close()
			for i := range jobs {
				l := &layers[i]
				a.options.Observer.Start(layerName(l), max(0, l.Size))
				a.results[i], a.errs[i] = a.layer(ctx, r, l)
				a.options.Observer.Finish(layerName(l), a.errs[i])
				if err := ctx.Err(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// layer takes a layer from the cache, or reads it and puts it there.
func (a *analysis) layer(ctx context.Context, r *layerReader, l *Layer) (layerResult, error) {
	if rec := a.records.layer(ctx, l); rec != nil {
		dropped, err := a.budget.charge(&a.limits, rec)
		if err != nil {
			return layerResult{rec: &tree.Record{DiffID: string(l.DiffID)}}, &boltseal.Error{Op: "read layer", Location: boltseal.Location{Layer: layerName(l)}, Err: err}
		}
		return layerResult{rec: rec, compressed: max(0, l.Size), encoding: rec.Encoding, verified: true, cached: true, transient: dropped, findings: rec.Findings}, nil
	}
	return a.readLayer(ctx, r, l)
}

func (a *analysis) reader() *layerReader {
	return &layerReader{runner: a.runner, limits: a.limits, budget: &a.budget, observer: a.options.Observer}
}

// readLayer reads a layer and puts it into the cache.
func (a *analysis) readLayer(ctx context.Context, r *layerReader, l *Layer) (layerResult, error) {
	res, err := r.read(ctx, l)
	if err == nil && res.verified && !res.transient {
		if err := a.records.keepLayer(ctx, l, res.rec); err != nil {
			return res, fmt.Errorf("cache layer %s: %w", layerName(l), err)
		}
	}
	return res, err
}

// collect brings all results together.
func (a *analysis) collect(t *tree.Tree, errs []error) *findings {
	f := &findings{distro: t.Distro(), findings: t.Findings, complete: len(errs) == 0}
	brought := map[string]int{}
	for _, p := range t.Packages() {
		f.packages = append(f.packages, *p)
		if len(p.Locations) > 0 {
			brought[p.Locations[0].Layer]++
		}
	}
	slices.SortStableFunc(f.packages, func(x, y boltseal.Package) int {
		return cmp.Or(strings.Compare(x.PURL, y.PURL), strings.Compare(firstPath(&x), firstPath(&y)))
	})
	for i := range a.results {
		r, l := &a.results[i], &a.img.Layers[i]
		st := &t.Layers[i]
		f.findings = append(f.findings, r.findings...)
		for _, n := range r.rec.Notes {
			n.Layer = string(l.DiffID)
			f.skipped = append(f.skipped, n)
		}
		if want := claimed(l.MediaType); want != "" && r.encoding != "" && want != r.encoding && r.compressed > 0 {
			f.skipped = append(f.skipped, boltseal.Skip{Layer: layerName(l), Note: true,
				Reason: fmt.Sprintf("the media type %s announces %s, the bytes are %s", l.MediaType, want, r.encoding)})
		}
		if err := a.errs[i]; err != nil {
			f.skipped = append(f.skipped, boltseal.Skip{Layer: layerName(l), Reason: cause(err)})
		}
		for _, odd := range st.Odd {
			f.skipped = append(f.skipped, oddNote(layerName(l), odd))
		}
		if fd, ok := ambiguous(l, st.Ambiguous); ok {
			f.findings = append(f.findings, fd)
		}
		f.layers = append(f.layers, LayerInfo{
			Verified: r.verified, Cached: r.cached, Encoding: r.encoding,
			Stats: LayerStats{
				Entries: r.rec.Entries.N, Whiteouts: r.rec.Marks.N, Files: st.Files,
				Bytes: st.Bytes, TarBytes: r.rec.Size, Compressed: r.compressed,
				Added: st.Added, Modified: st.Modified, Removed: st.Removed, Wasted: st.Wasted,
				Packages: brought[r.rec.DiffID], Brought: st.Brought, Dropped: st.Dropped,
			},
		})
	}
	f.skipped = append(f.skipped, t.Skipped...)
	for _, s := range f.skipped {
		f.complete = f.complete && s.Note
	}
	return f
}

// inventory adds what is known of the image itself.
func (a *analysis) inventory(f *findings) *Inventory {
	inv := &Inventory{
		Image: a.img, Distro: f.distro, Layers: f.layers, Packages: f.packages, Complete: f.complete,
		Findings: slices.Concat(a.img.Findings, f.findings), Skipped: slices.Concat(a.img.Notes, f.skipped),
	}
	for i := range inv.Layers {
		inv.Layers[i].Layer = &a.img.Layers[i]
	}
	for _, s := range a.img.Notes {
		inv.Complete = inv.Complete && s.Note
	}
	return inv
}

func firstPath(p *boltseal.Package) string {
	if len(p.Locations) == 0 {
		return ""
	}
	return p.Locations[0].Path
}

// cause is an error without the place, which a Skip names itself.
func cause(err error) string {
	var e *boltseal.Error
	if errors.As(err, &e) {
		return e.Op + ": " + e.Err.Error()
	}
	return err.Error()
}

func oddNote(layer string, o tree.Oddity) boltseal.Skip {
	s := boltseal.Skip{Layer: layer, Path: o.Path, Reason: o.What, Note: true}
	if o.Count > 1 {
		s.Reason = fmt.Sprintf("%s (%d times in this layer)", s.Reason, o.Count)
	}
	return s
}

// ambiguous makes one finding of all places of a layer that container engines
// unpack differently: a way to show a scanner another tree than the one that
// runs.
func ambiguous(l *Layer, list []tree.Oddity) (f boltseal.Finding, ok bool) {
	if len(list) == 0 {
		return f, false
	}
	f = boltseal.Finding{
		Kind: boltseal.KindIntegrity, Rule: RuleAmbiguousLayer, Severity: boltseal.SeverityLow,
		Title:       "Container engines do not agree on what this layer does",
		Description: "Engines that unpack a layer onto the merged tree and engines that unpack it beside the lower layers (overlay file systems) end with different trees. This report follows the OCI image specification.",
		Fix:         "Rebuild the layer with entries for all parent folders, and without deleting and bringing a path in one layer.",
		Fingerprint: boltseal.Fingerprint("integrity", RuleAmbiguousLayer, list[0].Path),
	}
	for _, o := range list {
		f.Locations = append(f.Locations, boltseal.Location{Layer: layerName(l), Path: o.Path})
		if o.Count > 0 {
			f.Evidence = append(f.Evidence, boltseal.Evidence{Detail: fmt.Sprintf("%s (%d)", o.What, o.Count)})
		}
	}
	return f, true
}
