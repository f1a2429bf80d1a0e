package orchestrator

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// yamlSplitter cuts a YAML stream at its "---" lines, and a block sequence
// under a top-level "items:" into its elements.
type yamlSplitter struct {
	r     *bufio.Reader
	limit int64
	line  int // of the line in piece
	piece []byte
	held  bool // piece is not used up yet
	cont  bool // piece is the rest of a long line

	doc    document
	buf    []byte
	spare  []byte // the buffer that was handed out last
	empty  bool   // nothing but comments so far
	state  listState
	indent int    // of the items' dashes
	outer  []byte // the List around the items, while state is inItems
	head   document
}

type listState uint8

const (
	noItems     listState = iota
	expectItems           // after "items:"
	inItems
)

func newYAMLSplitter(r *bufio.Reader, limit int64) *yamlSplitter {
	if b, _ := r.Peek(3); string(b) == "\ufeff" {
		r.Discard(3)
	}
	s := &yamlSplitter{r: r, limit: limit}
	s.begin()
	return s
}

// begin starts a document.
func (s *yamlSplitter) begin() {
	s.doc = document{yaml: true}
	s.buf, s.empty, s.state = s.buf[:0], true, noItems
	s.head, s.outer = document{}, nil
}

// read puts the next piece of the stream at hand: a line, or a part of one.
func (s *yamlSplitter) read() error {
	if s.held {
		s.held = false
		return nil
	}
	ended := len(s.piece) == 0 || s.piece[len(s.piece)-1] == '\n'
	piece, err := s.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) || err == io.EOF && len(piece) > 0 {
		err = nil
	}
	s.piece, s.cont = piece, !ended
	if ended {
		s.line++
	}
	return err
}

func (s *yamlSplitter) next() (document, error) {
	for {
		err := s.read()
		if err == io.EOF {
			s.piece = nil
			if d, ok := s.flush(); ok {
				s.held = false
				return d, nil
			}
			return document{}, io.EOF
		}
		if err != nil {
			return document{line: s.line}, err
		}
		if s.cont {
			s.append(s.piece)
			continue
		}
		if rest, ok := separator(s.piece); ok {
			if d, ok := s.flush(); ok {
				s.held = true // come back to the separator
				return d, nil
			}
			s.begin()
			if len(bytes.TrimSpace(rest)) > 0 {
				s.content(append([]byte("   "), rest...))
			}
			continue
		}
		if d, ok := s.content(s.piece); ok {
			return d, nil
		}
	}
}

// separator reports whether a line ends a document, and returns what follows
// on it.
func separator(line []byte) (rest []byte, ok bool) {
	rest, ok = bytes.CutPrefix(line, []byte("---"))
	if !ok {
		rest, ok = bytes.CutPrefix(line, []byte("..."))
	}
	if !ok || len(rest) > 0 && rest[0] != ' ' && rest[0] != '\t' && rest[0] != '\r' && rest[0] != '\n' {
		return nil, false
	}
	return rest, true
}

// content takes one line. It returns an item that the line ends.
func (s *yamlSplitter) content(line []byte) (document, bool) {
	text := bytes.TrimLeft(line, " ")
	indent := len(line) - len(text)
	text = bytes.TrimRight(text, " \t\r\n")
	switch {
	case len(text) == 0 || text[0] == '#' && oneLine(line):
		if s.empty && s.state == noItems {
			if src, ok := bytes.CutPrefix(text, []byte("# Source: ")); ok {
				s.doc.source = string(bytes.TrimSpace(src[:min(len(src), 4096)]))
			}
			return document{}, false // data begins with the content
		}
	case s.state == expectItems:
		if dash(text) {
			s.state, s.indent = inItems, indent
			s.head, s.outer = s.doc, s.buf
			s.buf = nil
			s.item(line)
			return document{}, false
		}
		s.state = noItems
	case s.state == inItems && indent == s.indent && dash(text):
		d, ok := s.take(true)
		s.item(line)
		return d, ok
	case s.state == inItems && indent <= s.indent:
		d, ok := s.take(true)
		s.doc = s.head
		s.doc.header = true
		s.buf, s.state = append(s.buf, s.outer...), noItems
		s.outer = nil
		s.append(line)
		return d, ok
	case s.state == noItems && indent == 0 && !s.doc.header && itemsKey(text):
		s.state = expectItems
	}
	if s.empty && len(text) > 0 && (text[0] != '%' || !oneLine(line)) {
		s.empty, s.doc.line = false, s.line
	}
	s.append(line)
	return document{}, false
}

// item starts an element of the List at hand.
func (s *yamlSplitter) item(line []byte) {
	s.doc = document{yaml: true, item: true, line: s.line, source: s.head.source, outer: s.outer}
	s.empty = false
	s.append(line)
}

// oneLine reports whether a line is a whole one to YAML too, which has more line
// breaks: what looks like a comment may go on as something else.
func oneLine(line []byte) bool {
	text, whole := bytes.CutSuffix(line, []byte{'\n'})
	return whole && !bytes.ContainsAny(bytes.TrimSuffix(text, []byte{'\r'}), "\r\u0085\u2028\u2029")
}

func dash(text []byte) bool { return text[0] == '-' && (len(text) == 1 || text[1] == ' ') }

func itemsKey(text []byte) bool {
	rest, ok := bytes.CutPrefix(text, []byte("items:"))
	return ok && (len(rest) == 0 || rest[0] == ' ' && bytes.HasPrefix(bytes.TrimLeft(rest, " "), []byte("#")))
}

func (s *yamlSplitter) append(piece []byte) {
	if len(s.buf) == 0 {
		s.doc.first = s.line
	}
	if s.doc.tooLarge || int64(len(s.buf)+len(piece)) > s.limit {
		s.doc.tooLarge = true
		return
	}
	s.buf = append(s.buf, piece...)
}

// take returns what was collected, and goes on in the other buffer.
func (s *yamlSplitter) take(item bool) (document, bool) {
	d := s.doc
	d.data, d.item = s.buf, item
	s.buf, s.spare = s.spare[:0], s.buf
	return d, !s.empty || d.tooLarge
}

// flush ends the document at hand, and the item in it first.
func (s *yamlSplitter) flush() (document, bool) {
	if s.state == inItems {
		d, ok := s.take(true)
		s.doc = s.head
		s.doc.header = true
		s.buf, s.state, s.empty = append(s.buf, s.outer...), noItems, false
		return d, ok
	}
	d, ok := s.take(false)
	s.empty, s.doc.tooLarge = true, false
	return d, ok
}
