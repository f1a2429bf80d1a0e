package sbom

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// streamOnly is the content of a large file in a compressed layer.
type streamOnly struct{ data string }

func (s streamOnly) Head(n int) ([]byte, error) { return []byte(s.data[:min(n, len(s.data))]), nil }
func (s streamOnly) Reader() io.Reader          { return io.MultiReader(strings.NewReader(s.data)) }
func (s streamOnly) Bytes() ([]byte, error)     { return nil, boltseal.ErrLimit }
func (s streamOnly) ReaderAt() (io.ReaderAt, int64, error) {
	return nil, 0, boltseal.ErrLimit
}

func streamed(data string, limits boltseal.Limits) (*boltseal.Pass, error) {
	p := &boltseal.Pass{Limits: limits.WithDefaults()}
	f := boltseal.NewFile("app-1.0.jar", 0o644, nil)
	f.Content = streamOnly{data}
	return p, Java().AnalyzeFile(context.Background(), f, p)
}

// bootJar writes an archive as Spring Boot's plugins do: the inner jars stored,
// with their sizes in front, the rest compressed, with theirs behind.
func bootJar(inner ...string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, _ := w.Create("META-INF/MANIFEST.MF")
	_, _ = io.WriteString(f, "Manifest-Version: 1.0\nImplementation-Title: app\nImplementation-Version: 1.0\n")
	_, _ = w.Create("BOOT-INF/")
	f, _ = w.Create("BOOT-INF/classes/A.class")
	_, _ = io.WriteString(f, strings.Repeat("PK\x03\x04 class PK\x07\x08", 5000))
	for i := 0; i < len(inner); i += 2 {
		n := uint64(len(inner[i+1]))
		f, _ := w.CreateRaw(&zip.FileHeader{Name: inner[i], CRC32: crc32.ChecksumIEEE([]byte(inner[i+1])), CompressedSize64: n, UncompressedSize64: n})
		_, _ = io.WriteString(f, inner[i+1])
	}
	_ = w.Close()
	return b.String()
}

func TestJarStream(t *testing.T) {
	props, content := pomProps("g", "shaded", "4")
	boot := bootJar("BOOT-INF/lib/a-1.0.jar", jarOf("g", "a", "1.0"), "BOOT-INF/lib/b-2.0.jar", jarOf("g", "b", "2.0"))
	for name, data := range map[string]string{
		"Spring Boot":       boot,
		"with a launcher":   "#!/bin/sh\nexec java -jar \"$0\"\n" + boot,
		"compressed inside": zipped("META-INF/MANIFEST.MF", "", props, content, "WEB-INF/lib/c-3.jar", jarOf("g", "c", "3"), "x/y.txt", strings.Repeat("text", 1000)),
		"pom.xml":           zipped("META-INF/maven/g/d/pom.xml", "<project><groupId>g</groupId><artifactId>d</artifactId><version>1</version></project>", "empty", ""),
	} {
		want := &boltseal.Pass{Limits: (*boltseal.Limits)(nil).WithDefaults()}
		require.NoError(t, Java().AnalyzeFile(context.Background(), boltseal.NewFile("app-1.0.jar", 0o644, []byte(data)), want), name)
		require.NotEmpty(t, want.Results.Packages, name)
		p, err := streamed(data, boltseal.Limits{})
		require.NoError(t, err, name)
		require.Equal(t, want.Results.Packages, p.Results.Packages, name)
		require.Len(t, p.Results.Skipped, 1, name)
		require.True(t, p.Results.Skipped[0].Note)
	}
}

func TestJarStreamLimits(t *testing.T) {
	big := zipped("=filler", strings.Repeat("x", 5000), "META-INF/MANIFEST.MF", "")
	boot := bootJar("BOOT-INF/lib/big-1.jar", big, "BOOT-INF/lib/a-1.0.jar", jarOf("g", "a", "1.0"))
	p, err := streamed(boot, boltseal.Limits{FileBytes: 4000})
	require.NoError(t, err)
	require.Equal(t, []string{"pkg:maven/g/a@1.0", "pkg:maven/app@1.0"}, purls(p))
	require.Contains(t, p.Results.Skipped[1].Reason, "BOOT-INF/lib/big-1.jar: more than")
	require.False(t, p.Results.Skipped[1].Note)

	_, err = streamed(boot, boltseal.Limits{ArchiveBytes: 10_000})
	require.ErrorIs(t, err, boltseal.ErrLimit)
	_, err = streamed(boot, boltseal.Limits{ArchiveEntries: 3})
	require.ErrorIs(t, err, boltseal.ErrLimit)

	a := strings.Index(boot, "BOOT-INF/lib/a-1.0.jar")
	for name, data := range map[string]string{
		"truncated":    boot[:a+100],
		"no directory": boot[:strings.Index(boot, "PK\x01\x02")],
		"no header":    boot[:a-zipLocalLen] + "junk" + boot[a-zipLocalLen+4:],
	} {
		p, err := streamed(data, boltseal.Limits{})
		require.ErrorIs(t, err, boltseal.ErrMalformed, name)
		require.ErrorContains(t, err, "app-1.0.jar", name)
		require.NotEmpty(t, p.Results.Packages, "what came before, "+name)
	}
	_, err = streamed(zipped("=stored", "of unknown size"), boltseal.Limits{})
	require.ErrorContains(t, err, "does not tell its size")
	_, err = streamed("#!/bin/sh\n", boltseal.Limits{})
	require.NoError(t, err)
	_, err = streamed("#!/bin/sh\n"+strings.Repeat("#", zipStreamBuffer)+boot, boltseal.Limits{})
	require.ErrorIs(t, err, boltseal.ErrLimit, "unknown is not the same as none")
}

func FuzzJarStream(f *testing.F) {
	f.Add(bootJar("BOOT-INF/lib/a-1.0.jar", jarOf("g", "a", "1.0")))
	f.Add(zipped("META-INF/maven/g/d/pom.xml", "<project/>", "b.jar", jarOf("g", "b", "2")))
	f.Fuzz(func(t *testing.T, data string) {
		p, _ := streamed(data, boltseal.Limits{ArchiveBytes: 1 << 22, FileBytes: 1 << 16, ArchiveEntries: 1000})
		require.LessOrEqual(t, len(p.Results.Packages), 1001)
	})
}

func BenchmarkJarStream(b *testing.B) {
	var inner []string
	for i := range 100 {
		inner = append(inner, fmt.Sprintf("BOOT-INF/lib/lib%d-1.0.jar", i), jarOf("org.example", fmt.Sprint("lib", i), "1.0"))
	}
	data := bootJar(inner...)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := streamed(data, boltseal.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

// Of two archives in a row Java sees the second, a stream comes to the first.
func TestZipStreamSecondArchive(t *testing.T) {
	decoy, real := jarOf("g", "decoy", "1"), jarOf("g", "real", "1")
	for name, data := range map[string]string{
		"adjacent":        decoy + real,
		"across a buffer": decoy + strings.Repeat("x", zipStreamBuffer-2-len(decoy)+strings.Index(decoy, "PK\x01\x02")) + real,
	} {
		p := &boltseal.Pass{Limits: (&boltseal.Limits{}).WithDefaults()}
		w := newZipWalk(context.Background(), p, "a.jar")
		err := w.walkStream(io.MultiReader(strings.NewReader(data)), isJarPart, func(*zipMember) error { return nil })
		require.ErrorIs(t, err, boltseal.ErrMalformed, name)
		require.ErrorContains(t, err, "members follow", name)
	}
	p := &boltseal.Pass{Limits: (&boltseal.Limits{}).WithDefaults()}
	require.NoError(t, newZipWalk(context.Background(), p, "a.jar").walkStream(strings.NewReader(decoy), isJarPart, func(*zipMember) error { return nil }))
}

// Java goes by the central directory, a stream by the members' own headers:
// where they disagree, that is said.
func TestZipStreamDirectory(t *testing.T) {
	boot := bootJar("BOOT-INF/lib/a-1.0.jar", jarOf("g", "a", "1.0"), "BOOT-INF/lib/b-2.0.jar", jarOf("g", "b", "2.0"))
	members, directory := boot[:strings.LastIndex(boot, "PK\x01\x02")], boot[strings.LastIndex(boot, "PK\x01\x02"):]
	for name, data := range map[string]string{
		"other name":  members + strings.Replace(directory, "b-2.0.jar", "c-2.0.jar", 1),
		"other place": members + directory[:42] + "\x00\x00\x00\x00" + directory[46:],
		"not listed":  members + directory[strings.Index(directory, "PK\x05\x06"):],
	} {
		p, err := streamed(data, boltseal.Limits{})
		require.ErrorIs(t, err, boltseal.ErrMalformed, name)
		require.ErrorContains(t, err, "other members than those that were read", name)
		require.Contains(t, purls(p), "pkg:maven/g/b@2.0", name)
	}
}
