package image

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	digest "github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal"
)

// openDir opens a root file system as an image of one layer. Links do not lead
// out of it. What is mounted below it is no part of it: it is left out, and
// said to be.
func openDir(_ context.Context, name string, _ *OpenOptions) (*Image, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	mounts := mountsBelow(name)
	img := &Image{
		Config: Config{Image: v1.Image{RootFS: v1.RootFS{Type: "layers", DiffIDs: []digest.Digest{}}}},
		Layers: []Layer{{FS: rootFS{root.FS().(fs.ReadLinkFS), root, mounts}, Size: -1}},
		Closer: root,
	}
	for _, m := range slices.Sorted(maps.Keys(mounts)) {
		img.Notes = append(img.Notes, boltseal.Skip{Path: m, Reason: "another file system (" + clip(mounts[m]) + ") is mounted here; open it by itself to read it"})
	}
	return img, nil
}

// rootFS is a directory without what is mounted in it.
type rootFS struct {
	fs.ReadLinkFS
	root   *os.Root
	mounts map[string]string
}

// Open opens a file without waiting, whatever lies there by now: a pipe would
// wait for somebody to write to it.
func (r rootFS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	return r.root.OpenFile(name, openFlags, 0)
}

// ReadDir lists a directory, and nothing of a mounted one.
func (r rootFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if _, ok := r.mounts[name]; ok {
		return nil, nil
	}
	return fs.ReadDir(r.ReadLinkFS, name)
}

// mountsBelow returns the paths within dir where file systems are mounted, and
// their types, as far as the system tells (proc(5), mountinfo).
func mountsBelow(dir string) map[string]string {
	raw, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	return parseMounts(string(raw), dir)
}

func parseMounts(info, dir string) map[string]string {
	out := make(map[string]string)
	prefix := strings.TrimSuffix(dir, "/") + "/"
	for line := range strings.Lines(info) {
		left, right, ok := strings.Cut(line, " - ")
		f := strings.Fields(left)
		if !ok || len(f) < 5 {
			continue
		}
		// Blanks and the like are written as \ooo.
		point, err := strconv.Unquote(`"` + strings.ReplaceAll(f[4], `"`, `\"`) + `"`)
		if err != nil {
			point = f[4]
		}
		if rest, ok := strings.CutPrefix(point, prefix); ok && rest != "" {
			typ, _, _ := strings.Cut(right, " ")
			out[rest] = typ
		}
	}
	return out
}
