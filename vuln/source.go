package vuln

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/klauspost/compress/flate"

	"github.com/boltseal/boltseal"
)

// Bounds of one source. The largest public export of one ecosystem is about
// 200 MB zipped and holds some 300,000 documents.
const (
	maxZipBytes = 2 << 30  // of one all.zip that must be held in memory
	maxDocument = 16 << 20 // one OSV document, inflated
	maxInflated = 16 << 30 // all documents of one zip
	maxDocs     = 4_000_000
)

// document is one OSV file as found. The bytes belong to the receiver.
type document struct {
	path string // for messages: "Go/all.zip!GO-2024-1.json"
	data []byte
}

// walk calls emit for every OSV document of a source, in lexical order of the
// paths: members of every all.zip, and loose .json files. An entry that cannot
// be read is handed to skip, and the walk goes on.
func walk(ctx context.Context, fsys fs.FS, emit func(document) error, skip func(boltseal.Skip)) error {
	return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && name == ".":
			return err
		case err != nil:
			skip(boltseal.Skip{Path: name, Reason: err.Error()})
			return nil
		case d.IsDir():
			return nil
		case path.Ext(name) == ".zip":
			if err := walkZip(ctx, fsys, name, emit, skip); err != nil {
				if ctx.Err() != nil || errors.Is(err, errStop) {
					return err
				}
				skip(boltseal.Skip{Path: name, Reason: err.Error()})
			}
			return nil
		case path.Ext(name) == ".json" && !strings.HasPrefix(path.Base(name), "index"):
			data, err := readFile(fsys, name)
			if err != nil {
				skip(boltseal.Skip{Path: name, Reason: err.Error()})
				return nil
			}
			return emit(document{path: name, data: data})
		}
		return nil
	})
}

// errStop wraps an error of emit, which ends the walk.
var errStop = errors.New("stopped")

func walkZip(ctx context.Context, fsys fs.FS, name string, emit func(document) error, skip func(boltseal.Skip)) error {
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	at, size := io.ReaderAt(nil), st.Size()
	if ra, ok := f.(io.ReaderAt); ok {
		at = &window{from: ra}
	} else {
		b, err := io.ReadAll(io.LimitReader(f, maxZipBytes+1))
		if err != nil {
			return err
		}
		if len(b) > maxZipBytes {
			return fmt.Errorf("%w: zip of more than %d bytes", boltseal.ErrLimit, maxZipBytes)
		}
		at, size = bytes.NewReader(b), int64(len(b))
	}
	z, err := zip.NewReader(at, size)
	if err != nil {
		return fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
	}
	// One inflater serves all members, which are read one after the other.
	inflater := flate.NewReader(nil)
	z.RegisterDecompressor(zip.Deflate, func(r io.Reader) io.ReadCloser {
		inflater.(flate.Resetter).Reset(r, nil) // of a fixed implementation, which never fails
		return io.NopCloser(inflater)
	})
	total, docs := int64(0), 0
	for _, m := range z.File {
		if err := ctx.Err(); err != nil {
			return err
		}
		if path.Ext(m.Name) != ".json" {
			continue
		}
		where := name + "!" + m.Name
		if docs++; docs > maxDocs {
			return fmt.Errorf("%w: more than %d documents", boltseal.ErrLimit, maxDocs)
		}
		data, err := inflate(m)
		if total += int64(len(data)); total > maxInflated {
			return fmt.Errorf("%w: more than %d bytes inflated", boltseal.ErrLimit, int64(maxInflated))
		}
		if err != nil {
			skip(boltseal.Skip{Path: where, Reason: err.Error()})
			continue
		}
		if err := emit(document{path: where, data: data}); err != nil {
			return fmt.Errorf("%w: %w", errStop, err)
		}
	}
	return nil
}

// inflate reads one member, whose declared size is not believed.
func inflate(m *zip.File) ([]byte, error) {
	rc, err := m.Open()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
	}
	defer rc.Close()
	buf := bytes.NewBuffer(make([]byte, 0, min(m.UncompressedSize64+bytes.MinRead, 1<<20)))
	n, err := buf.ReadFrom(io.LimitReader(rc, maxDocument+1))
	switch {
	case err != nil:
		return buf.Bytes(), fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
	case n > maxDocument:
		return buf.Bytes(), fmt.Errorf("%w: document of more than %d bytes", boltseal.ErrLimit, maxDocument)
	}
	return buf.Bytes(), nil
}

func readFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxDocument+1))
	if err == nil && len(b) > maxDocument {
		err = fmt.Errorf("%w: document of more than %d bytes", boltseal.ErrLimit, maxDocument)
	}
	return b, err
}
