package image

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

func TestCaches(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]Cache{"memory": NewMemoryCache(10), "dir": &DirCache{Dir: filepath.Join(dir, "made"), MaxBytes: 10}} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			b, err := c.Get(ctx, "absent")
			require.NoError(t, err)
			require.Nil(t, b)
			require.NoError(t, c.Put(ctx, "one", []byte("12345")))
			require.NoError(t, c.Put(ctx, "one", []byte("1234")))
			require.NoError(t, c.Put(ctx, "two", []byte("123456")))
			b, err = c.Get(ctx, "one")
			require.NoError(t, err)
			require.Equal(t, "1234", string(b))
			require.NoError(t, c.Put(ctx, "three", []byte("1234")))
			b, err = c.Get(ctx, "three")
			require.NoError(t, err)
			require.Equal(t, "1234", string(b))
			b, err = c.Get(ctx, "two")
			require.NoError(t, err)
			require.Nil(t, b, "it was not used for the longest time")
		})
	}
	_, err := (&DirCache{Dir: dir}).Get(t.Context(), "../x")
	require.Error(t, err)
}

// countingLayer counts how often a layer is opened.
func countingLayer(l Layer, n *int) Layer {
	open := l.Blob
	l.Blob = func(ctx context.Context) (io.ReadCloser, error) { *n++; return open(ctx) }
	return l
}

func TestCachedLayers(t *testing.T) {
	a, b := layerTar(t, fileNamed("a")), layerTar(t, fileNamed("b"))
	opened := 0
	low, high := countingLayer(blobLayer(gz(t, a), a), &opened), countingLayer(blobLayer(b, b), &opened)
	dir := t.TempDir()
	o := &AnalyzeOptions{Cache: &DirCache{Dir: dir}}
	run := func(layers ...Layer) *Inventory {
		inv, err := Analyze(t.Context(), &Image{Layers: layers}, o, finder{})
		require.NoError(t, err)
		require.True(t, inv.Complete)
		return inv
	}
	first := run(low)
	require.Equal(t, 1, opened)
	again := run(low)
	require.Equal(t, 1, opened, "the image is known")
	require.True(t, again.Layers[0].Cached)
	require.Equal(t, first.Packages, again.Packages)
	require.Equal(t, first.Layers[0].Stats, again.Layers[0].Stats)
	require.Len(t, run(low, high).Packages, 2)
	require.Equal(t, 2, opened, "only the new layer is read")

	// Another blob that claims the same diffID is not believed.
	evil := countingLayer(blobLayer(b, b), &opened)
	evil.DiffID = low.DiffID
	_, err := Analyze(t.Context(), &Image{Layers: []Layer{evil}}, o, finder{})
	require.ErrorIs(t, err, boltseal.ErrMalformed)
	require.Equal(t, 3, opened)

	// Damaged records are as if they were not there.
	files, err := filepath.Glob(filepath.Join(dir, "*"+cacheSuffix))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		data, err := os.ReadFile(f)
		require.NoError(t, err)
		data[len(data)/2] ^= 1
		require.NoError(t, os.WriteFile(f, data, 0o600))
	}
	require.Equal(t, first.Packages, run(low).Packages)
	require.Equal(t, 4, opened)
}
