package oracletest

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/containerd/archive"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/image"
	"github.com/boltseal/boltseal/image/imagetest"
)

// TestCases unpacks every edge image with containerd and compares the tree with
// the expected one; where a case says that containerd breaks the
// specification, it must still do so.
func TestCases(t *testing.T) {
	needRoot(t)
	for _, c := range imagetest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			got, err := unpack(t, c.Layers)
			if c.Breaks != "" {
				require.True(t, err != nil || !slices.Equal(got, c.Lines()), "containerd agrees: %s is no longer true", c.Breaks)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.Lines(), got, c.Doc)
		})
	}
}

// TestRandom compares random layers. Layers that containerd refuses are left
// out, and so are those in which it breaks the specification: a whiteout or an
// opaque mark behind what it would delete.
func TestRandom(t *testing.T) {
	needRoot(t)
	compared := 0
	for seed := range uint64(250) {
		layers := randomLayers(rand.New(rand.NewPCG(seed, 1)))
		want, err := unpack(t, layers)
		if err != nil {
			continue
		}
		compared++
		data, err := imagetest.OCI(layers...)
		require.NoError(t, err)
		name := filepath.Join(t.TempDir(), "image.tar")
		require.NoError(t, os.WriteFile(name, data, 0o600))
		img, err := image.Open(t.Context(), "oci-archive:"+name, nil)
		require.NoError(t, err)
		got, err := imagetest.Tree(t.Context(), img, nil)
		require.NoError(t, err)
		require.NoError(t, img.Close())
		if !slices.Equal(want, got) {
			for i, l := range layers {
				t.Logf("layer %d:\n%s", i, l.Entries)
			}
			t.Fatalf("seed %d\nwant:\n%s\n got:\n%s", seed, strings.Join(want, "\n"), strings.Join(got, "\n"))
		}
	}
	require.Greater(t, compared, 40)
}

func randomLayers(r *rand.Rand) []imagetest.Layer {
	names := []string{"a", "b", "c"}
	name := func() string {
		p := names[r.IntN(3)]
		for r.IntN(2) == 0 && strings.Count(p, "/") < 3 {
			p += "/" + names[r.IntN(3)]
		}
		return p
	}
	// Files mostly have names of their own, or most layers would be refused for
	// a file among the parents.
	leaf := func() string {
		if r.IntN(12) == 0 {
			return name()
		}
		return name() + "/" + []string{"x", "y"}[r.IntN(2)]
	}
	files := []string{"a/x"}
	layers := []imagetest.Layer{{Entries: "f a/x 0"}}
	for i := range 3 {
		var marks, entries []string
		for j := range 1 + r.IntN(6) {
			switch k := r.IntN(20); {
			case k < 2:
				marks = append(marks, "w "+name())
			case k < 3:
				marks = append(marks, "w "+leaf())
			case k < 4:
				marks = append(marks, "o "+name())
			case k < 11:
				files = append(files, leaf())
				entries = append(entries, fmt.Sprintf("f %s %d.%d", files[len(files)-1], i, j))
			case k < 14:
				entries = append(entries, "d "+name())
			case k < 19:
				entries = append(entries, "l "+name()+" -> "+[]string{"", "/", "../", "./"}[r.IntN(4)]+name())
			default:
				entries = append(entries, "h "+leaf()+" -> "+files[r.IntN(len(files))])
			}
		}
		layers = append(layers, imagetest.Layer{Entries: strings.Join(append(marks, entries...), "\n")})
	}
	return layers
}

func needRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("unpacking devices and owners needs root")
	}
}

func unpack(t *testing.T, layers []imagetest.Layer) ([]string, error) {
	root := t.TempDir()
	for i := range layers {
		plain, err := layers[i].Archive()
		require.NoError(t, err)
		if _, err := archive.Apply(context.Background(), root, bytes.NewReader(plain)); err != nil {
			return nil, err
		}
	}
	var lines []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == root {
			return err
		}
		rel, _ := filepath.Rel(root, p)
		if q := fmt.Sprintf("%q", rel); len(q) != len(rel)+2 || strings.Contains(rel, " ") {
			rel = q
		}
		switch {
		case d.IsDir():
			lines = append(lines, "d "+rel)
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(p)
			if err != nil {
				return err
			}
			lines = append(lines, "l "+rel+" -> "+target)
		case d.Type() == 0:
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			lines = append(lines, strings.TrimSpace("f "+rel+" "+string(b)))
		default:
			lines = append(lines, "s "+rel)
		}
		return nil
	})
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[2:], b[2:]) })
	return lines, err
}
