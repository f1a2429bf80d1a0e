package image

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/tarball"
	"github.com/boltseal/boltseal/internal/tree"
)

// layerBuilder makes the record of one layer.
type layerBuilder struct {
	*layerReader
	rec       *tree.Record
	tar       *tarball.Reader
	seek      io.ReaderAt
	plain     *meter
	transient bool
	counts    map[string]int
	order     []string
	links     int // remarks of checkHardlink
	spent     spent
	toc       *toc // nil: the layer has none
}

// entries reads all entries of the archive.
func (b *layerBuilder) entries(ctx context.Context) error {
	for n := 0; ; n++ {
		h, err := b.tar.Next()
		if b.toc != nil {
			b.toc.settle(b.tar)
		}
		if err == io.EOF {
			return b.names()
		}
		if err != nil {
			return err
		}
		if n >= b.limits.LayerEntries {
			return fmt.Errorf("entries: %w of %d (Limits.LayerEntries)", boltseal.ErrLimit, b.limits.LayerEntries)
		}
		if n&1023 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := b.names(); err != nil {
				return err
			}
		}
		if err := b.entry(ctx, h); err != nil {
			return err
		}
	}
}

const (
	whiteoutPrefix = ".wh."
	opaqueName     = ".wh..wh..opq"
	metaPrefix     = ".wh..wh."
)

func (b *layerBuilder) entry(ctx context.Context, h *tarball.Header) error {
	p, escaped := tree.Clean(h.Name)
	if escaped {
		b.note(string(p), "the entry's path is absolute or leaves the root; it was taken from the root")
	}
	if why := b.tooLong(p); why != "" {
		b.skip(fmt.Sprintf("%.200s…", p), why)
		return nil
	}
	if b.toc != nil {
		if err := b.toc.add(p, h, b.tar); err != nil {
			return err
		}
	}
	e := tree.Entry{Path: p, Mode: h.FileMode()}
	dir, base := p[:max(0, bytes.LastIndexByte(p, '/'))], p[bytes.LastIndexByte(p, '/')+1:]
	if bytes.HasPrefix(base, []byte(whiteoutPrefix)) {
		b.whiteout(dir, base)
		return nil
	}
	plnk := bytes.HasPrefix(p, []byte(tree.Plnk+"/"))                                       // content that hard links lead to
	if bytes.HasPrefix(p, []byte(metaPrefix)) && !(plnk && h.Type == tarball.TypeRegular) { // what lies in AUFS's own folders
		b.note(string(p), "AUFS's own bookkeeping; no container sees it")
		return nil
	}
	if h.Overlay {
		b.note(string(p), "the entry carries an attribute trusted.overlay.*, which is ignored; some engines obey it")
	}
	switch h.Type {
	case tarball.TypeCont, tarball.TypeSparse:
		b.note(string(p), "an entry of an old type (contiguous or GNU sparse): read as a file; container engines refuse the layer")
		fallthrough
	case tarball.TypeRegular:
		if b.tar.Sparse() && h.Size > b.limits.LayerBytes-b.rec.Bytes { // holes are free to write and not to read
			b.skip(string(p), fmt.Sprintf("contents, holes of sparse files counted: %v of %d bytes (Limits.LayerBytes)", boltseal.ErrLimit, b.limits.LayerBytes))
			return nil
		}
		e.Kind, e.Size = tree.File, h.Size
		b.rec.Files++
		b.rec.Bytes += h.Size
	case tarball.TypeDir:
		e.Kind = tree.Dir
	case tarball.TypeSymlink, tarball.TypeHardLink:
		if len(h.Link) > b.limits.PathBytes {
			b.skip(string(p), fmt.Sprintf("its link's target: %v of %d bytes (Limits.PathBytes)", boltseal.ErrLimit, b.limits.PathBytes))
			return nil
		}
		e.Kind, e.Link = tree.Symlink, h.Link
		if h.Type == tarball.TypeHardLink {
			e.Kind = tree.Hardlink
			b.rec.Files++
			b.checkHardlink(p, h)
		}
	case tarball.TypeChar, tarball.TypeBlock, tarball.TypeFIFO:
		e.Kind = tree.Special
		if h.Type == tarball.TypeChar && h.Major == 0 && h.Minor == 0 {
			b.note(string(p), "a character device 0:0: overlay engines take it for a whiteout")
		}
	default:
		b.skip(string(p), fmt.Sprintf("an entry of unknown type %q", h.Type))
		return nil
	}
	number := uint32(b.rec.Entries.N)
	b.rec.Entries.Add(&e)
	if e.Kind != tree.File || len(p) == 0 || b.toc != nil && b.toc.consumed {
		return nil
	}
	return b.analyze(ctx, number, string(p), h)
}

func (b *layerBuilder) tooLong(p []byte) string {
	if len(p) > b.limits.PathBytes {
		return fmt.Sprintf("path: %v of %d bytes (Limits.PathBytes)", boltseal.ErrLimit, b.limits.PathBytes)
	}
	if len(p) <= b.limits.NameBytes {
		return ""
	}
	for part := range bytes.SplitSeq(p, []byte{'/'}) {
		if len(part) > b.limits.NameBytes {
			return fmt.Sprintf("name: %v of %d bytes (Limits.NameBytes)", boltseal.ErrLimit, b.limits.NameBytes)
		}
	}
	return ""
}

func (b *layerBuilder) whiteout(dir, base []byte) {
	m := tree.Entry{Kind: tree.Whiteout, Size: int64(b.rec.Entries.N)}
	name := base[len(whiteoutPrefix):]
	switch {
	case string(base) == opaqueName:
		m.Kind, m.Path = tree.Opaque, dir
	case bytes.HasPrefix(base, []byte(metaPrefix)):
		b.note(string(dir)+"/"+string(base), "AUFS's own bookkeeping; no container sees it")
		return
	case len(name) == 0 || string(name) == "." || string(name) == "..":
		b.skip(path.Join(string(dir), string(base)), fmt.Sprintf("%v: a whiteout that names nothing", boltseal.ErrMalformed))
		return
	default:
		m.Path = name
		if len(dir) > 0 {
			m.Path = append(append(append(make([]byte, 0, len(dir)+1+len(name)), dir...), '/'), name...)
		}
	}
	b.rec.Marks.Add(&m)
}

// checkHardlink notes a file that goes by a name which an analyzer wants, and
// is stored under another that it does not.
func (b *layerBuilder) checkHardlink(p []byte, h *tarball.Header) {
	target, _ := tree.Clean(h.Link)
	info := &entryInfo{name: string(p), mode: h.FileMode()}
	b.set = b.runner.Wants(b.set[:0], info.name, info)
	if len(b.set) == 0 {
		return
	}
	wanted := slices.Clone(b.set)
	other := &entryInfo{name: string(target), mode: h.FileMode()}
	b.set = b.runner.Wants(b.set[:0], other.name, other)
	for _, i := range wanted {
		if !slices.Contains(b.set, i) {
			if b.links++; b.links > maxLinkNotes {
				b.skip(info.name, "a hard link to what is not a name that is looked into")
				continue
			}
			b.rec.Notes = append(b.rec.Notes, boltseal.Skip{
				Path: info.name, Rule: b.runner.ID(i),
				Reason: fmt.Sprintf("a hard link to %s, which is not a name that is looked into", other.name),
			})
		}
	}
}

// analyze has the analyzers look at a file.
func (b *layerBuilder) analyze(ctx context.Context, number uint32, name string, h *tarball.Header) error {
	info := &entryInfo{name: name, mode: h.FileMode(), size: h.Size}
	b.set = b.runner.Wants(b.set[:0], name, info)
	if len(b.set) == 0 {
		return nil
	}
	out, err := b.runner.Run(ctx, name, info, &tarBody{b.tar, b.seek, b.plain, h.Size}, b.set)
	b.transient = b.transient || out.Transient
	b.keep(tree.FileResults{Entry: number, Path: name, Results: out.Results})
	return err
}

// tarBody is the content of the current entry.
type tarBody struct {
	*tarball.Reader
	seek  io.ReaderAt
	plain *meter
	size  int64
}

// ReaderAt gives access in place if the layer is stored uncompressed.
func (t *tarBody) ReaderAt() io.ReaderAt {
	if t.seek == nil || t.Sparse() {
		return nil
	}
	return io.NewSectionReader(t.seek, t.plain.n-int64(t.Buffered()), t.size)
}

// entryInfo describes an entry to analyzers.
type entryInfo struct {
	name string
	mode fs.FileMode
	size int64
}

func (i *entryInfo) Name() string               { return path.Base(i.name) }
func (i *entryInfo) Size() int64                { return i.size }
func (i *entryInfo) Mode() fs.FileMode          { return i.mode }
func (i *entryInfo) Type() fs.FileMode          { return i.mode.Type() }
func (i *entryInfo) Info() (fs.FileInfo, error) { return i, nil }
func (i *entryInfo) ModTime() time.Time         { return time.Time{} }
func (i *entryInfo) IsDir() bool                { return i.mode.IsDir() }
func (i *entryInfo) Sys() any                   { return nil }
