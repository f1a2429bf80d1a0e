package image

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/boltseal/boltseal"
)

const (
	archiveLinks = 8        // links followed from one name of an archive
	keepFile     = 1 << 20  // bytes of a file of a compressed archive that is kept in memory
	keepAll      = 32 << 20 // bytes of all of them
	restarts     = 16       // times a compressed archive is inflated again for a document
)

// archive is a tar of an image: where each of its files lies. One walk of the
// headers makes it; the bytes stay where they are.
type archive struct {
	source  archiveSource
	files   map[string]archiveFile
	limits  boltseal.Limits
	repeats map[string]bool // names that occur more than once
	again   int             // documents read so far by inflating the archive again
	damage  error           // why the walk ended before the archive did
}

type archiveFile struct {
	offset, size int64
	link         string // a link to this name
	sparse       bool
	data         []byte // the content, where it was kept
}

// archiveSource is the tar's bytes, with any compression of the whole removed.
type archiveSource interface {
	// open returns the bytes from offset on, size of them.
	open(ctx context.Context, offset, size int64) (io.ReadCloser, error)
}

// indexArchive walks the headers of a tar. Pos tells how many bytes of it have
// been read or skipped. Keep makes it hold on to small files, which saves
// inflating a compressed archive again for each of its documents.
func indexArchive(ctx context.Context, r io.Reader, pos func() int64, keep bool, limits boltseal.Limits) (*archive, error) {
	kept := int64(0)
	a := &archive{files: make(map[string]archiveFile), repeats: make(map[string]bool), limits: limits}
	tr := tar.NewReader(r)
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		h, err := tr.Next()
		if err == io.EOF && n > 0 {
			return a, nil
		}
		if err != nil {
			if err = malformed(err); n == 0 {
				return nil, fmt.Errorf("not a tar archive: %w", err)
			}
			if !errors.Is(err, boltseal.ErrMalformed) {
				return nil, err
			}
			a.damage = fmt.Errorf("the archive is damaged or cut short at byte %d: %w", pos(), err)
			return a, nil
		}
		if n >= limits.ArchiveEntries {
			return nil, fmt.Errorf("%w: more than %d entries, Limits.ArchiveEntries", boltseal.ErrLimit, n)
		}
		if len(h.Name) > limits.PathBytes || len(h.Linkname) > limits.PathBytes {
			return nil, fmt.Errorf("%w: a name of more than %d bytes, Limits.PathBytes", boltseal.ErrLimit, limits.PathBytes)
		}
		name := archiveName(h.Name)
		f := archiveFile{offset: pos(), size: h.Size}
		switch h.Typeflag {
		case tar.TypeReg:
			f.sparse = h.PAXRecords["GNU.sparse.major"] != "" || h.PAXRecords["GNU.sparse.map"] != "" || h.PAXRecords["GNU.sparse.numblocks"] != ""
		case tar.TypeGNUSparse:
			f.sparse = true
		case tar.TypeSymlink:
			if f.link = archiveName(h.Linkname); !strings.HasPrefix(h.Linkname, "/") {
				f.link = archiveName(path.Dir(name) + "/" + h.Linkname)
			}
		case tar.TypeLink:
			f.link = archiveName(h.Linkname)
		default:
			continue
		}
		if keep && f.link == "" && !f.sparse && f.size <= min(keepFile, keepAll-kept) {
			kept += f.size
			data := make([]byte, f.size)
			if _, err := io.ReadFull(tr, data); err == nil { // else the next header tells
				f.data = data
			}
		}
		if _, ok := a.files[name]; ok {
			a.repeats[name] = true
		}
		a.files[name] = f
	}
}

// archiveName is the one form of a name: relative to the archive's root, and clamped there.
func archiveName(s string) string { return path.Clean("/" + s)[1:] }

// find follows links to the file behind a name.
func (a *archive) find(name string) (archiveFile, error) {
	at := archiveName(name)
	for range archiveLinks {
		f, ok := a.files[at]
		switch {
		case !ok:
			return archiveFile{}, fmt.Errorf("%s: %w in the archive", clip(name), fs.ErrNotExist)
		case f.sparse:
			return archiveFile{}, fmt.Errorf("%s: a sparse file in the archive: %w: write it again without", clip(name), errors.ErrUnsupported)
		case f.link == "":
			return f, nil
		}
		at = f.link
	}
	return archiveFile{}, fmt.Errorf("%s: %w: links that lead nowhere", clip(name), boltseal.ErrMalformed)
}

// repeated tells whether a name, or one that its links lead over, occurs more
// than once.
func (a *archive) repeated(name string) bool {
	at := archiveName(name)
	for range archiveLinks {
		if a.repeats[at] {
			return true
		}
		f, ok := a.files[at]
		if !ok || f.link == "" {
			return false
		}
		at = f.link
	}
	return false
}

func (a *archive) has(name string) bool {
	_, err := a.find(name)
	return err == nil
}

func (a *archive) open(ctx context.Context, name string) (io.ReadCloser, error) {
	f, err := a.find(name)
	if err != nil {
		return nil, err
	}
	return a.content(ctx, f)
}

func (a *archive) content(ctx context.Context, f archiveFile) (io.ReadCloser, error) {
	if f.data != nil {
		return section{io.NewSectionReader(bytes.NewReader(f.data), 0, f.size)}, nil
	}
	return a.source.open(ctx, f.offset, f.size)
}

// document reads a small file whole. One that stands in the archive twice is
// refused: tools disagree which of the two counts.
func (a *archive) document(ctx context.Context, name string) ([]byte, error) {
	f, err := a.find(name)
	if err != nil {
		return nil, err
	}
	if a.repeated(name) {
		return nil, fmt.Errorf("%s: %w: it stands in the archive more than once, and shows different images to different clients", name, boltseal.ErrMalformed)
	}
	if f.size > a.limits.ManifestBytes {
		return nil, fmt.Errorf("%s: %w: %d bytes, Limits.ManifestBytes is %d", name, boltseal.ErrLimit, f.size, a.limits.ManifestBytes)
	}
	if _, ok := a.source.(packed); ok && f.data == nil {
		if a.again++; a.again > restarts {
			return nil, fmt.Errorf("%s: %w: a compressed archive with more than %d large documents: inflate it first, or set OpenOptions.SpoolDir", clip(name), boltseal.ErrLimit, restarts)
		}
	}
	rc, err := a.content(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	defer rc.Close()
	raw := make([]byte, f.size)
	if _, err := io.ReadFull(rc, raw); err != nil {
		return nil, fmt.Errorf("%s: %w: cut short: %w", name, boltseal.ErrMalformed, err)
	}
	return raw, nil
}
