package orchestrator

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/boltseal/boltseal"
)

// Load reads the manifests of a tree of files: every .yaml, .yml and .json file
// in it. A file is a stream of documents, YAML between "---" lines or JSON
// values one after the other; a List counts as the documents in it. Templates
// must be rendered first.
//
// Each document that could not be taken up is one located error, wrapping
// [boltseal.ErrMalformed], [boltseal.ErrLimit] or [errors.ErrUnsupported], and
// the rest goes on: the snapshot holds everything else. At most 1,000 such
// errors are returned, the last of which counts the others. After one of them
// LoadOptions.Complete no longer holds for the kinds that the document may have
// been of.
func Load(ctx context.Context, fsys fs.FS, opt *LoadOptions) (*Snapshot, error) {
	l := newLoader(opt)
	others, links := 0, 0
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			l.fail(&boltseal.Error{Op: "load", Location: boltseal.Location{Path: name}, Err: err})
			return nil
		}
		switch {
		case d.IsDir():
		case !manifestName(name):
			others++
		case !d.Type().IsRegular():
			links++
			l.b.skip(boltseal.Location{Path: name}, "no regular file: give the file that it leads to")
			l.b.unread("a link or device was not followed")
		default:
			l.file(ctx, fsys, name)
		}
		return l.stop(ctx)
	})
	if others > 0 {
		l.b.note(boltseal.Location{}, fmt.Sprintf("%d files are not named .yaml, .yml or .json", others))
	}
	return l.finish(ctx, err)
}

// Read reads one stream of manifests, as [Load] does a file. The name is used
// in locations.
func Read(ctx context.Context, r io.Reader, name string, opt *LoadOptions) (*Snapshot, error) {
	l := newLoader(opt)
	l.stream(ctx, r, name)
	return l.finish(ctx, nil)
}

func manifestName(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// maxErrors bounds the errors that a load returns one by one.
const maxErrors = 1000

type loader struct {
	b       *Builder
	errs    []error
	dropped int // errors beyond maxErrors
}

func newLoader(opt *LoadOptions) *loader { return &loader{b: NewBuilder(opt)} }

func (l *loader) fail(errs ...error) {
	for _, err := range errs {
		if len(l.errs) < maxErrors-1 {
			l.errs = append(l.errs, err)
		} else {
			l.dropped++
		}
	}
}

func (l *loader) stop(ctx context.Context) error {
	if l.b.full {
		return fs.SkipAll
	}
	return ctx.Err()
}

func (l *loader) finish(ctx context.Context, err error) (*Snapshot, error) {
	if err != nil && ctx.Err() == nil {
		l.fail(err)
	}
	if ctx.Err() != nil {
		l.b.unread("the load was cancelled")
		l.errs = append(l.errs, ctx.Err())
	}
	if l.dropped > 0 {
		l.errs = append(l.errs, fmt.Errorf("load: %d further documents: %w", l.dropped, boltseal.ErrMalformed))
	}
	return l.b.Snapshot(), errors.Join(l.errs...)
}

func (l *loader) file(ctx context.Context, fsys fs.FS, name string) {
	f, err := fsys.Open(name)
	if err != nil {
		l.b.unread("a file could not be opened")
		l.fail(&boltseal.Error{Op: "load", Location: boltseal.Location{Path: name}, Err: err})
		return
	}
	defer f.Close()
	l.stream(ctx, f, name)
}

func (l *loader) stream(ctx context.Context, r io.Reader, name string) {
	br := bufio.NewReaderSize(ctxReader{ctx, r}, 1<<16)
	var s splitter
	head, _ := br.Peek(512)
	switch text := bytes.TrimLeft(head, "\ufeff \t\r\n"); {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		l.b.unread("a file is not UTF-8")
		l.fail(&boltseal.Error{Op: "load", Location: boltseal.Location{Path: name}, Err: fmt.Errorf("UTF-16: %w: convert it to UTF-8", errors.ErrUnsupported)})
		return
	case jsonBegins(text):
		s = newJSONSplitter(br, l.b.opt.DocumentBytes)
	default:
		s = newYAMLSplitter(br, l.b.opt.DocumentBytes)
	}
	var pending pendingItems
	for ctx.Err() == nil && !l.b.full {
		doc, err := s.next()
		if err == io.EOF {
			return
		}
		if err != nil {
			if ctx.Err() == nil {
				l.b.unread("a file could not be read to its end")
				l.fail(&boltseal.Error{Op: "load", Location: boltseal.Location{Path: name, Line: doc.line}, Err: err})
			}
			return
		}
		l.document(ctx, doc, name, &pending)
	}
}

// jsonBegins reports whether a stream looks like JSON and not like YAML, whose
// flow style and templates may begin with a brace too.
func jsonBegins(text []byte) bool {
	if len(text) == 0 || text[0] != '{' {
		return false
	}
	rest := bytes.TrimLeft(text[1:], " \t\r\n")
	return len(rest) == 0 || rest[0] == '"' || rest[0] == '}'
}

// document takes up one document of a stream.
func (l *loader) document(ctx context.Context, doc document, name string, pending *pendingItems) {
	at := boltseal.Location{Path: name, Line: doc.line}
	if doc.source != "" {
		at.Member = []string{doc.source}
	}
	if doc.tooLarge {
		l.b.unread("a document was larger than the limit")
		l.fail(&boltseal.Error{Op: "load", Location: at, Err: fmt.Errorf("document: %w of %d bytes: split it, or raise LoadOptions.DocumentBytes", boltseal.ErrLimit, l.b.opt.DocumentBytes)})
		if doc.header {
			l.fail(pending.end(l.b, nil, at)...)
		}
		return
	}
	if err := l.b.count(at); err != nil {
		l.fail(err)
		return
	}
	data, err := doc.json(ctx, l.b.opt.Depth, l.b.opt.DocumentBytes)
	if err != nil {
		if ctx.Err() != nil {
			return
		}
		l.b.unread("a document was malformed")
		l.fail(doc.locate(at, err))
	}
	switch {
	case doc.header:
		l.fail(pending.end(l.b, data, at)...)
	case data == nil: // nothing but comments, or malformed
	case doc.item:
		l.fail(pending.item(ctx, l.b, &doc, data, at)...)
	default:
		l.fail(l.b.addAny(data, schema.GroupVersionKind{}, at, 0)...)
	}
}

// ctxReader ends reading when the context does, in the middle of a document
// too.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (c ctxReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
