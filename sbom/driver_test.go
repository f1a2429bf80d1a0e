package sbom

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// tree is the smallest driver: files and links in memory, analyzed one by one
// and joined in the order of the analyzers.
type tree struct {
	files map[string][]byte
	links map[string]string

	packages []*boltseal.Package
	facts    []boltseal.Fact
	distro   *boltseal.Distro
	skipped  []boltseal.Skip
	errs     []error
	recorded []string // DependsOn of all packages, as AnalyzeFile left it
}

func newTree(files map[string]string) *tree {
	t := &tree{files: map[string][]byte{}, links: map[string]string{}}
	for name, data := range files {
		if target, ok := strings.CutPrefix(data, "-> "); ok {
			t.links[name] = target
		} else {
			t.files[name] = []byte(data)
		}
	}
	return t
}

func (t *tree) scan(tb testing.TB, analyzers ...boltseal.FileAnalyzer) *tree {
	tb.Helper()
	ctx, limits := context.Background(), (*boltseal.Limits)(nil).WithDefaults()
	for _, name := range slices.Sorted(maps.Keys(t.files)) {
		f := boltseal.NewFile(name, 0o644, t.files[name])
		for _, a := range analyzers {
			if !a.Wants(name, f.Info.(fs.DirEntry)) {
				continue
			}
			p := &boltseal.Pass{Limits: limits}
			if err := a.AnalyzeFile(ctx, f, p); err != nil {
				t.errs = append(t.errs, &boltseal.Error{Op: a.Info().ID, Location: boltseal.Location{Path: name}, Err: err})
			}
			t.add(p, boltseal.Location{Path: name})
		}
	}
	var lists [][]string
	for _, p := range t.packages {
		lists = append(lists, p.DependsOn)
	}
	defer func() { t.recorded = slices.Concat(lists...) }()
	for _, a := range analyzers {
		if j, ok := a.(boltseal.Joiner); ok {
			p := &boltseal.Pass{Limits: limits}
			require.NoError(tb, j.Join(ctx, t, p))
			t.add(p, boltseal.Location{})
		}
	}
	t.packages = slices.DeleteFunc(t.packages, func(p *boltseal.Package) bool { return p.Name == "" })
	return t
}

func (t *tree) add(p *boltseal.Pass, at boltseal.Location) {
	for _, pkg := range p.Results.Packages {
		if len(pkg.Locations) == 0 && at.Path != "" {
			pkg.Locations = []boltseal.Location{at}
		}
		t.packages = append(t.packages, &pkg)
	}
	for _, f := range p.Results.Facts {
		f.Location = at
		t.facts = append(t.facts, f)
	}
	for _, d := range p.Results.Distros {
		t.distro = &d
	}
	t.skipped = append(t.skipped, p.Results.Skipped...)
}

func (t *tree) Packages() []*boltseal.Package { return t.packages }

func (t *tree) Facts(kind string) iter.Seq[boltseal.Fact] {
	return func(yield func(boltseal.Fact) bool) {
		for _, f := range t.facts {
			if f.Kind == kind && !yield(f) {
				return
			}
		}
	}
}

func (t *tree) Stat(name string) (boltseal.Entry, bool) {
	dir, ok := t.Resolve(path.Dir(name))
	if !ok {
		return boltseal.Entry{}, false
	}
	full := path.Join(dir, path.Base(name))
	if data, ok := t.files[full]; ok {
		return boltseal.Entry{Path: full, Mode: 0o644, Size: int64(len(data))}, true
	}
	target, ok := t.links[full]
	return boltseal.Entry{Path: full, Mode: fs.ModeSymlink, Target: target}, ok
}

func (t *tree) Resolve(name string) (string, bool) {
	done, todo := "", strings.Split(path.Clean("/" + name)[1:], "/")
	for hops := 0; len(todo) > 0; {
		next := path.Join(done, todo[0])
		todo = todo[1:]
		target, isLink := t.links[next]
		if !isLink {
			done = next
			continue
		}
		if hops++; hops > 40 {
			return "", false
		}
		if !path.IsAbs(target) {
			target = path.Join("/", path.Dir(next), target)
		}
		done, todo = "", append(strings.Split(path.Clean(target)[1:], "/"), todo...)
	}
	if _, ok := t.files[done]; ok || done == "" || done == "." {
		return done, true
	}
	for name := range t.files {
		if strings.HasPrefix(name, done+"/") {
			return done, true
		}
	}
	return "", false
}

func (t *tree) Distro() *boltseal.Distro { return t.distro }

// lines writes "name version" of every package of a type, sorted.
func (t *tree) lines(typ string) []string {
	out := []string{}
	for _, p := range t.packages {
		if p.Type == typ {
			out = append(out, p.Name+" "+p.Version)
		}
	}
	slices.Sort(out)
	return out
}

func (t *tree) get(tb testing.TB, name string) *boltseal.Package {
	tb.Helper()
	for _, p := range t.packages {
		if p.Name == name {
			return p
		}
	}
	require.Failf(tb, "no package", "%s is not among %d packages", name, len(t.packages))
	return nil
}

// sharedImage loads the files of an image of the shared data that keep
// accepts. Its layers hold no whiteouts, so that they simply add up.
func sharedImage(tb testing.TB, name string, keep func(string) bool) *tree {
	tb.Helper()
	shared := os.Getenv("BOLTSEAL_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "shared")
	}
	file := filepath.Join(shared, "data", "images", name+".oci.tar")
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		tb.Skipf("neither in $BOLTSEAL_SHARED nor in ../shared: %v", err)
	}
	require.NoError(tb, err)
	defer f.Close()
	t := newTree(nil)
	for r := tar.NewReader(f); ; {
		_, err := r.Next()
		if err == io.EOF {
			return t
		}
		require.NoError(tb, err)
		blob, err := io.ReadAll(r)
		require.NoError(tb, err)
		if z, err := gzip.NewReader(bytes.NewReader(blob)); err == nil {
			t.addLayer(tb, tar.NewReader(z), keep)
		}
	}
}

func (t *tree) addLayer(tb testing.TB, r *tar.Reader, keep func(string) bool) {
	for {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		require.NoError(tb, err)
		name := path.Clean("/" + h.Name)[1:]
		switch {
		case h.Typeflag == tar.TypeSymlink:
			t.links[name] = h.Linkname
		case h.Typeflag == tar.TypeReg && keep(name):
			data, err := io.ReadAll(r)
			require.NoError(tb, err)
			t.files[name] = data
		}
	}
}

func wantedBy(analyzers ...boltseal.FileAnalyzer) func(string) bool {
	return func(name string) bool {
		f := boltseal.NewFile(name, 0o644, nil)
		return slices.ContainsFunc(analyzers, func(a boltseal.FileAnalyzer) bool { return a.Wants(name, f.Info.(fs.DirEntry)) })
	}
}
