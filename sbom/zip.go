package sbom

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/flate"

	"github.com/boltseal/boltseal"
)

// zipWalk visits the members of one archive file and of the archives in it.
// It keeps the limits in sum (Limits.ArchiveBytes, ArchiveEntries), those per
// member (FileBytes) and the depth (ArchiveDepth); what it cannot read is
// reported as skipped by its chain of names, and the walk goes on. Only a sum
// that is used up, or a context that is done, ends it.
type zipWalk struct {
	done    func() error // why to stop, if so
	p       *boltseal.Pass
	path    string
	bytes   int64 // still to be inflated
	entries int   // still to be visited
	skipped int   // members named as such
	unnamed int   // archives that do not say what they are

	inflaters []io.ReadCloser // idle
	buffers   [][]byte        // idle
}

// maxZipSkips bounds how many members are named as skipped.
const maxZipSkips = 100

func newZipWalk(ctx context.Context, p *boltseal.Pass, path string) *zipWalk {
	return &zipWalk{done: ctx.Err, p: p, path: path, bytes: p.Limits.ArchiveBytes, entries: p.Limits.ArchiveEntries}
}

// zipMember is one file in an archive.
type zipMember struct {
	zipEntry
	walk  *zipWalk
	r     io.ReaderAt
	rsize int64
	chain []string // names of the archives around it
}

func (m *zipMember) name() string { return m.zipEntry.name }

// names returns the chain that ends in the member itself.
func (m *zipMember) names() []string { return append(m.chain[:len(m.chain):len(m.chain)], m.name()) }

func (m *zipMember) location() boltseal.Location {
	return boltseal.Location{Path: m.walk.path, Member: m.names()}
}

// fatal marks an error that ends the whole walk.
type fatal struct{ error }

func (f fatal) Unwrap() error { return f.error }

func (w *zipWalk) skip(chain []string, err error) {
	w.skipped++
	switch {
	case w.skipped < maxZipSkips:
		w.p.Skip(fmt.Sprintf("%.2000s: %v", strings.Join(chain, "!"), err))
	case w.skipped == maxZipSkips:
		w.p.Skip("further members")
	}
}

// walk calls visit for each file in the archive. An error of visit concerns
// its member, which is reported as skipped. The error returned says that the
// archive itself cannot be read (any further), or is fatal.
func (w *zipWalk) walk(r io.ReaderAt, size int64, chain []string, visit func(*zipMember) error) error {
	dir, err := findZipDirectory(r, size)
	if err != nil {
		return err
	}
	return dir.entries(r, func(e zipEntry) error {
		if err := w.done(); err != nil {
			return fatal{err}
		}
		if w.entries--; w.entries < 0 {
			return fatal{fmt.Errorf("more than %d entries in nested archives: %w", w.p.Limits.ArchiveEntries, boltseal.ErrLimit)}
		}
		if strings.HasSuffix(e.name, "/") {
			return nil
		}
		m := &zipMember{zipEntry: e, walk: w, r: r, rsize: size, chain: chain}
		err := visit(m)
		if f := (fatal{}); errors.As(err, &f) {
			return err
		}
		if err != nil {
			w.skip(m.names(), err)
		}
		return nil
	})
}

// open returns the inflated content. Close it by [zipMember.close].
func (m *zipMember) open() (io.Reader, error) {
	if m.encrypted {
		return nil, fmt.Errorf("encrypted: %w", errors.ErrUnsupported)
	}
	if err := m.walk.done(); err != nil {
		return nil, fatal{err}
	}
	raw, err := m.data(m.r, m.rsize)
	if err != nil {
		return nil, err
	}
	if m.size < 0 {
		return nil, zipBroken("size beyond 63 bits")
	}
	switch m.method {
	case 0:
		if err := m.walk.spend(m.compressed); err != nil {
			return nil, err
		}
		return raw, nil
	case 8:
		return &inflater{walk: m.walk, left: m.size, flate: m.walk.inflater(raw)}, nil
	}
	return nil, fmt.Errorf("zip method %d: %w", m.method, errors.ErrUnsupported)
}

// close gives back what open took.
func (m *zipMember) close(r io.Reader) {
	if in, ok := r.(*inflater); ok && in.flate != nil {
		m.walk.inflaters = append(m.walk.inflaters, in.flate)
		in.flate = nil
	}
}

func (w *zipWalk) inflater(r io.Reader) io.ReadCloser {
	n := len(w.inflaters)
	if n == 0 {
		return flate.NewReader(r)
	}
	z := w.inflaters[n-1]
	w.inflaters = w.inflaters[:n-1]
	if err := z.(flate.Resetter).Reset(r, nil); err != nil {
		return flate.NewReader(r)
	}
	return z
}

// inflater is a stream that may be neither longer than the directory claims
// nor than what is left of the sum.
type inflater struct {
	walk  *zipWalk
	left  int64
	flate io.ReadCloser
}

func (in *inflater) Read(b []byte) (int, error) {
	if err := in.walk.done(); err != nil {
		return 0, fatal{err}
	}
	n, err := in.flate.Read(b)
	in.left -= int64(n)
	if err := in.walk.spend(int64(n)); err != nil {
		return 0, err
	}
	switch {
	case in.left < 0:
		return 0, zipBroken("longer than the directory says")
	case err == io.EOF && in.left > 0:
		return n, zipBroken("shorter than the directory says")
	case err != nil && err != io.EOF:
		return n, fmt.Errorf("zip: %w: %w", boltseal.ErrMalformed, err)
	}
	return n, err
}

// spend takes n bytes from the sum.
func (w *zipWalk) spend(n int64) error {
	if w.bytes -= n; w.bytes < 0 {
		return fatal{fmt.Errorf("more than %d bytes in nested archives: %w", w.p.Limits.ArchiveBytes, boltseal.ErrLimit)}
	}
	return nil
}

// read returns the content, which is at most limit bytes, in a buffer to be
// handed to [zipWalk.recycle].
func (m *zipMember) read(limit int64) ([]byte, error) {
	size := m.size
	if m.method == 0 {
		size = m.compressed
	}
	if size > limit {
		return nil, fmt.Errorf("%d bytes, more than %d: %w", size, limit, boltseal.ErrLimit)
	}
	r, err := m.open()
	if err != nil {
		return nil, err
	}
	defer m.close(r)
	buf := bytes.NewBuffer(m.walk.buffer())
	// Deflate cannot do better than 1032:1, whatever the directory says.
	buf.Grow(int(min(size, m.compressed*1032, limit)) + bytes.MinRead)
	if _, err := buf.ReadFrom(r); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func (w *zipWalk) buffer() []byte {
	n := len(w.buffers)
	if n == 0 {
		return nil
	}
	b := w.buffers[n-1]
	w.buffers = w.buffers[:n-1]
	return b[:0]
}

func (w *zipWalk) recycle(b []byte) { w.buffers = append(w.buffers, b) }

// archive calls visit with random access to a member that is itself an
// archive: in place where it is stored, else inflated into memory.
func (m *zipMember) archive(visit func(r io.ReaderAt, size int64) error) error {
	w := m.walk
	if len(m.chain)+1 > w.p.Limits.ArchiveDepth {
		return fmt.Errorf("archives nested deeper than %d: %w", w.p.Limits.ArchiveDepth, boltseal.ErrLimit)
	}
	if m.method == 0 && !m.encrypted {
		raw, err := m.data(m.r, m.rsize)
		if err != nil {
			return err
		}
		return visit(raw, raw.Size())
	}
	data, err := m.read(w.p.Limits.FileBytes)
	if err != nil {
		return err
	}
	defer w.recycle(data)
	return visit(bytes.NewReader(data), int64(len(data)))
}
