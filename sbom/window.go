package sbom

import (
	"errors"
	"io"
	"slices"
)

// windowBytes is how much of a program is held while it is searched.
const windowBytes = 256 << 10

func eofIsEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// window is a part of a stream held in memory.
type window struct {
	r   io.Reader
	off int64 // of buf[0] in the file
	pos int   // in buf
	buf []byte
	err error // of r, io.EOF at the end
}

func (w *window) reset(r io.Reader, off int64) {
	*w = window{r: r, off: off, buf: w.buf[:0]}
}

func (w *window) end() int64 { return w.off + int64(len(w.buf)) }

// need tries to have n bytes from pos on, and reports whether it has. What
// lies before pos is given up.
func (w *window) need(n int) bool {
	if len(w.buf)-w.pos >= n {
		return true
	}
	if w.err != nil {
		return false
	}
	if w.pos+n > cap(w.buf) { // move to the front, aligned as before
		w.off += int64(w.pos)
		w.buf = w.buf[:copy(w.buf, w.buf[w.pos:])]
		w.pos = 0
		if n > cap(w.buf) {
			w.buf = slices.Grow(w.buf, n-len(w.buf))
		}
	}
	for len(w.buf)-w.pos < n && w.err == nil {
		var m int
		m, w.err = w.r.Read(w.buf[len(w.buf):cap(w.buf)])
		w.buf = w.buf[:len(w.buf)+m]
	}
	return len(w.buf)-w.pos >= n
}

// skipTo moves r forward from offset at to offset to.
func skipTo(r io.Reader, at, to int64) error {
	if s, ok := r.(io.Seeker); ok {
		_, err := s.Seek(to, io.SeekStart)
		return err
	}
	_, err := io.CopyN(io.Discard, r, to-at)
	return err
}
