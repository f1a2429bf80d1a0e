package orchestrator

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/boltseal/boltseal"
)

// jsonSplitter cuts a stream of JSON values, and the array under a top-level
// "items" into its elements. It follows nothing but strings and brackets: what
// is between them is the decoder's to judge.
type jsonSplitter struct {
	r     *bufio.Reader
	limit int64
	line  int // of the byte to come, from 1

	buf   []byte   // of the last value, for the next one
	outer document // the object around the items, while inItems
	frame []byte   // its text so far
	items bool
}

func newJSONSplitter(r *bufio.Reader, limit int64) *jsonSplitter {
	if b, _ := r.Peek(3); string(b) == "\ufeff" {
		r.Discard(3)
	}
	return &jsonSplitter{r: r, limit: limit, line: 1}
}

func (s *jsonSplitter) next() (document, error) {
	for {
		c, err := s.skipTo()
		if err == io.EOF && !s.items {
			return document{}, io.EOF
		}
		if err != nil {
			return document{line: s.line}, truncated(err)
		}
		var d document
		switch {
		case s.items && c == ',':
			s.r.ReadByte()
			continue
		case s.items && (c == ']' || c == '}'):
			s.items = false
			s.outer.header = true
			d, err = s.value(s.outer, s.frame)
		case s.items:
			d, err = s.value(document{line: s.line, first: s.line, item: true, outer: s.frame}, nil)
		case c == '-': // a "---" between the values
			line, err := s.r.ReadSlice('\n')
			if err != nil && err != io.EOF || len(bytes.TrimRight(line, "- \t\r\n")) > 0 {
				return document{line: s.line}, fmt.Errorf("%w: neither JSON nor YAML", boltseal.ErrMalformed)
			}
			s.line++
			continue
		default:
			d, err = s.value(document{line: s.line, first: s.line}, nil)
		}
		if err == errItems {
			continue
		}
		return d, err
	}
}

// errItems says that value stopped before the elements of "items".
var errItems = errors.New("items")

// skipTo passes white space and returns the byte after it, unread.
func (s *jsonSplitter) skipTo() (byte, error) {
	for {
		c, err := s.r.ReadByte()
		if err != nil {
			return 0, err
		}
		switch c {
		case '\n':
			s.line++
		case ' ', '\t', '\r':
		default:
			return c, s.r.UnreadByte()
		}
	}
}

// value reads one value, the beginning of which is in buf. It stops inside a
// top-level object before the first element of "items".
func (s *jsonSplitter) value(d document, buf []byte) (document, error) {
	depth := 0
	if buf != nil {
		depth = 2 // in the object and the array
	} else {
		buf = s.buf[:0]
	}
	add := func(p []byte) {
		if d.tooLarge || int64(len(buf)+len(p)) > s.limit {
			d.tooLarge = true
			return
		}
		buf = append(buf, p...)
	}
	end := func(err error) (document, error) {
		d.data, s.buf = buf, buf
		return d, err
	}
	var key []byte // the last string at depth 1, while it may be a key
	for {
		chunk, err := s.chunk()
		if err != nil {
			if err == io.EOF && depth == 0 && len(buf) > 0 {
				return end(nil) // a bare number at the end
			}
			return end(truncated(err))
		}
		i := 0 // up to here nothing needs a look
	scan:
		for ; i < len(chunk); i++ {
			switch chunk[i] {
			case '\n', '"', '{', '[', '}', ']', ',':
				break scan
			}
		}
		if i > 0 {
			add(chunk[:i])
			s.r.Discard(i)
			continue
		}
		c := chunk[0]
		if c == ',' && depth == 0 { // between two items that are no objects
			if !d.item {
				s.r.Discard(1)
			}
			return end(nil)
		}
		s.r.Discard(1)
		if c == '"' {
			from := len(buf)
			add(chunk[:1])
			if err := s.str(add); err != nil {
				return end(truncated(err))
			}
			if depth == 1 && !d.tooLarge && !d.item {
				key = append(key[:0], buf[from:]...)
			}
			if depth == 0 {
				return end(nil)
			}
			continue
		}
		if c == '\n' {
			s.line++
			if depth == 0 {
				return end(nil)
			}
		}
		add([]byte{c})
		switch c {
		case '{', '[':
			depth++
			if c == '[' && depth == 2 && string(key) == `"items"` && !d.item && !d.header {
				d.tooLarge = false
				s.outer, s.frame, s.items, s.buf = d, buf, true, nil
				return d, errItems
			}
			key = key[:0]
		case '}', ']':
			if depth--; depth <= 0 {
				return end(nil)
			}
		case ',':
			key = key[:0]
		}
	}
}

// chunk returns what is at hand of the stream, at least one byte, unread.
func (s *jsonSplitter) chunk() ([]byte, error) {
	if _, err := s.r.Peek(1); err != nil {
		return nil, err
	}
	return s.r.Peek(s.r.Buffered())
}

// str reads the rest of a string.
func (s *jsonSplitter) str(add func([]byte)) error {
	for {
		chunk, err := s.chunk()
		if err != nil {
			return err
		}
		n, last := bytes.IndexByte(chunk, '"')+1, true
		if n == 0 {
			n, last = len(chunk), false
		}
		escape := bytes.IndexByte(chunk[:n], '\\')
		if escape >= 0 {
			n, last = escape, false
		}
		s.line += bytes.Count(chunk[:n], []byte{'\n'})
		add(chunk[:n])
		s.r.Discard(n)
		if last {
			return nil
		}
		if escape >= 0 {
			for range 2 { // the backslash and what it escapes
				c, err := s.r.ReadByte()
				if err != nil {
					return err
				}
				if c == '\n' {
					s.line++
				}
				add([]byte{c})
			}
		}
	}
}

// truncated turns the end of the stream inside a value into an error of format.
func truncated(err error) error {
	if err == io.EOF {
		return fmt.Errorf("%w: JSON ends inside a value", boltseal.ErrMalformed)
	}
	return err
}
