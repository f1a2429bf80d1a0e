package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	digest "github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/examples/internal/images"
	"github.com/boltseal/boltseal/image"
	"github.com/boltseal/boltseal/internal/bare"
	"github.com/boltseal/boltseal/sbom"
	"github.com/boltseal/boltseal/secrets"
)

// cpu is the processor time of this process so far.
func cpu(b *testing.B) time.Duration {
	d, err := bare.CPU()
	require.NoError(b, err)
	return d
}

func benchImage(b *testing.B, ref string) *image.Image {
	dir := os.Getenv("BOLTSEAL_IMAGES")
	if dir == "" {
		b.Skip("BOLTSEAL_IMAGES is not set")
	}
	transport, name, _ := strings.Cut(ref, ":")
	img, err := image.Open(b.Context(), transport+":"+filepath.Join(dir, name), nil)
	require.NoError(b, err)
	b.Cleanup(func() { img.Close() })
	return img
}

// BenchmarkInventory makes the bill of materials of an image and compares it,
// in turns, with inflating, walking and hashing the same bytes and nothing else.
func BenchmarkInventory(b *testing.B) {
	for _, ref := range []string{"oci-archive:deb4.oci.tar", "oci-archive:big.oci.tar", "docker-archive:big.docker.tar"} {
		b.Run(ref, func(b *testing.B) { benchAnalyze(b, ref, sbom.Analyzers()) })
	}
}

// BenchmarkSecrets does the same, and looks for secrets in the same pass.
func BenchmarkSecrets(b *testing.B) {
	for _, ref := range []string{"oci-archive:deb4.oci.tar", "oci-archive:big.oci.tar"} {
		b.Run(ref, func(b *testing.B) {
			all := append(sbom.Analyzers(), secrets.New(&secrets.Options{Salt: []byte("bench"), Decompress: images.Decompress()}))
			benchAnalyze(b, ref, all)
		})
	}
}

func benchAnalyze(b *testing.B, ref string, analyzers []image.Analyzer) {
	img := benchImage(b, ref)
	var ours, floor time.Duration
	var inv *image.Inventory
	for b.Loop() {
		runtime.GC()
		t := cpu(b)
		var err error
		inv, err = image.Analyze(b.Context(), img, nil, analyzers...)
		require.NoError(b, err)
		ours += cpu(b) - t
		runtime.GC()
		t = cpu(b)
		for _, l := range img.Layers {
			blob, err := l.Open(b.Context())
			require.NoError(b, err)
			_, err = bare.Read(struct{ io.Reader }{blob})
			require.NoError(b, err)
			require.NoError(b, blob.Close())
		}
		floor += cpu(b) - t
	}
	b.ReportMetric(ours.Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(ours.Seconds()/floor.Seconds(), "x-floor")
	b.ReportMetric(float64(len(inv.Packages)), "packages")
	b.ReportMetric(float64(len(inv.Findings)), "findings")
}

// BenchmarkAgain makes the bill of materials of an image whose layers are
// known: of the image itself, and of one with a new layer on top, of one small
// file. Before, one image more with such a layer was seen, as happens when an
// image is built again and again: from then on the tree below is known too.
func BenchmarkAgain(b *testing.B) {
	img := benchImage(b, "oci-archive:big.oci.tar")
	cache := image.NewMemoryCache(1 << 30)
	o := &image.AnalyzeOptions{Cache: cache}
	analyze := func(b *testing.B, img *image.Image) *image.Inventory {
		inv, err := image.Analyze(b.Context(), img, o, sbom.Analyzers()...)
		require.NoError(b, err)
		return inv
	}
	packages := len(analyze(b, img).Packages)
	b.Run("same image", func(b *testing.B) {
		runtime.GC()
		t := cpu(b)
		for b.Loop() {
			require.Len(b, analyze(b, img).Packages, packages)
		}
		b.ReportMetric(float64((cpu(b)-t).Microseconds())/1000/float64(b.N), "cpu-ms/op")
	})
	for i, name := range []string{"first new layer", "new layer"} {
		b.Run(name, func(b *testing.B) {
			if i == 0 {
				o.Cache = layersOnly{cache}
			} else {
				o.Cache = cache
				analyze(b, rebuilt(b, img))
			}
			var sum time.Duration
			for b.Loop() {
				again := rebuilt(b, img)
				runtime.GC()
				t := cpu(b)
				inv := analyze(b, again)
				sum += cpu(b) - t
				require.Len(b, inv.Packages, packages)
				require.True(b, inv.Layers[0].Cached)
			}
			b.ReportMetric(float64(sum.Microseconds())/1000/float64(b.N), "cpu-ms/op")
		})
	}
}

// layersOnly forgets everything but layers.
type layersOnly struct{ image.Cache }

func (c layersOnly) Get(ctx context.Context, key string) ([]byte, error) {
	if !strings.HasPrefix(key, "layer-") {
		return nil, nil
	}
	return c.Cache.Get(ctx, key)
}

// rebuilt is the image with a layer of its own on top.
func rebuilt(b *testing.B, img *image.Image) *image.Image {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	text := rand.Text()
	require.NoError(b, w.WriteHeader(&tar.Header{Name: "srv/build-id", Mode: 0o644, Size: int64(len(text))}))
	_, err := io.WriteString(w, text)
	require.NoError(b, err)
	require.NoError(b, w.Close())
	out := *img
	out.Layers = append(slices.Clone(img.Layers), image.Layer{
		Index: len(img.Layers), DiffID: digest.FromBytes(buf.Bytes()), Size: int64(buf.Len()),
		Blob: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil },
	})
	return &out
}
