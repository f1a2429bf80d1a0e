package scan

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/boltseal/boltseal"
)

// stream is the content of a large file as one analyzer sees it. Its methods
// run in the analyzer's goroutine and ask the driver's for bytes: [job.serve].
type stream struct {
	*job
	call   *call
	head   []byte
	grant  chan grant
	chunks chan []byte
	ack    chan struct{}
	quit   chan struct{} // closed when the driver has given up on the call
	gone   error         // why; set before quit is closed

	from io.Reader // what Reader reads from, once granted
	cur  []byte
	held bool // a chunk that was not acknowledged
	err  error
}

// grant answers a demand.
type grant struct {
	data   []byte // the whole content
	at     io.ReaderAt
	stream bool // chunks follow
	err    error
}

func (s *stream) Head(n int) ([]byte, error) { return s.head[:min(n, len(s.head))], nil }

func (s *stream) demand(w want) grant {
	select {
	case s.events <- event{s.call, w}:
	case <-s.quit:
		return grant{err: s.gone}
	}
	select {
	case g := <-s.grant:
		return g
	case <-s.quit:
		return grant{err: s.gone}
	}
}

func (s *stream) Bytes() ([]byte, error) {
	g := s.demand(wantBytes)
	return g.data, g.err
}

func (s *stream) ReaderAt() (io.ReaderAt, int64, error) {
	g := s.demand(wantReaderAt)
	switch {
	case g.err != nil:
		return nil, 0, g.err
	case g.at != nil:
		return g.at, s.size, nil
	}
	return bytes.NewReader(g.data), s.size, nil
}

func (s *stream) Reader() io.Reader { return (*streamReader)(s) }

// streamReader demands the stream with its first Read.
type streamReader stream

func (s *streamReader) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.from == nil {
		switch g := (*stream)(s).demand(wantStream); {
		case g.err != nil:
			s.err = g.err
			return 0, s.err
		case g.stream:
			s.from = chunkReader{(*stream)(s)}
		default:
			s.from = bytes.NewReader(g.data)
		}
	}
	return s.from.Read(p)
}

type chunkReader struct{ s *stream }

func (c chunkReader) Read(p []byte) (int, error) {
	s := c.s
	if len(p) == 0 {
		return 0, nil
	}
	if len(s.cur) == 0 {
		if s.held {
			s.held = false
			s.ack <- struct{}{}
		}
		select {
		case b, ok := <-s.chunks:
			if !ok {
				if s.err == nil {
					s.err = io.EOF
				}
				return 0, s.err
			}
			s.cur, s.held = b, true
		case <-s.quit:
			s.err = s.gone
			return 0, s.err
		}
	}
	n := copy(p, s.cur)
	s.cur = s.cur[n:]
	return n, nil
}

// serve gives the calls what they ask for until all have ended.
func (j *job) serve(ctx context.Context) error {
	var whole []byte
	held := int64(0)
	defer func() {
		if held > 0 {
			j.memory.Release(held)
		}
	}()
	for {
		// Wait until each has ended or asked for content: then what all of
		// them need is known, and nothing has been consumed before.
		var bytesFor []*call
		for j.count(running) > 0 {
			e, ok := j.next(ctx)
			if !ok {
				j.lose(ctx.Err())
				return nil
			}
			switch e.want {
			case wantNothing:
				e.call.state = done
			case wantStream:
				e.call.state = waiting
			case wantReaderAt:
				if s, ok := j.body.(Seekable); ok {
					if at := s.ReaderAt(); at != nil {
						e.call.stream.grant <- grant{at: at}
						continue
					}
				}
				fallthrough
			case wantBytes:
				switch {
				case whole != nil:
					e.call.stream.grant <- grant{data: whole}
				case j.size > j.limits.FileBytes:
					e.call.stream.grant <- grant{err: fmt.Errorf("content of %d bytes: %w of %d (Limits.FileBytes)", j.size, boltseal.ErrLimit, j.limits.FileBytes)}
				default:
					e.call.state = waiting
					bytesFor = append(bytesFor, e.call)
				}
			}
		}
		if j.count(waiting) == 0 {
			return nil
		}
		if len(bytesFor) == 0 && whole == nil {
			return j.broadcast(ctx)
		}
		if whole == nil {
			if err := j.memory.Acquire(ctx, j.size); err != nil {
				j.lose(err)
				return nil
			}
			held = j.size
			var err error
			if whole, err = j.readAll(ctx); err != nil {
				j.lose(err)
				return err
			}
		}
		for _, c := range j.calls {
			if c.state == waiting {
				c.state = running
				c.stream.grant <- grant{data: whole}
			}
		}
	}
}

func (j *job) count(s state) int {
	n := 0
	for _, c := range j.calls {
		if c.state == s {
			n++
		}
	}
	return n
}

func (j *job) readAll(ctx context.Context) ([]byte, error) {
	// The size is a claim: memory grows with what is really there.
	buf := make([]byte, 0, min(j.size, 4<<20))
	for int64(len(buf)) < j.size {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b, err := j.body.Chunk()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		if need := len(buf) + len(b); need > cap(buf) {
			grown := make([]byte, len(buf), min(max(2*cap(buf), need), int(j.size)))
			copy(grown, buf)
			buf = grown
		}
		buf = append(buf, b...)
	}
	return buf, nil
}

// broadcast sends the content to all who wait for it, chunk by chunk, and each
// chunk is overwritten only when all have read it.
func (j *job) broadcast(ctx context.Context) error {
	for _, c := range j.calls {
		if c.state == waiting {
			c.stream.grant <- grant{stream: true}
		}
	}
	for j.count(waiting) > 0 {
		b, err := j.body.Chunk()
		if err != nil {
			return j.finish(ctx, err)
		}
		for _, c := range j.calls {
			for c.state == waiting {
				select {
				case c.stream.chunks <- b:
				case e := <-j.events:
					j.ended(e)
					continue
				case <-ctx.Done():
					return j.finish(ctx, nil)
				}
				break
			}
		}
		for _, c := range j.calls {
			for c.state == waiting {
				select {
				case <-c.stream.ack:
				case e := <-j.events:
					j.ended(e)
					continue
				case <-ctx.Done():
					return j.finish(ctx, nil)
				}
				break
			}
		}
	}
	return nil
}

// ended handles an event while a stream runs: a return, or a demand that comes
// too late.
func (j *job) ended(e event) {
	switch e.want {
	case wantNothing:
		e.call.state = done
	default:
		e.call.stream.grant <- grant{err: fmt.Errorf("the content was asked for twice: Reader or Bytes is called once")}
	}
}

// finish ends the stream: err is io.EOF, or why the body cannot be read, or nil
// when the time is over.
func (j *job) finish(ctx context.Context, err error) error {
	for _, c := range j.calls {
		if c.state == waiting && err != nil {
			if err != io.EOF {
				c.stream.err = err
			}
			close(c.stream.chunks)
		}
	}
	for j.count(waiting) > 0 {
		e, ok := j.next(ctx)
		if !ok {
			j.lose(ctx.Err())
			break
		}
		j.ended(e)
	}
	if err == io.EOF {
		return nil
	}
	return err
}
