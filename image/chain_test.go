package image

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// spyCache counts which kinds of keys are asked for with success.
type spyCache struct {
	Cache
	mu   sync.Mutex
	hits map[string]int
	bad  string // kind of records that come back damaged
}

func (c *spyCache) Get(ctx context.Context, key string) ([]byte, error) {
	b, err := c.Cache.Get(ctx, key)
	kind, _, _ := strings.Cut(key, "-")
	c.mu.Lock()
	defer c.mu.Unlock()
	if b != nil {
		c.hits[kind]++
		if kind == c.bad {
			b = append([]byte(nil), b...)
			b[len(b)/2] ^= 1
		}
	}
	return b, err
}

// manyFiles is a layer that is worth a chain: a package in each of some
// folders, and what else a layer can do.
func manyFiles(t *testing.T, n int, prefix string) []byte {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for i := range n {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: fmt.Sprintf("%s/%d/%d", prefix, i%7, i), Mode: 0o644}))
	}
	for i := range 20 {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: fmt.Sprintf("etc/%s%d", prefix, i), Mode: 0o644, Size: 1}))
		_, err := w.Write([]byte("x"))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return buf.Bytes()
}

// entriesTar makes a layer of empty files, and of hard links: name>target.
func entriesTar(t *testing.T, names ...string) []byte {
	var headers []*tar.Header
	for _, name := range names {
		h := &tar.Header{Name: name, Mode: 0o644}
		if name, target, ok := strings.Cut(name, ">"); ok {
			h.Name, h.Linkname, h.Typeflag = name, target, tar.TypeLink
		}
		headers = append(headers, h)
	}
	return layerTar(t, headers...)
}

// TestChains puts new layers on known ones: the result is that of reading it
// all, whatever the cache knows and however damaged it is.
func TestChains(t *testing.T) {
	low, mid := manyFiles(t, worthwhile, "low"), manyFiles(t, 10, "mid")
	tops := [][]byte{
		entriesTar(t, "etc/.wh.low1", "new"),
		entriesTar(t, "low/.wh..wh..opq", "low/1/1", "etc/x"),
		entriesTar(t, "hard>etc/mid2", "etc/.wh.mid2"),
		entriesTar(t, ".wh.etc", "mid/3/3>low/3/3", "mid/3"),
	}
	cache := &spyCache{Cache: NewMemoryCache(1 << 30), hits: map[string]int{}}
	analyze := func(c Cache, layers ...[]byte) *Inventory {
		img := &Image{}
		for _, l := range layers {
			img.Layers = append(img.Layers, blobLayer(l, l))
		}
		inv, err := Analyze(t.Context(), img, &AnalyzeOptions{Cache: c}, finder{})
		require.NoError(t, err)
		inv.Image = nil
		for i := range inv.Layers {
			inv.Layers[i].Layer, inv.Layers[i].Cached = nil, false
		}
		return inv
	}
	analyze(cache, low, mid)
	require.Empty(t, cache.hits, "nothing is known, and a first image makes no chain")
	for i, l := range tops {
		want := analyze(nil, low, mid, l)
		require.Equal(t, want, analyze(cache, low, mid, l))
		require.Equal(t, i, cache.hits["chain"], "the second image of a chain makes it, the third has it")
	}
	for i, bad := range []string{"chain", "layer"} {
		cache.bad = bad
		l := entriesTar(t, fmt.Sprintf("etc/again%d", i))
		require.Equal(t, analyze(nil, low, mid, l), analyze(cache, low, mid, l), "damaged %s", bad)
	}
}
