package imagetest

import (
	"context"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/image"
)

// Check runs a reader over all [Cases]. List opens the OCI archive at that path
// and returns the tree that a container sees, in the form of [Case.Want].
func Check(t *testing.T, list func(ctx context.Context, archive string) ([]string, error)) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			data, err := OCI(c.Layers...)
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(t.TempDir(), "image.tar")
			if err := os.WriteFile(name, data, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := list(t.Context(), name)
			if err != nil {
				t.Fatalf("%s: %v", c.Doc, err)
			}
			if want := c.Lines(); !slices.Equal(got, want) {
				t.Errorf("%s\n got:\n%s\nwant:\n%s", c.Doc, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// Tree returns what a container of the image sees, sorted, one line per path:
//
//	d etc
//	f etc/motd hello
//	l lib -> usr/lib
//	s dev/null
//
// Hard links are files, devices and pipes are s. Files are read whole, so it is
// meant for small images.
func Tree(ctx context.Context, img *image.Image, o *image.AnalyzeOptions) ([]string, error) {
	l := &lister{}
	_, err := image.Analyze(ctx, img, o, l)
	return l.lines, err
}

type lister struct{ lines []string }

func (*lister) Info() boltseal.Info            { return boltseal.Info{ID: "imagetest/tree", Version: 1} }
func (*lister) Wants(string, fs.DirEntry) bool { return true }
func (*lister) AnalyzeFile(_ context.Context, f *boltseal.File, p *boltseal.Pass) error {
	b, err := f.Bytes()
	if err == nil {
		p.Fact("imagetest/tree", b)
	}
	return err
}

func (l *lister) Join(_ context.Context, v boltseal.View, _ *boltseal.Pass) error {
	t, ok := v.(interface {
		All() iter.Seq2[boltseal.Entry, string]
	})
	if !ok {
		return fmt.Errorf("a view of type %T cannot be listed", v)
	}
	content := map[string]string{}
	for f := range v.Facts("imagetest/tree") {
		content[f.Location.Path] = string(f.Data)
	}
	for e, first := range t.All() {
		line := "s " + quote(e.Path)
		switch {
		case e.Mode.IsDir():
			line = "d " + quote(e.Path)
		case e.Mode&fs.ModeSymlink != 0:
			line = "l " + quote(e.Path) + " -> " + quote(e.Target)
		case e.Mode.IsRegular():
			line = strings.TrimSpace("f " + quote(e.Path) + " " + content[first])
		}
		l.lines = append(l.lines, line)
	}
	slices.SortFunc(l.lines, byPath)
	return nil
}

// quote quotes a path that would not be one field otherwise.
func quote(p string) string {
	if q := fmt.Sprintf("%q", p); len(q) != len(p)+2 || strings.ContainsAny(p, " ") {
		return q
	}
	return p
}

func byPath(a, b string) int { return strings.Compare(a[2:], b[2:]) }
