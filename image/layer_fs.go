package image

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/scan"
	"github.com/boltseal/boltseal/internal/tree"
)

// readFS reads a directory as if it were the only layer of an image. There is
// no digest to verify, and nothing is cached.
func (r *layerReader) readFS(ctx context.Context, l *Layer) (layerResult, error) {
	b := &layerBuilder{layerReader: r, rec: &tree.Record{DiffID: string(l.DiffID)}}
	err := fs.WalkDir(l.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if ctxErr := ctx.Err(); ctxErr != nil {
			return ctxErr
		}
		if err != nil {
			b.skip(name, reason(err))
			return nil
		}
		if name == "." {
			return nil
		}
		if b.rec.Entries.N >= r.limits.LayerEntries {
			return fmt.Errorf("entries: %w of %d (Limits.LayerEntries)", boltseal.ErrLimit, r.limits.LayerEntries)
		}
		if err := b.names(); err != nil {
			return err
		}
		if why := b.tooLong([]byte(name)); why != "" {
			b.skip(name[:min(200, len(name))]+"…", why)
			return fs.SkipDir
		}
		return b.file(ctx, l.FS, name, d)
	})
	b.flush()
	res := layerResult{rec: b.rec, transient: true}
	if err != nil {
		b.rec.Notes = append(b.rec.Notes, boltseal.Skip{Reason: "the rest of the tree was not read: " + err.Error()})
		return res, &boltseal.Error{Op: "read tree", Err: err}
	}
	return res, nil
}

func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// file adds one path of the tree.
func (b *layerBuilder) file(ctx context.Context, fsys fs.FS, name string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		b.skip(name, reason(err))
		return nil
	}
	e := tree.Entry{Kind: tree.Special, Path: []byte(name), Mode: info.Mode()}
	switch info.Mode().Type() {
	case 0:
		e.Kind, e.Size = tree.File, info.Size()
		b.rec.Files++
		b.rec.Bytes += info.Size()
	case fs.ModeDir:
		e.Kind = tree.Dir
	case fs.ModeSymlink:
		target, err := fs.ReadLink(fsys, name)
		if err != nil {
			b.skip(name, reason(err))
			return nil
		}
		e.Kind, e.Link = tree.Symlink, []byte(target)
	}
	number := uint32(b.rec.Entries.N)
	b.rec.Entries.Add(&e)
	if e.Kind != tree.File {
		return nil
	}
	b.set = b.runner.Wants(b.set[:0], name, d)
	if len(b.set) == 0 {
		return nil
	}
	f, err := fsys.Open(name)
	if err != nil {
		b.skip(name, reason(err))
		return nil
	}
	defer f.Close()
	if now, err := f.Stat(); err != nil {
		b.skip(name, reason(err))
		return nil
	} else if !now.Mode().IsRegular() || os.SameFile(info, info) && !os.SameFile(info, now) {
		b.skip(name, "it was replaced while the tree was read")
		return nil
	}
	body := &fileBody{f: f, r: bufio.NewReaderSize(f, int(min(scan.Small, max(info.Size(), 4096))))}
	out, err := b.runner.Run(ctx, name, info, body, b.set)
	b.keep(tree.FileResults{Entry: number, Path: name, Results: out.Results})
	if err != nil && ctx.Err() == nil { // the file changes or cannot be read
		b.skip(name, reason(err))
		return nil
	}
	b.observer.Step(b.rec.DiffID, info.Size())
	return err
}

// fileBody is the content of an open file.
type fileBody struct {
	f       fs.File
	r       *bufio.Reader
	pending int // bytes handed out by Chunk and not yet discarded
}

func (b *fileBody) settle() {
	b.r.Discard(b.pending)
	b.pending = 0
}

// Peek returns fewer bytes than asked for at the end of the file.
func (b *fileBody) Peek(n int) ([]byte, error) {
	b.settle()
	p, err := b.r.Peek(n)
	if err == io.EOF {
		err = nil
	}
	return p, err
}

func (b *fileBody) Chunk() ([]byte, error) {
	b.settle()
	if _, err := b.r.Peek(1); err != nil {
		return nil, err
	}
	p, err := b.r.Peek(b.r.Buffered())
	b.pending = len(p)
	return p, err
}

// Abandon leaves the buffer to whoever still looks at it.
func (b *fileBody) Abandon() { b.r, b.pending = bufio.NewReader(b.f), 0 }

func (b *fileBody) ReaderAt() io.ReaderAt {
	at, _ := b.f.(io.ReaderAt)
	return at
}
