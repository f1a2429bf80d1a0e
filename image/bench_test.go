package image

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/boltseal/boltseal"
)

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
