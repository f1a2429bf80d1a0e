package registry

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Lines is a [Sink] that writes each message as one line of JSON
// (jsonlines.org).
type Lines struct {
	w    *bufio.Writer
	file *os.File // to be synced; nil if it is no file of ours
}

// NewLines returns a sink that writes to w.
func NewLines(w io.Writer) *Lines { return &Lines{w: bufio.NewWriter(w)} }

// OpenLines returns a sink that appends to a file, which it makes if needed, and
// that has what counts as delivered on disk. A line that a crash cut short is
// taken away: it is written again.
func OpenLines(path string) (*Lines, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open event file: %w", err)
	}
	end, err := endOfLines(f)
	if err == nil {
		err = f.Truncate(end)
	}
	if err == nil {
		_, err = f.Seek(end, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open event file %s: %w", path, err), f.Close())
	}
	l := NewLines(f)
	l.file = f
	return l, nil
}

// endOfLines returns where the last whole line of a file ends.
func endOfLines(f io.ReadSeeker) (int64, error) {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	buf := make([]byte, 64<<10)
	for end > 0 {
		n := min(end, int64(len(buf)))
		if _, err := f.Seek(end-n, io.SeekStart); err != nil {
			return 0, err
		}
		if _, err := io.ReadFull(f, buf[:n]); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return end - n + int64(i) + 1, nil
		}
		end -= n
	}
	return 0, nil
}

// Send implements [Sink].
func (l *Lines) Send(_ context.Context, m *Message) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = l.w.Write(append(raw, '\n'))
	return err
}

// Flush implements [Flusher].
func (l *Lines) Flush(context.Context) error {
	err := l.w.Flush()
	if err == nil && l.file != nil {
		err = l.file.Sync()
	}
	return err
}

// Close writes out what is left, and closes the file of [OpenLines].
func (l *Lines) Close() error {
	err := l.Flush(context.Background())
	if l.file != nil {
		err = errors.Join(err, l.file.Close())
	}
	return err
}
