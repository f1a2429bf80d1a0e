package image

import (
	"context"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// verbose finds a package, a secret and two bytes of facts in every file.
type verbose struct{}

func (verbose) Info() boltseal.Info            { return boltseal.Info{ID: "test/verbose", Version: 1} }
func (verbose) Wants(string, fs.DirEntry) bool { return true }
func (verbose) AnalyzeFile(_ context.Context, f *boltseal.File, p *boltseal.Pass) error {
	p.Package(boltseal.Package{Type: "generic", Name: f.Path})
	p.Finding(boltseal.Finding{Kind: boltseal.KindSecret, Rule: "test/verbose", Title: f.Path, Fingerprint: f.Path})
	p.Fact("test", []byte("12"))
	return nil
}

// TestResultsBounded limits what is found by layer and by image, and by image
// whether the layers were read or known.
func TestResultsBounded(t *testing.T) {
	low, high := layerTar(t, fileNamed("a"), fileNamed("b")), layerTar(t, fileNamed("c"))
	for name, c := range map[string]struct {
		limits boltseal.Limits
		found  int // files
		says   string
	}{
		"none":         {boltseal.Limits{LayerResults: 6, ImageResults: 9, LayerFactBytes: 4, ImageFactBytes: 6}, 3, ""},
		"layer":        {boltseal.Limits{LayerResults: 5}, 2, "Limits.LayerResults"},
		"layer facts":  {boltseal.Limits{LayerFactBytes: 3}, 2, "Limits.LayerFactBytes"},
		"image":        {boltseal.Limits{ImageResults: 8}, 2, "Limits.ImageResults"},
		"image facts":  {boltseal.Limits{ImageFactBytes: 5}, 2, "Limits.ImageFactBytes"},
		"nothing fits": {boltseal.Limits{ImageResults: 2}, 0, "Limits.ImageResults"},
	} {
		t.Run(name, func(t *testing.T) {
			// Before, each layer is seen by itself, where it has more room.
			o := &AnalyzeOptions{Cache: NewMemoryCache(1 << 20), Limits: c.limits, Parallel: 1}
			for _, cached := range []bool{false, true} {
				inv, err := Analyze(t.Context(), &Image{Layers: []Layer{blobLayer(low, low), blobLayer(high, high)}}, o, verbose{})
				require.NoError(t, err)
				require.Len(t, inv.Packages, c.found)
				require.Len(t, inv.Findings, c.found)
				require.Equal(t, c.says == "", inv.Complete)
				if c.says != "" {
					require.Contains(t, inv.Skipped[0].Reason, c.says)
					require.Contains(t, inv.Skipped[0].Reason, boltseal.ErrLimit.Error())
					require.NotEmpty(t, inv.Skipped[0].Path)
				}
				if !cached {
					for _, l := range [][]byte{low, high} {
						_, err := Analyze(t.Context(), &Image{Layers: []Layer{blobLayer(l, l)}}, o, verbose{})
						require.NoError(t, err)
					}
				}
			}
		})
	}
}

// The names of all layers together have a bound too, known or not.
func TestImageNamesBounded(t *testing.T) {
	low, high := layerTar(t, fileNamed("a")), layerTar(t, fileNamed("b"))
	c := NewMemoryCache(1 << 20)
	for range 2 {
		o := &AnalyzeOptions{Cache: c, Limits: boltseal.Limits{ImageNameBytes: 10}, Parallel: 1}
		inv, err := Analyze(t.Context(), &Image{Layers: []Layer{blobLayer(low, low), blobLayer(high, high)}}, o, finder{})
		require.ErrorIs(t, err, boltseal.ErrLimit)
		require.ErrorContains(t, err, "Limits.ImageNameBytes")
		require.False(t, inv.Complete)
		require.NotEmpty(t, inv.Packages)
	}
}

// TestHiddenFindings follows a secret into layers above that delete it, replace
// it, hide its folder, or link to it: where it lies and who hides it is the same
// from the layers, from their records, from a chain and from the image's record.
func TestHiddenFindings(t *testing.T) {
	low := manyFiles(t, worthwhile, "low") // etc/low0 and on
	digests := map[string]string{}
	layer := func(name string, names ...string) Layer {
		raw := entriesTar(t, names...)
		l := blobLayer(raw, raw)
		digests[name] = string(l.DiffID)
		return l
	}
	base := blobLayer(low, low)
	upper := []Layer{layer("deletes", "etc/.wh.low0"), layer("replaces", "etc/low1"), layer("links", "srv/kept>etc/low2"), layer("unlinks", "etc/.wh.low2"), layer("opaque", "etc/.wh..wh..opq", "etc/new")}
	want := map[string]string{"etc/low0": "deletes", "etc/low1": "replaces", "srv/kept": "", "etc/low3": "opaque", "etc/low4": "opaque", "upper etc/low1": "opaque", "upper etc/new": ""}
	cache := &spyCache{Cache: NewMemoryCache(1 << 30), hits: map[string]int{}}
	for _, round := range []string{"read", "image known", "chain made", "chain used"} {
		layers := append([]Layer{base}, upper...)
		if strings.HasPrefix(round, "chain") { // an image of its own above
			layers = append(layers, layer(round, "srv/"+round))
		}
		inv, err := Analyze(t.Context(), &Image{Layers: layers}, &AnalyzeOptions{Cache: cache}, verbose{})
		require.NoError(t, err)
		got := map[string]string{}
		for _, f := range inv.Findings {
			if f.Rule == "test/verbose" {
				l := f.Locations[0]
				if l.Layer != string(base.DiffID) {
					l.Path = "upper " + l.Path
				}
				got[l.Path] = l.HiddenBy
			}
		}
		for path, by := range want {
			hiddenBy, ok := got[path]
			require.True(t, ok, "%s: %s is lost", round, path)
			require.Equal(t, digests[by], hiddenBy, "%s: %s", round, path)
		}
	}
	require.Equal(t, 1, cache.hits["chain"])
	require.Equal(t, 1, cache.hits["image"])
}
