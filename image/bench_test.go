package image

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/bare"
)

// cpu is the processor time of this process so far.
func cpu(b *testing.B) time.Duration {
	var u unix.Rusage
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func openBench(b *testing.B, ref string) *Image {
	dir := os.Getenv("BOLTSEAL_IMAGES")
	if dir == "" {
		b.Skip("BOLTSEAL_IMAGES is not set: it names the folder that shared/scripts/build-images.sh filled")
	}
	transport, name, _ := strings.Cut(ref, ":")
	img, err := Open(b.Context(), transport+":"+filepath.Join(dir, name), nil)
	require.NoError(b, err)
	b.Cleanup(func() { img.Close() })
	return img
}

// pickers want about what package analyzers want: databases by name, manifests
// of language packages, the heads of executables, archives with random access.
type picker struct{}

func (picker) Info() boltseal.Info { return boltseal.Info{ID: "test/picker", Version: 1} }

func (picker) Wants(name string, d fs.DirEntry) bool {
	switch path.Base(name) {
	case "status", "package.json", "METADATA", "PKG-INFO", "os-release", "RECORD":
		return true
	}
	switch path.Ext(name) {
	case ".jar", ".list", ".md5sums":
		return true
	}
	info, err := d.Info()
	return err == nil && info.Mode()&0o111 != 0
}

func (picker) AnalyzeFile(_ context.Context, f *boltseal.File, p *boltseal.Pass) error {
	head, err := f.Head(4)
	if err != nil {
		return err
	}
	switch {
	case bytes.HasPrefix(head, []byte("PK")):
		at, size, err := f.ReaderAt()
		if err != nil {
			return err
		}
		_, err = at.ReadAt(make([]byte, min(size, 64<<10)), size-min(size, 64<<10))
		return err
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		_, err := io.Copy(io.Discard, f.Reader())
		return err
	}
	b, err := f.Bytes()
	if err == nil && strings.HasSuffix(f.Path, ".list") {
		p.Fact("list", b)
	}
	return err
}

// BenchmarkCold compares Analyze with the least that anybody could do: for
// gzip, a bare klauspost inflate, a walk of the tar and both digests of the
// same bytes; for a plain archive, a walk and one digest. The two alternate.
func BenchmarkCold(b *testing.B) {
	for _, ref := range []string{"oci-archive:deb4.oci.tar", "oci-archive:big.oci.tar", "docker-archive:big.docker.tar"} {
		b.Run(ref, func(b *testing.B) {
			img := openBench(b, ref)
			var ours, floor time.Duration
			bytes := int64(0)
			for b.Loop() {
				runtime.GC()
				t := cpu(b)
				inv, err := Analyze(b.Context(), img, nil, picker{})
				require.NoError(b, err)
				ours += cpu(b) - t
				runtime.GC()
				t = cpu(b)
				for i := range img.Layers {
					readBare(b, &img.Layers[i])
					bytes += inv.Layers[i].Stats.TarBytes
				}
				floor += cpu(b) - t
			}
			b.ReportMetric(ours.Seconds()/float64(b.N), "cpu-s/op")
			b.ReportMetric(ours.Seconds()/floor.Seconds(), "x-floor")
			b.ReportMetric(float64(bytes)/1e6/ours.Seconds(), "MB/cpu-s")
		})
	}
}

func readBare(b *testing.B, l *Layer) {
	blob, err := l.Open(b.Context())
	require.NoError(b, err)
	defer blob.Close()
	_, err = bare.Read(struct{ io.Reader }{blob})
	require.NoError(b, err)
}

// BenchmarkCached analyzes an image that the cache knows, and one of which it
// knows all layers but the image itself.
func BenchmarkCached(b *testing.B) {
	img := openBench(b, "oci-archive:big.oci.tar")
	for _, kind := range []string{"same image", "layers only"} {
		b.Run(kind, func(b *testing.B) {
			o := &AnalyzeOptions{Cache: NewMemoryCache(1 << 30)}
			_, err := Analyze(b.Context(), img, o, picker{})
			require.NoError(b, err)
			if kind == "layers only" {
				o.Cache = layersOnly{o.Cache}
			}
			runtime.GC()
			t := cpu(b)
			for b.Loop() {
				inv, err := Analyze(b.Context(), img, o, picker{})
				require.NoError(b, err)
				require.True(b, inv.Layers[0].Cached)
			}
			b.ReportMetric(float64((cpu(b)-t).Microseconds())/1000/float64(b.N), "cpu-ms/op")
		})
	}
}

// layersOnly forgets whole images.
type layersOnly struct{ Cache }

func (c layersOnly) Get(ctx context.Context, key string) ([]byte, error) {
	if strings.HasPrefix(key, "image-") {
		return nil, nil
	}
	return c.Cache.Get(ctx, key)
}

// BenchmarkPeak reports the most memory that Analyze holds: the growth of the
// process's peak is only true for the first benchmark of a process.
func BenchmarkPeak(b *testing.B) {
	img := openBench(b, "oci-archive:big.oci.tar")
	debug.FreeOSMemory()
	for b.Loop() {
		_, err := Analyze(b.Context(), img, nil, picker{})
		require.NoError(b, err)
	}
	var u unix.Rusage
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &u))
	b.ReportMetric(float64(u.Maxrss)/1024, "peak-MB")
}
