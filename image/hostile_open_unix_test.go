//go:build unix

package image

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A pipe would block whoever opens it.
func TestPipesAreNotOpened(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644))
	pipe := filepath.Join(dir, "index.json")
	require.NoError(t, syscall.Mkfifo(pipe, 0o644))
	for _, ref := range []string{"oci:" + dir, "oci-archive:" + pipe} {
		_, err := Open(t.Context(), ref, nil)
		require.ErrorIs(t, err, errors.ErrUnsupported)
	}
}

// swapFS shows a file where by now lies something else.
type swapFS struct {
	rootFS
	info fs.FileInfo
}

func (s swapFS) ReadDir(string) ([]fs.DirEntry, error) {
	return []fs.DirEntry{fs.FileInfoToDirEntry(s.info)}, nil
}

// A file that becomes a pipe, or another file, while the tree is read is not
// waited for and not taken for what it was.
func TestTreeThatChanges(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "f")
	require.NoError(t, os.WriteFile(name, []byte("x"), 0o644))
	info, err := os.Lstat(name)
	require.NoError(t, err)
	img, err := Open(t.Context(), "dir:"+dir, nil)
	require.NoError(t, err)
	defer img.Close()
	for what, swap := range map[string]func() error{
		"pipe": func() error { return syscall.Mkfifo(name, 0o644) },
		"file": func() error { return os.WriteFile(name, []byte("y"), 0o644) },
		"link": func() error { return errors.Join(os.WriteFile(name+"2", []byte("y"), 0o644), os.Symlink("f2", name)) },
	} {
		require.NoError(t, os.Rename(name, filepath.Join(t.TempDir(), "old")))
		require.NoError(t, swap(), what)
		l := Layer{FS: swapFS{img.Layers[0].FS.(rootFS), info}, Size: -1}
		inv, err := Analyze(t.Context(), &Image{Layers: []Layer{l}}, nil, finder{})
		require.NoError(t, err, what)
		require.Empty(t, inv.Packages, what)
		require.Contains(t, inv.Skipped[0].Reason, "replaced", what)
		require.False(t, inv.Complete)
	}
}
