package sbom

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// The list of a program "shop" in the form that cargo-auditable's schema gives:
// one crate from git, one that only built it, two versions of one crate.
const crateJSON = `{"packages":[` +
	`{"name":"bitflags","version":"1.3.2","source":"crates.io"},` +
	`{"name":"bitflags","version":"2.4.1","source":"crates.io"},` +
	`{"name":"cc","version":"1.0.83","source":"crates.io","kind":"build"},` +
	`{"name":"fork","version":"0.1.0","source":"git","dependencies":[0,2]},` +
	`{"name":"shop","version":"0.9.0","source":"local","dependencies":[1,2,3],"root":true}],"format":1}`

var crateWant = []string{"pkg:cargo/bitflags@1.3.2", "pkg:cargo/bitflags@2.4.1", "pkg:cargo/fork@0.1.0", "pkg:cargo/shop@0.9.0"}

func deflated(t testing.TB, list string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, err := io.WriteString(w, list)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// readOnlyELF is an ELF file with before, data and after in its one segment that
// is not writable.
func readOnlyELF(before int, data []byte, after int) []byte {
	b := elfProgram(before+len(data)+after, nil)
	binary.LittleEndian.PutUint32(b[64+4:], 4)
	copy(b[64+2*56+before:], data)
	return b
}

func TestRustBinary(t *testing.T) {
	data := readOnlyELF(300_001, deflated(t, crateJSON), 100_000)
	p, err := analyze(t, RustBinary(), "usr/bin/shop", data)
	require.NoError(t, err)
	require.Equal(t, crateWant, purls(p))
	shop, fork := p.Results.Packages[3], p.Results.Packages[2]
	require.Equal(t, []string{"bitflags", "fork"}, shop.DependsOn, "cc is not shipped")
	require.Equal(t, []string{"bitflags"}, fork.DependsOn)
	require.Equal(t, []string{}, p.Results.Packages[0].DependsOn, "known to need nothing")
	require.Equal(t, boltseal.StateEmbedded, shop.State)
	require.Equal(t, .5, fork.Evidence[0].Confidence)
	require.Equal(t, 1.0, p.Results.Packages[0].Evidence[0].Confidence)

	f := boltseal.NewFile("usr/bin/shop", 0o755, data)
	f.Content = streamFile{f.Content}
	streamed := &boltseal.Pass{Limits: p.Limits}
	require.NoError(t, RustBinary().AnalyzeFile(t.Context(), f, streamed))
	require.Equal(t, p.Results.Packages, streamed.Results.Packages, "a stream tells the same")
}

// TestRustBinaryFormats reads the section from where PE and Mach-O say it is.
func TestRustBinaryFormats(t *testing.T) {
	list := deflated(t, crateJSON)
	le := binary.LittleEndian
	pe := make([]byte, 4096)
	copy(pe, "MZ")
	le.PutUint32(pe[0x3c:], 0x80)
	copy(pe[0x80:], "PE\x00\x00\x64\x86\x01\x00")
	h := pe[0x80+24:]
	copy(h, ".dep-v0")
	le.PutUint32(h[16:], uint32(len(list)))
	le.PutUint32(h[20:], 4096)

	macho := make([]byte, 4096)
	le.PutUint32(macho, 0xfeedfacf)
	le.PutUint32(macho[16:], 1)
	seg := macho[32:]
	le.PutUint32(seg, 0x19)
	le.PutUint32(seg[4:], 72+80)
	le.PutUint64(seg[40:], 4096)
	le.PutUint64(seg[48:], uint64(len(list)))
	le.PutUint32(seg[64:], 1)
	copy(seg[72:], ".dep-v0")
	copy(seg[72+16:], "__DATA")
	le.PutUint64(seg[72+40:], uint64(len(list)))
	le.PutUint32(seg[72+48:], 4096)

	for name, head := range map[string][]byte{"PE": pe, "Mach-O": macho} {
		p, err := analyze(t, RustBinary(), "shop", append(head, list...))
		require.NoError(t, err, name)
		require.Equal(t, crateWant, purls(p), name)
		p, err = analyze(t, RustBinary(), "shop", bytes.ReplaceAll(append(head, list...), []byte(".dep-v0"), []byte(".dep-v9")))
		require.NoError(t, err, name)
		require.Empty(t, p.Results.Packages, name)
	}
}

func TestRustBinaryHostile(t *testing.T) {
	cut := deflated(t, crateJSON)
	for name, c := range map[string]struct {
		data []byte
		err  error
		want []string
	}{
		"cut off":      {readOnlyELF(0, cut[:len(cut)-40], 0), boltseal.ErrMalformed, nil},
		"bomb":         {readOnlyELF(0, deflated(t, crateList+strings.Repeat(" ", crateListMax)), 0), boltseal.ErrLimit, nil},
		"no JSON":      {readOnlyELF(0, deflated(t, crateList+"nonsense"), 0), boltseal.ErrMalformed, nil},
		"other stream": {readOnlyELF(0, append(deflated(t, "hello, hello, hello"), cut...), 0), nil, crateWant},
		"false starts": {readOnlyELF(0, bytes.Repeat([]byte("x\x9c"), crateTries), 0), boltseal.ErrLimit, nil},
		"bad entries": {readOnlyELF(0, deflated(t, `{"packages":[{"name":"a","version":"1.0.0","source":"crates.io","dependencies":[0,7,-1,"x"]},{"version":"2"},5],"format":1}`), 0),
			boltseal.ErrMalformed, []string{"pkg:cargo/a@1.0.0"}},
		"many crates": {readOnlyELF(0, deflated(t, crateList+strings.Repeat("{},", maxCrates)+"{}]}"), 0), boltseal.ErrLimit, nil},
		"many edges": {readOnlyELF(0, deflated(t, crateList+`{"name":"a","version":"1","dependencies":[`+strings.Repeat("0,", maxCrateEdges)+"0]}]}"), 0),
			boltseal.ErrLimit, nil},
		"no list": {readOnlyELF(0, []byte("nothing"), 100_000), nil, nil},
	} {
		p, err := analyze(t, RustBinary(), "x", c.data)
		if c.err == nil {
			require.NoError(t, err, name)
		} else {
			require.ErrorIs(t, err, c.err, name)
		}
		require.Equal(t, c.want, purls(p), name)
	}
}

// TestRustBinaryReal reads a program that rustc built, with the section as
// cargo-auditable adds it, whole and stripped.
func TestRustBinaryReal(t *testing.T) {
	rustc, err := exec.LookPath("rustc")
	if err != nil {
		t.Skip("no rustc in $PATH")
	}
	dir := t.TempDir()
	list := deflated(t, crateJSON)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "list"), list, 0o644))
	source := fmt.Sprintf(`#[used] #[link_section = ".dep-v0"] static LIST: [u8; %d] = *include_bytes!("list"); fn main() {}`, len(list))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "shop.rs"), []byte(source), 0o644))
	for name, options := range map[string][]string{
		"shop": nil, "stripped": {"-C", "strip=symbols"}, "together": {"-C", "link-arg=-Wl,-z,noseparate-code"},
	} {
		build := exec.Command(rustc, append(options, "-o", name, "shop.rs")...)
		build.Dir = dir
		out, err := build.CombinedOutput()
		require.NoError(t, err, string(out))
		data, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		p, err := analyze(t, RustBinary(), name, data)
		require.NoError(t, err, name)
		require.Equal(t, crateWant, purls(p), name)
	}
}

func FuzzRustBinary(f *testing.F) {
	f.Add(readOnlyELF(0, deflated(f, crateJSON), 0))
	f.Add(readOnlyELF(70, append([]byte("x\x9cx\xda"), deflated(f, `{"packages":[{"name":"a","version":"1","dependencies":[0]}]}`)...), 3))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, _ := analyze(t, RustBinary(), "x", data)
		for _, pkg := range p.Results.Packages {
			require.NotEmpty(t, pkg.PURL)
		}
	})
}

func BenchmarkRustBinary(b *testing.B) {
	text, err := os.ReadFile("/proc/self/exe") // constants and code as they are in programs
	if err != nil {
		b.Skip(err)
	}
	data := readOnlyELF(0, text, 0)
	f := boltseal.NewFile("x", 0o755, data)
	f.Content = streamFile{f.Content}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := RustBinary().AnalyzeFile(b.Context(), f, new(boltseal.Pass)); err != nil {
			b.Fatal(err)
		}
	}
}
