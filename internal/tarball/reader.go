// Package tarball reads tar archives as container layers hold them: ustar,
// GNU and PAX (POSIX.1-2017 pax, section "ustar Interchange Format" and "pax
// Extended Header"; GNU tar manual, "Basic Tar Format" and "Sparse Formats").
//
// It reads the same archives as archive/tar in the same way, and differs in
// cost and in temper: it allocates nothing per entry, hands out contents
// without copying them, reads the few forms that archive/tar refuses (contiguous
// files, unknown types), and says what is odd rather than giving up.
package tarball

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/boltseal/boltseal"
)

const (
	block = 512
	// Window is how many bytes a Reader holds at once, and the longest content
	// that Peek gives whole.
	Window = 256 << 10
	// maxSpecial bounds an extended header or a long name, as archive/tar does.
	maxSpecial = 1 << 20
)

// Reader reads one archive from a stream. Memory is bounded by [Window] and
// the extended headers.
type Reader struct {
	src  io.Reader
	buf  []byte
	r, w int   // unread bytes are buf[r:w]
	err  error // of src, sticky; io.EOF too

	body   int64 // bytes of the current entry still in the stream
	pad    int64 // zeros after them
	sparse *sparseReader

	hdr     Header
	name    []byte // backing of hdr.Name where it is not in the block
	link    []byte
	special []byte // the last extended header
	pax     paxFields
	longs   struct{ name, link bool }

	longName, longLink []byte

	sum     hash.Hash // see HashContent
	hashing bool
}

// NewReader returns a Reader of src.
func NewReader(src io.Reader) *Reader {
	return &Reader{src: src, buf: make([]byte, Window)}
}

// Reset makes r read another archive with the same buffers.
func (r *Reader) Reset(src io.Reader) {
	*r = Reader{src: src, buf: r.buf, name: r.name[:0], link: r.link[:0], special: r.special[:0], sum: r.sum}
}

// Abandon gives the buffer away: somebody may still be looking at what Peek
// returned. The stream goes on in a new one.
func (r *Reader) Abandon() {
	old := r.buf[r.r:r.w]
	r.buf = make([]byte, Window)
	r.r, r.w = 0, copy(r.buf, old)
}

// Next goes on to the next entry. It returns io.EOF at the end of the archive,
// which two blocks of zeros mark or the end of the stream.
func (r *Reader) Next() (*Header, error) {
	r.longs.name, r.longs.link = false, false
	r.pax = paxFields{}
	for {
		if err := r.Skip(); err != nil {
			return nil, err
		}
		b, err := r.fill(block)
		switch {
		case err == io.EOF && len(b) == 0:
			return nil, io.EOF
		case err != nil:
			return nil, truncated(err)
		}
		b = b[:block]
		if isZero(b) {
			if b, err = r.fill(2 * block); err == io.EOF && len(b) == block {
				return nil, io.EOF
			} else if err != nil {
				return nil, truncated(err)
			}
			if isZero(b[block : 2*block]) {
				r.r += 2 * block
				return nil, io.EOF
			}
			return nil, malformed("a block of zeros between two entries")
		}
		h, err := r.parse(b)
		if err != nil {
			return nil, err
		}
		r.r += block
		r.setBody(h)
		switch h.Type {
		case typePAX, typePAXGlobal, typeLongName, typeLongLink:
			if err := r.readSpecial(h); err != nil {
				return nil, err
			}
			continue
		}
		if r.pax.has(fieldPath) {
			h.Name = r.pax.path
		}
		if r.pax.has(fieldLink) {
			h.Link = r.pax.link
		}
		if r.pax.has(fieldSize) {
			h.Size = r.pax.size
		}
		h.Overlay = r.pax.overlay
		if r.longs.name {
			h.Name = r.longName
		}
		if r.longs.link {
			h.Link = r.longLink
		}
		if h.Type == typeOldRegular {
			h.Type = TypeRegular
			if n := len(h.Name); n > 0 && h.Name[n-1] == '/' {
				h.Type = TypeDir
			}
		}
		r.setBody(h)
		if err := r.readSparse(h); err != nil {
			return nil, err
		}
		return h, nil
	}
}

func (r *Reader) setBody(h *Header) {
	r.sparse = nil
	r.body = h.Size
	switch h.Type {
	case TypeHardLink, TypeSymlink, TypeChar, TypeBlock, TypeDir, TypeFIFO:
		r.body = 0
	}
	r.pad = -r.body & (block - 1)
}

// Peek returns the next n bytes of the current entry's content without
// consuming them, fewer only if the content ends; n is at most [Window]. They
// are valid until the next call.
func (r *Reader) Peek(n int) ([]byte, error) {
	if r.sparse != nil {
		return r.sparse.peek(n)
	}
	n = int(min(int64(n), r.body))
	b, err := r.fill(n)
	if len(b) < n {
		return b, truncated(err)
	}
	return b[:n], nil
}

// Chunk consumes as much of the content as is at hand, at least one byte, and
// returns it. It is valid until the next call. At the end it returns io.EOF.
func (r *Reader) Chunk() ([]byte, error) {
	if r.sparse != nil {
		return r.sparse.chunk()
	}
	return r.rawChunk(Window)
}

func (r *Reader) rawChunk(limit int64) ([]byte, error) {
	if r.body == 0 {
		return nil, io.EOF
	}
	if r.r == r.w {
		if _, err := r.fill(1); r.r == r.w {
			return nil, truncated(err)
		}
	}
	n := int(min(limit, r.body, int64(r.w-r.r)))
	b := r.buf[r.r : r.r+n]
	r.r += n
	r.body -= int64(n)
	if r.hashing {
		r.sum.Write(b)
	}
	return b, nil
}

// Read reads the current entry's content.
func (r *Reader) Read(p []byte) (int, error) {
	if r.sparse != nil {
		return r.sparse.Read(p)
	}
	return r.rawRead(p)
}

func (r *Reader) rawRead(p []byte) (int, error) {
	b, err := r.rawChunk(int64(len(p)))
	return copy(p, b), err
}

// Skip goes over what is left of the current entry.
func (r *Reader) Skip() error {
	r.sparse = nil
	for r.hashing && r.body > 0 {
		if _, err := r.rawChunk(Window); err != nil {
			return err
		}
	}
	r.hashing = false
	left := uint64(r.body) + uint64(r.pad) // may exceed 63 bits
	r.body = 0
	for left > 0 {
		if r.r == r.w {
			if _, err := r.fill(1); r.r == r.w {
				if err == io.EOF && left <= uint64(r.pad) { // the last padding may be missing
					break
				}
				return truncated(err)
			}
		}
		n := min(left, uint64(r.w-r.r))
		r.r += int(n)
		left -= n
	}
	r.pad = 0
	return nil
}

// Drain reads the stream to its end, and reports whether anything but zeros
// was left in it.
func (r *Reader) Drain() (trailing bool, err error) {
	for {
		if !trailing {
			trailing = !isZero(r.buf[r.r:r.w])
		}
		r.r = r.w
		if _, err := r.fill(1); r.r == r.w {
			if err == io.EOF {
				err = nil
			}
			return trailing, err
		}
	}
}

// fill returns all unread bytes, reading until there are n of them. With fewer
// it returns the stream's error, which may be io.EOF.
func (r *Reader) fill(n int) ([]byte, error) {
	if r.w-r.r >= n {
		return r.buf[r.r:r.w], nil
	}
	if r.r == r.w {
		r.r, r.w = 0, 0
	} else if r.r+n > len(r.buf) {
		r.w = copy(r.buf, r.buf[r.r:r.w])
		r.r = 0
	}
	for idle := 0; r.w-r.r < n && r.err == nil; {
		var m int
		m, r.err = r.src.Read(r.buf[r.w:])
		r.w += m
		if m > 0 {
			idle = 0
		} else if idle++; idle > 100 && r.err == nil {
			r.err = io.ErrNoProgress
		}
	}
	if r.w-r.r < n {
		return r.buf[r.r:r.w], r.err
	}
	return r.buf[r.r:r.w], nil
}

func truncated(err error) error {
	if err == io.EOF {
		return fmt.Errorf("%w: the archive ends in the middle of an entry: %w", boltseal.ErrMalformed, io.ErrUnexpectedEOF)
	}
	return err
}

var errHeader = errors.New("invalid tar header")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %w: %s", boltseal.ErrMalformed, errHeader, fmt.Sprintf(format, args...))
}

// HashContent has the current entry's content hashed with SHA-256 as it goes by,
// whoever reads or skips it. It must not be sparse, and nothing of it consumed.
func (r *Reader) HashContent() {
	if r.sum == nil {
		r.sum = sha256.New()
	}
	r.sum.Reset()
	r.hashing = true
}

// ContentSum returns the sum of the last content that was hashed, once Next has
// gone beyond it.
func (r *Reader) ContentSum() []byte {
	if r.sum == nil || r.hashing {
		return nil
	}
	return r.sum.Sum(nil)
}

// Sparse reports whether the current entry is a sparse file.
func (r *Reader) Sparse() bool { return r.sparse != nil }

// Buffered is how many bytes of the stream were read and not yet consumed.
func (r *Reader) Buffered() int { return r.w - r.r }
