package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/boltseal/boltseal/image"
	"github.com/boltseal/boltseal/internal/bare"
	"github.com/boltseal/boltseal/sbom"
)

// cpu is the processor time of this process so far.
func cpu(b *testing.B) time.Duration {
	var u unix.Rusage
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
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
		b.Run(ref, func(b *testing.B) {
			img := benchImage(b, ref)
			var ours, floor time.Duration
			var packages int
			for b.Loop() {
				runtime.GC()
				t := cpu(b)
				inv, err := image.Analyze(b.Context(), img, nil, sbom.Analyzers()...)
				require.NoError(b, err)
				ours += cpu(b) - t
				packages = len(inv.Packages)
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
			b.ReportMetric(float64(packages), "packages")
		})
	}
}

// BenchmarkAgain makes the bill of materials of an image whose layers are
// known: with the image itself known, and with it forgotten, which is what any
// image with one new layer pays beside that layer.
func BenchmarkAgain(b *testing.B) {
	img := benchImage(b, "oci-archive:big.oci.tar")
	for _, kind := range []string{"same image", "layers only"} {
		b.Run(kind, func(b *testing.B) {
			o := &image.AnalyzeOptions{Cache: image.NewMemoryCache(1 << 30)}
			_, err := image.Analyze(b.Context(), img, o, sbom.Analyzers()...)
			require.NoError(b, err)
			if kind == "layers only" {
				o.Cache = layersOnly{o.Cache}
			}
			runtime.GC()
			t := cpu(b)
			for b.Loop() {
				_, err := image.Analyze(b.Context(), img, o, sbom.Analyzers()...)
				require.NoError(b, err)
			}
			b.ReportMetric(float64((cpu(b)-t).Microseconds())/1000/float64(b.N), "cpu-ms/op")
		})
	}
}

// layersOnly forgets whole images.
type layersOnly struct{ image.Cache }

func (c layersOnly) Get(ctx context.Context, key string) ([]byte, error) {
	if strings.HasPrefix(key, "image-") {
		return nil, nil
	}
	return c.Cache.Get(ctx, key)
}
