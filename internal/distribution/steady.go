package distribution

import (
	"context"
	"fmt"
	"io"
	"time"
)

const (
	window   = 30 * time.Second
	leastPer = 4 << 10 // bytes in a window
)

// steady is a body that ends with an error if it comes too slowly: a peer that
// drips a byte now and then would else hold a worker for ever. Only time spent
// waiting for the peer counts, not what the reader does between two reads.
type steady struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
	timer  *time.Timer // interrupts a Read that gets nothing
	waited time.Duration
	n      int
}

func newSteady(body io.ReadCloser, cancel context.CancelCauseFunc) *steady {
	s := &steady{ReadCloser: body, cancel: cancel}
	s.timer = time.AfterFunc(window, func() { cancel(errSlow) })
	s.timer.Stop()
	return s
}

var errSlow = fmt.Errorf("less than %d bytes in %v: the peer is too slow", leastPer, window)

// Read implements [io.Reader].
func (s *steady) Read(p []byte) (int, error) {
	s.timer.Reset(window)
	start := time.Now()
	n, err := s.ReadCloser.Read(p)
	stopped := s.timer.Stop()
	s.waited += time.Since(start)
	s.n += n
	if s.waited >= window {
		if s.n < leastPer && err == nil {
			s.cancel(errSlow)
			err = errSlow
		}
		s.waited, s.n = 0, 0
	}
	if err != nil && err != io.EOF && !stopped {
		err = errSlow
	}
	return n, err
}

// Close implements [io.Closer].
func (s *steady) Close() error {
	s.timer.Stop()
	err := s.ReadCloser.Close()
	s.cancel(nil)
	return err
}
