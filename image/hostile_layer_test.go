package image

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	digest "github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// blobLayer is a layer over bytes in memory whose digests fit.
func blobLayer(blob, plain []byte) Layer {
	return Layer{
		Digest: digest.FromBytes(blob), DiffID: digest.FromBytes(plain), Size: int64(len(blob)),
		Blob: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(blob)), nil },
	}
}

func layerTar(t testing.TB, headers ...*tar.Header) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		require.NoError(t, w.WriteHeader(h))
		_, err := w.Write(bytes.Repeat([]byte("x"), int(h.Size)))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

func fileNamed(name string) *tar.Header {
	return &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: 4}
}

func gz(t testing.TB, b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func zst(t testing.TB, b []byte, o ...zstd.EOption) []byte {
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out, o...)
	require.NoError(t, err)
	_, err = w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

// finder finds a package per file that it sees.
type finder struct{}

func (finder) Info() boltseal.Info            { return boltseal.Info{ID: "test/finder", Version: 1} }
func (finder) Wants(string, fs.DirEntry) bool { return true }
func (finder) AnalyzeFile(_ context.Context, f *boltseal.File, p *boltseal.Pass) error {
	_, err := io.Copy(io.Discard, f.Reader())
	p.Package(boltseal.Package{Type: "generic", Name: f.Path, Version: "1", PURL: "pkg:generic/" + f.Path})
	return err
}

// TestHostile runs layers that lie, and says what is said of each: the error,
// the remark, and what is still found.
func TestHostile(t *testing.T) {
	good := layerTar(t, fileNamed("a"), fileNamed("b"))
	zeros := layerTar(t, &tar.Header{Name: "zeros", Typeflag: tar.TypeReg, Size: 1 << 20})
	mutate := func(b []byte, at int, c byte) []byte { b = bytes.Clone(b); b[at] = c; return b }
	sum := func(b []byte) []byte { // sets the checksum of the first header right
		b = bytes.Clone(b)
		copy(b[148:156], "        ")
		n := 0
		for _, c := range b[:512] {
			n += int(c)
		}
		copy(b[148:156], fmt.Sprintf("%06o\x00 ", n))
		return b
	}
	raw := func(b []byte) Layer { return blobLayer(b, b) }
	with := func(l Layer, f func(*Layer)) Layer { f(&l); return l }
	bomb := layerTar(t, &tar.Header{Name: "bomb", Typeflag: tar.TypeReg, Size: 70 << 20})
	for i := range bomb[512 : 512+70<<20] {
		bomb[512+i] = 0
	}
	skippable := append([]byte{0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3}, zst(t, good)...)
	manyLinks := func() []byte {
		var h []*tar.Header
		for i := range 300 {
			h = append(h, &tar.Header{Name: fmt.Sprintf("l%d", i), Typeflag: tar.TypeSymlink, Linkname: fmt.Sprintf("l%d", i+1)})
		}
		return layerTar(t, append(h, fileNamed("l0/x"), fileNamed("ok"))...)
	}()
	all := []string{"a", "b"}
	for _, c := range []struct {
		name     string
		layer    Layer
		limits   boltseal.Limits
		is       error  // what the error wraps; nil: none
		says     string // in the error
		remark   string // in a skip or note
		packages []string
	}{
		{name: "good", layer: raw(good), packages: all},
		{name: "wrong digest", layer: with(raw(good), func(l *Layer) { l.Digest = digest.FromString("x") }), is: boltseal.ErrMalformed, says: "want sha256:"},
		{name: "wrong diffID", layer: with(blobLayer(gz(t, good), good), func(l *Layer) { l.DiffID = digest.FromString("x") }), is: boltseal.ErrMalformed, says: "the config says"},
		{name: "blob longer than said", layer: with(raw(good), func(l *Layer) { l.Size -= 512 }), is: boltseal.ErrMalformed},
		{name: "blob shorter than said", layer: with(raw(good), func(l *Layer) { l.Size += 512 }), is: boltseal.ErrMalformed, says: "descriptor says"},
		{name: "unknown digest", layer: with(raw(good), func(l *Layer) { l.Digest = "md5:00" }), is: errors.ErrUnsupported},
		{name: "malformed digest", layer: with(raw(good), func(l *Layer) { l.Digest = "sha256:zz" }), is: boltseal.ErrMalformed},
		{name: "sha512", layer: with(raw(good), func(l *Layer) { l.Digest = digest.SHA512.FromBytes(good) }), packages: all},
		{name: "empty blob", layer: raw(nil)},
		{name: "not a tar", layer: raw(bytes.Repeat([]byte("no tar "), 200)), is: boltseal.ErrMalformed, remark: "the rest of the layer was not read"},
		{name: "bad checksum", layer: raw(mutate(good, 1024, 'z')), is: boltseal.ErrMalformed, says: "checksum", packages: []string{"a"}},
		{name: "cut in a header", layer: raw(good[:1100]), is: io.ErrUnexpectedEOF, packages: []string{"a"}},
		{name: "cut in a body", layer: raw(good[:514]), is: io.ErrUnexpectedEOF},
		{name: "no end blocks", layer: raw(good[:2048]), packages: all},
		{name: "negative size", layer: raw(sum(append(append(bytes.Clone(good[:124]), bytes.Repeat([]byte{0xff}, 12)...), good[136:]...))), is: boltseal.ErrMalformed, says: "negative"},
		{name: "size no number", layer: raw(sum(mutate(good, 124, 'q'))), is: boltseal.ErrMalformed},
		{name: "huge size", layer: raw(sum(append(append(bytes.Clone(good[:124]), append([]byte{0x80, 0, 0, 0}, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)...), good[136:]...))), is: io.ErrUnexpectedEOF},
		{name: "unknown type", layer: raw(sum(mutate(good, 156, 'Z'))), remark: "unknown type", packages: []string{"b"}},
		{name: "gzip cut", layer: with(blobLayer(gz(t, zeros), zeros), func(l *Layer) { *l = blobLayer(gz(t, zeros)[:300], zeros) }), is: io.ErrUnexpectedEOF, says: "cut short"},
		{name: "gzip checksum", layer: blobLayer(mutate(gz(t, good), len(gz(t, good))-6, 0), good), is: boltseal.ErrMalformed},
		{name: "gzip garbage", layer: blobLayer(append(gz(t, good), "garbage"...), good), remark: "bytes follow the compressed stream", packages: all},
		{name: "gzip members", layer: blobLayer(append(gz(t, good[:700]), gz(t, good[700:])...), good), packages: all},
		{name: "gzip bomb", layer: blobLayer(gz(t, bomb), bomb), limits: boltseal.Limits{LayerBytes: 1 << 20}, is: boltseal.ErrLimit, says: "LayerBytes", packages: []string{"bomb"}},
		{name: "zstd bomb", layer: blobLayer(zst(t, bomb), bomb), limits: boltseal.Limits{ZstdRatio: 100}, is: boltseal.ErrLimit, says: "ZstdRatio", packages: []string{"bomb"}},
		{name: "zstd window", layer: blobLayer(zst(t, zeros, zstd.WithWindowSize(8<<20), zstd.WithSingleSegment(false)), zeros), limits: boltseal.Limits{ZstdWindow: 1 << 20}, is: boltseal.ErrLimit, says: "ZstdWindow"},
		{name: "zstd cut", layer: blobLayer(zst(t, good)[:40], good), is: boltseal.ErrMalformed},
		{name: "zstd skippable frame", layer: blobLayer(skippable, good), packages: all},
		{name: "zstd garbage", layer: blobLayer(append(zst(t, good), "garbage!"...), good), remark: "bytes follow the compressed stream", packages: all},
		{name: "mislabelled", layer: with(blobLayer(gz(t, good), good), func(l *Layer) { l.MediaType = "application/vnd.oci.image.layer.v1.tar+zstd" }), remark: "the bytes are gzip", packages: all},
		{name: "trailing bytes", layer: raw(append(bytes.Clone(good), "secret"...)), remark: "bytes follow the end of the archive", packages: all},
		{name: "too many entries", layer: raw(good), limits: boltseal.Limits{LayerEntries: 1}, is: boltseal.ErrLimit, says: "LayerEntries", packages: []string{"a"}},
		{name: "long name", layer: raw(layerTar(t, fileNamed(strings.Repeat("n", 300)), fileNamed("b"))), remark: "NameBytes", packages: []string{"b"}},
		{name: "long path", layer: raw(layerTar(t, fileNamed(strings.Repeat("d/", 3000)+"f"), fileNamed("b"))), remark: "PathBytes", packages: []string{"b"}},
		{name: "huge extended header", layer: raw(sum(mutate(append(append(bytes.Clone(good[:124]), "00010000000\x00"...), good[136:]...), 156, 'x'))), is: boltseal.ErrLimit, says: "extended tar header"},
		{name: "links to links", layer: raw(manyLinks), remark: "links do not end", packages: []string{"ok"}},
		{name: "unreadable", layer: Layer{Unreadable: "it is encrypted", DiffID: digest.FromString("x")}, is: errors.ErrUnsupported, says: "encrypted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inv, err := Analyze(t.Context(), &Image{Name: "test", Layers: []Layer{c.layer}}, &AnalyzeOptions{Limits: c.limits, Cache: mustNotKeep{t, c.is != nil}}, finder{})
			require.NotNil(t, inv)
			if c.is == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, c.is)
				require.ErrorContains(t, err, c.says)
				require.False(t, inv.Complete)
				var located *boltseal.Error
				require.ErrorAs(t, err, &located)
			}
			if c.remark != "" {
				require.Contains(t, fmt.Sprintf("%+v", inv.Skipped), c.remark)
			}
			var got []string
			for _, p := range inv.Packages {
				got = append(got, p.Name)
			}
			require.Equal(t, c.packages, got)
		})
	}
}

// mustNotKeep fails if a record of a bad layer is stored.
type mustNotKeep struct {
	t   *testing.T
	bad bool
}

func (mustNotKeep) Get(context.Context, string) ([]byte, error) { return nil, nil }
func (m mustNotKeep) Put(_ context.Context, key string, _ []byte) error {
	require.False(m.t, m.bad, "a record was stored: %s", key)
	return nil
}

// rude is an analyzer that misbehaves on a file named for how.
type rude struct{ release chan struct{} }

func (rude) Info() boltseal.Info            { return boltseal.Info{ID: "test/rude", Version: 1} }
func (rude) Wants(string, fs.DirEntry) bool { return true }
func (r rude) AnalyzeFile(ctx context.Context, f *boltseal.File, p *boltseal.Pass) error {
	switch f.Path {
	case "panics":
		panic("on purpose")
	case "hangs", "hangs-large":
		<-r.release
	case "waits":
		<-ctx.Done()
		return ctx.Err()
	case "fails":
		p.Package(boltseal.Package{Type: "generic", Name: "kept"})
		return errors.New("not understood")
	}
	p.Package(boltseal.Package{Type: "generic", Name: f.Path})
	return nil
}

func TestRudeAnalyzers(t *testing.T) {
	r := rude{make(chan struct{})}
	defer close(r.release)
	large := fileNamed("hangs-large")
	large.Size = 1 << 20
	b := layerTar(t, fileNamed("panics"), fileNamed("hangs"), fileNamed("waits"), fileNamed("fails"), large, fileNamed("fine"))
	inv, err := Analyze(t.Context(), &Image{Layers: []Layer{blobLayer(b, b)}}, &AnalyzeOptions{Limits: boltseal.Limits{FileTime: 30 * time.Millisecond}, Cache: mustNotKeep{t, true}}, r, finder{})
	require.NoError(t, err)
	require.False(t, inv.Complete)
	reasons := map[string]string{}
	for _, s := range inv.Skipped {
		if s.Rule == "test/rude" {
			reasons[s.Path] = s.Reason
		} else {
			require.Equal(t, "hangs-large", s.Path, "on a large file analyzers go in step")
		}
	}
	require.Contains(t, reasons["panics"], "panicked: on purpose")
	for _, p := range []string{"hangs", "waits", "hangs-large"} {
		require.Contains(t, reasons[p], "did not end within 30ms", p)
	}
	require.Contains(t, reasons["fails"], "not understood")
	names := map[string]int{}
	for _, p := range inv.Packages {
		names[p.Name]++
	}
	require.Equal(t, 2, names["fine"])
	require.Equal(t, 1, names["kept"])
	require.Equal(t, 1, names["hangs"], "the other analyzer saw the file")
}

// endless is a layer that never ends.
type endless struct{ started chan struct{} }

func (e endless) Read(p []byte) (int, error) {
	select {
	case e.started <- struct{}{}:
	default:
	}
	return len(p), nil
}
func (endless) Close() error { return nil }

// cancelling analyzes layers that never end, cancels, and returns how long it
// took from there.
func cancelling(t testing.TB) time.Duration {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	e := endless{make(chan struct{}, 1)}
	head := layerTar(t, &tar.Header{Name: "large", Typeflag: tar.TypeReg, Size: 600})[:512]
	copy(head[124:136], "77777777777\x00")
	copy(head[148:156], "        ")
	sum := 0
	for _, c := range head {
		sum += int(c)
	}
	copy(head[148:156], fmt.Sprintf("%06o\x00 ", sum))
	l := Layer{DiffID: digest.FromString("x"), Size: -1, Blob: func(context.Context) (io.ReadCloser, error) {
		return struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(head), e), e}, nil
	}}
	var at time.Time
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-e.started
		time.Sleep(20 * time.Millisecond)
		at = time.Now()
		cancel()
	}()
	inv, err := Analyze(ctx, &Image{Layers: []Layer{l, l}}, nil, finder{}, picker{})
	<-done
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, inv)
	return time.Since(at)
}

// TestCancel allows much more time than Analyze promises, for machines that are
// busy: the benchmark tells what it takes.
func TestCancel(t *testing.T) {
	before := runtime.NumGoroutine()
	require.Less(t, cancelling(t), 5*time.Second)
	for range 1000 { // require.Eventually runs goroutines of its own
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%d goroutines are left of %d", runtime.NumGoroutine(), before)
}

func BenchmarkCancel(b *testing.B) {
	var sum, most time.Duration
	for b.Loop() {
		d := cancelling(b)
		sum, most = sum+d, max(most, d)
	}
	b.ReportMetric(float64(sum.Microseconds())/1000/float64(b.N), "ms/cancel")
	b.ReportMetric(float64(most.Microseconds())/1000, "ms-most")
}
