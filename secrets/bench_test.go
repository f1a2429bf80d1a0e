package secrets

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/boltseal/boltseal"
)

// processor is the CPU time of this process so far.
func processor(b *testing.B) time.Duration {
	var u unix.Rusage
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// tree reads up to most bytes of the files of a folder; it skips if there are
// less than a tenth.
func tree(b *testing.B, dir string, most int, want func(name string) bool) (files []*boltseal.File, size int) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !want(path) {
			return nil
		}
		if size >= most {
			return filepath.SkipAll
		}
		data, err := os.ReadFile(path)
		if err == nil {
			files = append(files, boltseal.NewFile(strings.TrimPrefix(path, "/"), 0o644, data))
			size += len(data)
		}
		return nil
	})
	if size < most/10 {
		b.Skipf("%s holds too little to measure", dir)
	}
	return files, size
}

// BenchmarkTree scans real files, in memory, one after the other. The quickest pass
// counts.
func BenchmarkTree(b *testing.B) {
	any := func(string) bool { return true }
	ends := func(suffix string) func(string) bool {
		return func(name string) bool { return strings.HasSuffix(name, suffix) }
	}
	for _, in := range []struct {
		name, dir string
		most      int
		want      func(string) bool
	}{
		{"js", os.Getenv("BOLTSEAL_NPM"), 24 << 20, ends(".min.js")},
		{"text", "/usr/share", 50 << 20, func(name string) bool { return text(name) }},
		{"go", goSource(), 50 << 20, ends(".go")},
		{"lib", "/usr/lib/x86_64-linux-gnu", 84 << 20, any},
	} {
		b.Run(in.name, func(b *testing.B) {
			if in.dir == "" {
				b.Skip("BOLTSEAL_NPM names no folder with unpacked npm packages")
			}
			files, size := tree(b, in.dir, in.most, in.want)
			a := New(&Options{Salt: []byte("bench")})
			found := 0
			best := time.Hour
			for b.Loop() {
				runtime.GC()
				found = 0
				start := processor(b)
				for _, f := range files {
					p := boltseal.Pass{}
					_ = a.AnalyzeFile(b.Context(), f, &p)
					found += len(p.Results.Findings)
				}
				best = min(best, processor(b)-start)
			}
			b.ReportMetric(float64(size)/1e6/best.Seconds(), "MB/cpu-s")
			b.ReportMetric(float64(found), "findings")
			b.ReportMetric(float64(size)/1e6, "MB")
		})
	}
}

// text reports whether a file of /usr/share is prose or configuration.
func text(name string) bool {
	for _, end := range []string{".txt", ".html", ".conf", ".md", ".pm", ".pl", ".xml", ".py", ".json", ".cfg", ".ini", ".yaml", ".yml", "/copyright", "README"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// BenchmarkWorst scans inputs made to be slow, as streams: of 16 MiB, or of 1 GiB
// where BOLTSEAL_LONG is set. The heap is what it grew to at most, garbage included.
func BenchmarkWorst(b *testing.B) {
	size := 16 << 20
	if os.Getenv("BOLTSEAL_LONG") != "" {
		size = 1 << 30
	}
	for _, in := range []struct{ name, piece string }{
		{"one line", "the quick brown fox "},
		{"one byte", "a"},
		{"anchors", "ghp_"},
		{"many anchors", "ghp_glpat-xoxb-AKIAeyJsk-ant-AIza"},
		{"equals", "="},
		{"keywords", "password="},
		{"begin", "-----BEGIN "},
		{"begin key", "-----BEGIN PRIVATE KEY-----"},
		{"urls", "http://a:b@"},
		{"base64", "QUJDRA"},
		{"braces", `{"private_key_id":`},
	} {
		b.Run(in.name, func(b *testing.B) {
			s := NewScanner(&Options{Salt: []byte("bench")})
			unit := bytes.Repeat([]byte(in.piece), 1<<20/len(in.piece)+1)
			runtime.GC()
			before, peak, reads := heap(), uint64(0), 0
			start := processor(b)
			for b.Loop() {
				r := &repeated{unit: unit, left: size}
				_, err := s.Reader(b.Context(), "f", readerFunc(func(p []byte) (int, error) {
					if reads++; reads%64 == 0 {
						peak = max(peak, heap())
					}
					return r.Read(p)
				}))
				require.NoError(b, err)
			}
			spent := processor(b) - start
			b.ReportMetric(float64(size)*float64(b.N)/1e6/spent.Seconds(), "MB/cpu-s")
			b.ReportMetric(float64(max(peak, before)-before)/1e6, "heap-MB")
		})
	}
}

// repeated reads a unit again and again.
type repeated struct {
	unit []byte
	at   int
	left int
}

func (r *repeated) Read(p []byte) (n int, err error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n = copy(p[:min(len(p), r.left)], r.unit[r.at:])
	r.at = (r.at + n) % len(r.unit)
	r.left -= n
	if r.left == 0 {
		err = io.EOF
	}
	return n, err
}

// BenchmarkCompile compiles the built-in rules.
func BenchmarkCompile(b *testing.B) {
	start := processor(b)
	for b.Loop() {
		_, err := Compile(Families())
		require.NoError(b, err)
	}
	b.ReportMetric((processor(b)-start).Seconds()*1e3/float64(b.N), "cpu-ms/op")
}

// goSource is where the Go command has the standard library's source; empty if
// it does not say.
func goSource() string {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return ""
	}
	return filepath.Join(strings.TrimSpace(string(out)), "src")
}
