package sbom

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// analyze runs one analyzer on bytes in memory.
func analyze(t testing.TB, a boltseal.FileAnalyzer, name string, data []byte) (*boltseal.Pass, error) {
	t.Helper()
	p := &boltseal.Pass{Limits: (*boltseal.Limits)(nil).WithDefaults()}
	err := a.AnalyzeFile(context.Background(), boltseal.NewFile(name, 0o755, data), p)
	return p, err
}

func purls(p *boltseal.Pass) []string {
	var out []string
	for _, pkg := range p.Results.Packages {
		out = append(out, pkg.PURL)
	}
	return out
}

// goProgram writes an ELF file with one read-only segment of pad bytes and one
// writable one, in which the record of Go 1.18 and later stands.
func goProgram(version, modules string, pad int) []byte {
	var rec []byte
	rec = append(rec, goMagic...)
	rec = append(rec, 8, goFlagInline)
	rec = append(rec, make([]byte, 16)...)
	if modules != "" {
		modules = goModStart + modules + "\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2"
	}
	for _, s := range []string{version, modules} {
		rec = binary.AppendUvarint(rec, uint64(len(s)))
		rec = append(rec, s...)
	}
	return elfProgram(pad, rec)
}

// elfProgram writes a little-endian ELF64 file: headers, pad bytes that stay zero
// and data at address 0x600000 plus its offset.
func elfProgram(pad int, data []byte) []byte {
	le := binary.LittleEndian
	head := make([]byte, 64+2*56)
	copy(head, "\x7fELF\x02\x01\x01")
	le.PutUint64(head[32:], 64)
	le.PutUint16(head[54:], 56)
	le.PutUint16(head[56:], 2)
	off := (len(head) + pad + 4095) &^ 4095
	for i, s := range []segment{{0, int64(off), 0x400000}, {int64(off), int64(len(data)), 0x600000 + uint64(off)}} {
		h := head[64+i*56:]
		le.PutUint32(h, 1)
		le.PutUint32(h[4:], uint32(5+i)) // r-x, then rw-
		le.PutUint64(h[8:], uint64(s.off))
		le.PutUint64(h[16:], s.addr)
		le.PutUint64(h[32:], uint64(s.size))
		le.PutUint64(h[40:], uint64(s.size))
	}
	return append(append(head, make([]byte, off-len(head))...), data...)
}

// streamFile hides that a reader can seek, as a stream from a layer does.
type streamFile struct{ boltseal.Content }

func (s streamFile) Reader() io.Reader { return struct{ io.Reader }{s.Content.Reader()} }

const goModLines = "path\texample.com/shop/cmd/shop\n" +
	"mod\texample.com/shop\t(devel)\t\n" +
	"dep\tgithub.com/Azure/go-autorest\tv14.2.0+incompatible\th1:abc=\n" +
	"dep\tgithub.com/old/name\tv1.0.0\n" +
	"=>\tgithub.com/new/name/v2\tv2.1.0\th1:def=\n" +
	"dep\tk8s.io/api\tv0.0.0\n" +
	"=>\t./staging/src/k8s.io/api\n" +
	"build\t-compiler=gc\n" +
	"build\t-ldflags=\"-s -w -X main.version=1.4.2 -X 'main.commit=abc def'\"\n"

func TestGoBinary(t *testing.T) {
	data := goProgram("go1.22.1", goModLines, 1<<20)
	want := []string{
		"pkg:golang/github.com/Azure/go-autorest@v14.2.0%2Bincompatible",
		"pkg:golang/github.com/new/name/v2@v2.1.0",
		"pkg:golang/k8s.io/api@v0.0.0",
		"pkg:golang/stdlib@1.22.1",
		"pkg:golang/example.com/shop@v1.4.2",
	}
	p, err := analyze(t, GoBinary(), "usr/bin/shop", data)
	require.NoError(t, err)
	require.Equal(t, want, purls(p))
	main := p.Results.Packages[4]
	require.Equal(t, boltseal.StateEmbedded, main.State)
	require.Equal(t, []string{"github.com/Azure/go-autorest", "github.com/new/name/v2", "k8s.io/api", "stdlib"}, main.DependsOn)
	require.Contains(t, main.Evidence[0].Detail, "-ldflags -X main.version")
	require.Contains(t, p.Results.Packages[1].Evidence[0].Detail, "github.com/old/name@v1.0.0")
	require.Less(t, p.Results.Packages[2].Evidence[0].Confidence, 1.0)

	// The same through a stream.
	f := boltseal.NewFile("usr/bin/shop", 0o755, data)
	f.Content = streamFile{f.Content}
	var streamed boltseal.Pass
	require.NoError(t, GoBinary().AnalyzeFile(context.Background(), f, &streamed))
	require.Equal(t, want, purls(&streamed))
}

func TestGoBinaryPassesOverFalseMagic(t *testing.T) {
	data := goProgram("go1.22.1", goModLines, 0)
	off := bytes.Index(data, []byte(goMagic))
	fake := append([]byte(goMagic), 8, goFlagInline)
	fake = append(fake, make([]byte, 16)...)
	fake = append(fake, "\x05hello\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
	p, err := analyze(t, GoBinary(), "x", elfProgram(0, append(fake, data[off:]...)))
	require.NoError(t, err)
	require.Len(t, p.Results.Packages, 5)
}

// A record made to be found first hides the real one from nobody.
func TestGoBinarySecondRecord(t *testing.T) {
	record := func(modules string) string {
		data := goProgram("go1.22.1", modules, 0)
		rec := string(data[bytes.Index(data, []byte(goMagic)):])
		return rec + strings.Repeat("\x00", -len(rec)&(goAlign-1))
	}
	fake := record("mod\texample.com/harmless\tv1.0.0\n")
	p, err := analyze(t, GoBinary(), "x", elfProgram(0, []byte(fake+record(goModLines)+fake)))
	require.NoError(t, err)
	require.Contains(t, purls(p), "pkg:golang/example.com/harmless@v1.0.0")
	require.Contains(t, purls(p), "pkg:golang/example.com/shop@v1.4.2")
	require.Len(t, p.Results.Packages, 2+5)
	require.Len(t, p.Results.Skipped, 1)

	var many string
	for i := range goMaxRecords + 1 {
		many += record(fmt.Sprintf("mod\texample.com/m%d\tv1.0.0\n", i))
	}
	p, err = analyze(t, GoBinary(), "x", elfProgram(0, []byte(many)))
	require.ErrorIs(t, err, boltseal.ErrLimit)
	require.Len(t, p.Results.Packages, 2*goMaxRecords)
}

// Records that lead nowhere, before the real one, end the search: that is said.
func TestGoBinaryDecoys(t *testing.T) {
	decoy := goMagic + "\x08\x00" + strings.Repeat("\x01", 16)
	exe := executable{writable: []segment{{size: wholeFile}}}
	found, err := findBuildInfo(context.Background(), bytes.NewReader([]byte(strings.Repeat(decoy, goMaxMagics+1))), exe)
	require.Empty(t, found)
	require.ErrorIs(t, err, boltseal.ErrLimit)
}

// A record of the old form that leads nowhere does not hide the real one.
func TestGoBinaryPassesOverFalsePointers(t *testing.T) {
	data := goProgram("go1.22.1", goModLines, 0)
	fake := append([]byte(goMagic), 8, 0)
	fake = append(fake, bytes.Repeat([]byte{1}, 16)...)
	p, err := analyze(t, GoBinary(), "x", elfProgram(0, append(fake, data[bytes.Index(data, []byte(goMagic)):]...)))
	require.NoError(t, err)
	require.Len(t, p.Results.Packages, 5)
}

// Go 1.13 to 1.17 kept two addresses of string headers.
func TestGoBinaryPointers(t *testing.T) {
	modules := goModStart + goModLines + "\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2"
	const base = 0x600000 + 4096 // of the data of elfProgram(0, …)
	le := binary.LittleEndian
	rec := make([]byte, 64)
	copy(rec, goMagic)
	rec[14] = 8
	le.PutUint64(rec[16:], base+32)
	le.PutUint64(rec[24:], base+48)
	le.PutUint64(rec[32:], base+64)
	le.PutUint64(rec[40:], 8)
	le.PutUint64(rec[48:], base+72)
	le.PutUint64(rec[56:], uint64(len(modules)))
	rec = append(rec, "go1.17.3"+modules...)
	data := elfProgram(0, rec)
	p, err := analyze(t, GoBinary(), "x", data)
	require.NoError(t, err)
	require.Contains(t, purls(p), "pkg:golang/stdlib@1.17.3")
	require.Len(t, p.Results.Packages, 5)

	f := boltseal.NewFile("x", 0o755, data)
	f.Content = streamFile{f.Content}
	var streamed boltseal.Pass
	require.NoError(t, GoBinary().AnalyzeFile(context.Background(), f, &streamed))
	require.Empty(t, streamed.Results.Packages)
	require.Contains(t, streamed.Results.Skipped[0].Reason, "before 1.18")

	le.PutUint64(data[4096+16:], 1) // leads nowhere
	p, err = analyze(t, GoBinary(), "x", data)
	require.NoError(t, err)
	require.Empty(t, p.Results.Packages)
}

func TestGoBinaryOthers(t *testing.T) {
	upx := elfProgram(0, make([]byte, 4096))
	copy(upx[180:], "UPX!")
	p, err := analyze(t, GoBinary(), "x", upx)
	require.NoError(t, err)
	require.Len(t, p.Results.Skipped, 1)
	require.False(t, p.Results.Skipped[0].Note)

	for name, data := range map[string][]byte{
		"script": bytes.Repeat([]byte("#!/bin/sh\n"), 10000),
		"c":      elfProgram(1<<20, make([]byte, 8192)),
		"short":  []byte("\x7fELF"),
		"cut":    goProgram("go1.22.1", goModLines, 0)[:4096+40],
	} {
		p, err := analyze(t, GoBinary(), name, data)
		require.NoError(t, err, name)
		require.Empty(t, p.Results.Packages, name)
		require.Empty(t, p.Results.Skipped, name)
	}
	p, err = analyze(t, GoBinary(), "x", goProgram("devel go1.23-abcdef Mon", "mod\t\tv1\ndep\ta.b/c\tv1.0.0\n", 0))
	require.ErrorIs(t, err, boltseal.ErrMalformed)
	require.Equal(t, []string{"pkg:golang/a.b/c@v1.0.0"}, purls(p))
	require.True(t, p.Results.Skipped[0].Note)
}

func TestStdlibVersion(t *testing.T) {
	for in, want := range map[string]string{
		"go1.22.1": "1.22.1", "go1.20": "1.20.0", "go1.21rc2": "1.21.0-rc.2", "go1.18beta1": "1.18.0-beta.1",
		"go1.22.1 X:nocoverageredesign": "1.22.1", "go1.21.0-bigcorp": "1.21.0", "go1.20.10+boring": "1.20.10",
		"go1.22.5 (Red Hat 1.22.5-1.el9)": "1.22.5", "devel go1.23-8f3b Mon": "", "go1.23-devel_8f3b": "", "": "", "gopher": "",
	} {
		require.Equal(t, want, stdlibVersion(in), in)
	}
}

func TestGoMainVersion(t *testing.T) {
	for _, c := range []struct{ mod, flags, want string }{
		{"v1.2.3", "-X main.version=v9.9.9", "v1.2.3"},
		{"v1.2.3+dirty", "", "v1.2.3+dirty"},
		{"v0.0.0-20240101120000-abcdefabcdef", "", "v0.0.0-20240101120000-abcdefabcdef"},
		{"v0.0.0-20240101120000-abcdefabcdef+dirty", "-s -X main.Version=2.0.1", "v2.0.1"},
		{"(devel)", "", ""},
		{"(devel)", "-X 'main.version=v1.0.0-rc.1'", "v1.0.0-rc.1"},
		{"(devel)", "-X main.version=\"1.0.0\"", "v1.0.0"},
		{"(devel)", "-X=example.com/m/internal.Version=v3.1.4", "v3.1.4"},
		{"(devel)", "-X example.com/other.Version=v3.1.4", ""},
		{"(devel)", "-X main.version=main-deadbeef", ""},
		{"(devel)", "-X main.goVersion=1.22.1", ""},
	} {
		m, bad := parseModInfo("mod\texample.com/m\t" + c.mod + "\t\nbuild\t-ldflags=" + c.flags + "\n")
		require.Zero(t, bad)
		got, _ := m.mainVersion()
		require.Equal(t, c.want, got, c)
	}
}

// Real programs: package debug/buildinfo is the oracle.
func TestGoBinaryReal(t *testing.T) {
	gobin, err := exec.LookPath("go")
	require.NoError(t, err)
	paths := []string{gobin}
	if self, err := os.Executable(); err == nil {
		paths = append(paths, self)
	}
	for _, name := range paths {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		compareBuildInfo(t, name, data)
	}
}

func compareBuildInfo(t *testing.T, name string, data []byte) {
	t.Helper()
	oracle, err := buildinfo.Read(bytes.NewReader(data))
	exe, ok := parseExecutable(data[:min(len(data), 4096)])
	var found []rawBuildInfo
	if ok {
		var scanErr error
		found, scanErr = findBuildInfo(context.Background(), struct{ io.Reader }{bytes.NewReader(data)}, exe)
		require.NoError(t, scanErr, name)
	}
	if err != nil {
		require.Empty(t, found, name)
		return
	}
	require.Len(t, found, 1, name)
	info := found[0]
	require.Equal(t, oracle.GoVersion, info.goVersion, name)
	mods, bad := parseModInfo(info.modules)
	require.Zero(t, bad, name)
	var want, got []string
	for _, d := range oracle.Deps {
		if d.Replace != nil && d.Replace.Version != "" {
			d = d.Replace
		}
		want = append(want, d.Path+"@"+d.Version)
	}
	for _, d := range mods.deps {
		got = append(got, d.path+"@"+d.version)
	}
	require.Equal(t, want, got, name)
	require.Equal(t, oracle.Main.Path, mods.main.path, name)
}

func FuzzGoBinary(f *testing.F) {
	f.Add(goProgram("go1.22.1", goModLines, 0))
	f.Add(goProgram("devel go1.23", "", 0)[:4200])
	pe := make([]byte, 512)
	copy(pe, "MZ")
	pe[0x3c] = 0x80
	copy(pe[0x80:], "PE\x00\x00\x64\x86\x01\x00")
	f.Add(pe)
	macho := make([]byte, 256)
	copy(macho, "\xcf\xfa\xed\xfe")
	macho[16], macho[32], macho[36] = 1, 0x19, 72
	f.Add(macho)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, _ := analyze(t, GoBinary(), "x", data)
		for _, pkg := range p.Results.Packages {
			require.NotEmpty(t, pkg.PURL)
		}
	})
}

func BenchmarkGoBinary(b *testing.B) {
	for name, data := range map[string][]byte{
		"program":  goProgram("go1.22.1", goModLines, 32<<20),
		"writable": elfProgram(0, bytes.Repeat([]byte{0xff, 0xe8, ' ', 'G'}, 8<<20)),
	} {
		b.Run(name, func(b *testing.B) {
			f := boltseal.NewFile("x", 0o755, data)
			f.Content = streamFile{f.Content}
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if err := GoBinary().AnalyzeFile(context.Background(), f, new(boltseal.Pass)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
