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
	if len(img.Layers) > a.limits.Layers {
		return nil, fmt.Errorf("analyze image %q: %d layers: %w of %d (Limits.Layers)", img.Name, len(img.Layers), boltseal.ErrLimit, a.limits.Layers)
	}
	return a.run(ctx)
}

type analysis struct {
	img       *Image
	limits    boltseal.Limits
	options   *AnalyzeOptions
	analyzers []Analyzer
	results   []layerResult
	errs      []error
}

func (a *analysis) run(ctx context.Context) (*Inventory, error) {
	if err := a.readLayers(ctx); err != nil {
		return nil, fmt.Errorf("analyze image %q: %w", a.img.Name, err)
	}
	sq := tree.NewSquash(a.limits)
	errs := slices.Clone(a.errs)
	for i := range a.results {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("analyze image %q: %w", a.img.Name, err)
		}
		if err := sq.Apply(a.results[i].rec); err != nil {
			errs = append(errs, &boltseal.Error{Op: "squash layer", Location: boltseal.Location{Layer: layerName(&a.img.Layers[i])}, Err: err})
		}
	}
	t := sq.Finish()
	a.join(ctx, t)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("analyze image %q: %w", a.img.Name, err)
	}
	return a.inventory(t, errs), errors.Join(errs...)
}

// readLayers fills in results and errs, one of each per layer. It returns an
// error only if the context ends.
func (a *analysis) readLayers(ctx context.Context) error {
	layers := a.img.Layers
	a.results, a.errs = make([]layerResult, len(layers)), make([]error, len(layers))
	runner := scan.New(a.analyzers, a.limits)
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
			r := &layerReader{runner: runner, limits: a.limits, observer: a.options.Observer}
			defer r.inflate.close()
			for i := range jobs {
				l := &layers[i]
				a.options.Observer.Start(layerName(l), max(0, l.Size))
				a.results[i], a.errs[i] = r.read(ctx, l)
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

// join lets the analyzers that need several files look at the finished tree.
func (a *analysis) join(ctx context.Context, t *tree.Tree) {
	for _, an := range a.analyzers {
		j, ok := an.(boltseal.Joiner)
		if !ok {
			continue
		}
		id := an.Info().ID
		res, err := runJoin(ctx, j, t, a.limits)
		for i := range res.Skipped {
			res.Skipped[i].Rule = cmp.Or(res.Skipped[i].Rule, id)
		}
		if err != nil {
			res.Skipped = append(res.Skipped, boltseal.Skip{Rule: id, Reason: err.Error()})
		}
		t.Add(&res)
	}
}

func runJoin(ctx context.Context, j boltseal.Joiner, v boltseal.View, limits boltseal.Limits) (res boltseal.Results, err error) {
	p := &boltseal.Pass{Limits: limits}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the analyzer panicked: %v", r)
		}
		res = p.Results
	}()
	return res, j.Join(ctx, v, p)
}

func (a *analysis) inventory(t *tree.Tree, errs []error) *Inventory {
	img := a.img
	inv := &Inventory{Image: img, Distro: t.Distro()}
	for _, p := range t.Packages() {
		inv.Packages = append(inv.Packages, *p)
	}
	slices.SortStableFunc(inv.Packages, func(x, y boltseal.Package) int {
		return cmp.Or(strings.Compare(x.PURL, y.PURL), strings.Compare(firstPath(&x), firstPath(&y)))
	})
	inv.Findings = append(slices.Clone(img.Findings), t.Findings...)
	inv.Skipped = slices.Clone(img.Notes)
	brought := map[string]int{}
	for i := range inv.Packages {
		if l := inv.Packages[i].Locations; len(l) > 0 {
			brought[l[0].Layer]++
		}
	}
	for i := range a.results {
		r, l, st := &a.results[i], &img.Layers[i], &t.Stats[min(i, len(t.Stats)-1)]
		inv.Findings = append(inv.Findings, r.findings...)
		for _, n := range r.rec.Notes {
			n.Layer = string(l.DiffID)
			inv.Skipped = append(inv.Skipped, n)
		}
		if err := a.errs[i]; err != nil {
			inv.Skipped = append(inv.Skipped, boltseal.Skip{Layer: layerName(l), Reason: cause(err)})
		}
		for _, odd := range st.Odd {
			inv.Skipped = append(inv.Skipped, oddNote(layerName(l), odd))
		}
		if f, ok := ambiguous(l, st.Ambiguous); ok {
			inv.Findings = append(inv.Findings, f)
		}
		inv.Layers = append(inv.Layers, LayerInfo{
			Layer: l, Stats: LayerStats{
				Files: st.Files, Bytes: st.Bytes, TarBytes: r.rec.Size, Compressed: r.compressed,
				Entries: r.rec.Entries.N, Whiteouts: r.rec.Marks.N,
				Added: st.Added, Modified: st.Modified, Removed: st.Removed, Wasted: st.Wasted,
				Packages: brought[r.rec.DiffID], Brought: t.Brought[min(i, len(t.Brought)-1)], Dropped: t.Dropped[min(i, len(t.Dropped)-1)],
			},
			Verified: r.verified, Encoding: r.encoding,
		})
	}
	inv.Skipped = append(inv.Skipped, t.Skipped...)
	inv.Complete = len(errs) == 0 || errors.Join(errs...) == nil
	for _, s := range inv.Skipped {
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
		Kind: boltseal.KindIntegrity, Rule: "image/ambiguous-layer", Severity: boltseal.SeverityLow,
		Title:       "Container engines do not agree on what this layer does",
		Description: "Engines that unpack a layer onto the merged tree and engines that unpack it beside the lower layers (overlay file systems) end with different trees. This report follows the OCI image specification.",
		Fix:         "Rebuild the layer with entries for all parent folders, and without deleting and bringing a path in one layer.",
		Fingerprint: boltseal.Fingerprint("integrity", "image/ambiguous-layer", list[0].Path),
	}
	for _, o := range list {
		f.Locations = append(f.Locations, boltseal.Location{Layer: layerName(l), Path: o.Path})
		if o.Count > 0 {
			f.Evidence = append(f.Evidence, boltseal.Evidence{Detail: fmt.Sprintf("%s (%d)", o.What, o.Count)})
		}
	}
	return f, true
}
