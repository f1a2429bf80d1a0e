package vuln

import (
	"errors"
	"io"
)

// window reads ahead of small reads that mostly follow each other, as those of
// an archive's members do, each of which would be a system call or two. It is
// for one goroutine.
type window struct {
	from io.ReaderAt
	at   int64
	buf  []byte
}

const windowSize = 256 << 10

// ReadAt implements [io.ReaderAt].
func (w *window) ReadAt(p []byte, off int64) (int, error) {
	if len(p) >= windowSize || off < 0 {
		return w.from.ReadAt(p, off)
	}
	if off < w.at || off+int64(len(p)) > w.at+int64(len(w.buf)) {
		if w.buf == nil {
			w.buf = make([]byte, windowSize)
		}
		n, err := w.from.ReadAt(w.buf[:windowSize], off)
		w.at, w.buf = off, w.buf[:n]
		if err != nil && !errors.Is(err, io.EOF) {
			w.buf = w.buf[:0]
			return 0, err
		}
	}
	n := copy(p, w.buf[off-w.at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
