package tarball

import (
	"bytes"
	"fmt"
	"io"
	"strconv"

	"github.com/boltseal/boltseal"
)

// maxSparse bounds the fragments of one sparse file.
const maxSparse = 1 << 20

type fragment struct{ off, size int64 }

// paxSparse are the GNU.sparse.* records (GNU tar manual, "Storing Sparse
// Files"): version 0.0 repeats offset and numbytes, 0.1 has one list, 1.0 has
// it in front of the content.
type paxSparse struct {
	major, minor string
	name         []byte
	size, real   string
	list         []int64 // of versions 0.0 and 0.1: offset, size, …
}

func (s *paxSparse) record(key string, value []byte) error {
	switch key {
	case "major":
		s.major = string(value)
	case "minor":
		s.minor = string(value)
	case "name":
		s.name = value
	case "size":
		s.size = string(value)
	case "realsize":
		s.real = string(value)
	case "map":
		s.list = s.list[:0]
		for part := range bytes.SplitSeq(value, []byte{','}) {
			if err := s.add(part); err != nil {
				return err
			}
		}
	case "offset", "numbytes":
		if (len(s.list)%2 == 0) != (key == "offset") {
			return malformed("GNU.sparse.%s out of order", key)
		}
		return s.add(value)
	}
	return nil
}

func (s *paxSparse) add(value []byte) error {
	if len(value) == 0 {
		return nil
	}
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil {
		return malformed("sparse map: %.30q is no number", value)
	}
	if len(s.list) >= 2*maxSparse {
		return fmt.Errorf("sparse map: %w of %d fragments", boltseal.ErrLimit, maxSparse)
	}
	s.list = append(s.list, n)
	return nil
}

// readSparse sets up reading if h is a sparse file in any of its forms.
func (r *Reader) readSparse(h *Header) error {
	var frags []fragment
	var err error
	p := &r.pax.sparse
	version := p.major + "." + p.minor
	switch {
	case h.Type == TypeSparse:
		frags, err = r.oldSparse(h)
	case version == "0.0" || version == "0.1" || version == "." && len(p.list) > 0:
		if len(p.list)%2 != 0 {
			return malformed("sparse map of %d numbers", len(p.list))
		}
		for i := 0; i < len(p.list); i += 2 {
			frags = append(frags, fragment{p.list[i], p.list[i+1]})
		}
		err = r.sparseHeader(h)
	case version == "1.0":
		if err = r.sparseHeader(h); err == nil {
			frags, err = r.sparseMap1()
		}
	default:
		return nil
	}
	if err != nil {
		return err
	}
	if h.Type != TypeSparse && h.Type != TypeRegular && h.Type != TypeCont {
		return malformed("%.100q is sparse and no file", h.Name)
	}
	if err := checkFragments(frags, h.Size); err != nil {
		return err
	}
	r.sparse = &sparseReader{r: r, frags: frags, size: h.Size}
	return nil
}

func (r *Reader) sparseHeader(h *Header) error {
	p := &r.pax.sparse
	if len(p.name) > 0 {
		h.Name = p.name
	}
	size := p.size
	if size == "" {
		size = p.real
	}
	if size != "" {
		n, err := strconv.ParseInt(size, 10, 64)
		if err != nil {
			return malformed("sparse size %.30q is no number", size)
		}
		h.Size = n
	}
	return nil
}

// checkFragments wants fragments in order, apart and within the file.
func checkFragments(frags []fragment, size int64) error {
	if size < 0 {
		return malformed("a sparse file of negative size")
	}
	end := int64(0)
	for _, f := range frags {
		if f.off < end || f.size < 0 || f.off > size-f.size {
			return malformed("a fragment of a sparse file lies outside of it or over another")
		}
		end = f.off + f.size
	}
	return nil
}

// oldSparse reads the map in the header block (still unread behind r.r) and
// its extension blocks.
func (r *Reader) oldSparse(h *Header) ([]fragment, error) {
	const offMap, offExtended, offReal = 386, 482, 483
	head := r.buf[r.r-block : r.r]
	if !bytes.Equal(head[offMagic:offMagic+8], []byte("ustar  \x00")) {
		return nil, malformed("a sparse file that is not in GNU's format")
	}
	size, ok := number(head[offReal : offReal+12])
	if !ok {
		return nil, malformed("the size of a sparse file cannot be read")
	}
	h.Size = size
	var frags []fragment
	area, more := head[offMap:offExtended], head[offExtended] != 0
	for {
		for ; len(area) >= 24; area = area[24:] {
			if area[0] == 0 {
				break
			}
			off, ok1 := number(area[:12])
			n, ok2 := number(area[12:24])
			if !ok1 || !ok2 {
				return nil, malformed("sparse map: a number cannot be read")
			}
			if len(frags) >= maxSparse {
				return nil, fmt.Errorf("sparse map: %w of %d fragments", boltseal.ErrLimit, maxSparse)
			}
			frags = append(frags, fragment{off, n})
		}
		if !more {
			return frags, nil
		}
		b, err := r.fill(block)
		if len(b) < block {
			return nil, truncated(err)
		}
		area, more = b[:504], b[504] != 0
		r.r += block
	}
}

// sparseMap1 reads decimal numbers, one a line: the count, then pairs. The map
// is padded to a block.
func (r *Reader) sparseMap1() ([]fragment, error) {
	var used int64
	line := func() (int64, error) {
		var n int64
		for digits := 0; ; digits++ {
			var c [1]byte
			if m, err := r.rawRead(c[:]); m == 0 {
				if err == io.EOF {
					err = io.ErrUnexpectedEOF
				}
				return 0, fmt.Errorf("%w: sparse map: %w", boltseal.ErrMalformed, err)
			}
			used++
			switch {
			case c[0] == '\n' && digits > 0:
				return n, nil
			case c[0] < '0' || c[0] > '9' || digits >= 18:
				return 0, malformed("sparse map: a number cannot be read")
			}
			n = n*10 + int64(c[0]-'0')
		}
	}
	count, err := line()
	if err != nil {
		return nil, err
	}
	if count > maxSparse {
		return nil, fmt.Errorf("sparse map of %d fragments: %w of %d", count, boltseal.ErrLimit, maxSparse)
	}
	var frags []fragment
	for range count {
		var f fragment
		if f.off, err = line(); err == nil {
			f.size, err = line()
		}
		if err != nil {
			return nil, err
		}
		frags = append(frags, f)
	}
	for pad := -used & (block - 1); pad > 0; {
		b, err := r.rawChunk(pad)
		if err != nil {
			return nil, truncated(err)
		}
		pad -= int64(len(b))
	}
	return frags, nil
}

// sparseReader gives a sparse file's content with its holes as zeros.
type sparseReader struct {
	r     *Reader
	frags []fragment
	pos   int64
	size  int64
	head  []byte // peeked and not yet read
	buf   []byte
}

func (s *sparseReader) Read(p []byte) (int, error) {
	if len(s.head) > 0 {
		n := copy(p, s.head)
		s.head = s.head[n:]
		return n, nil
	}
	return s.read(p)
}

func (s *sparseReader) read(p []byte) (int, error) {
	for len(s.frags) > 0 && s.pos >= s.frags[0].off+s.frags[0].size {
		s.frags = s.frags[1:]
	}
	next := s.size
	if len(s.frags) > 0 {
		if f := s.frags[0]; s.pos >= f.off {
			p = p[:min(int64(len(p)), f.off+f.size-s.pos)]
			n, err := s.r.rawRead(p)
			s.pos += int64(n)
			if err == io.EOF {
				err = truncated(err)
			}
			return n, err
		} else {
			next = f.off
		}
	}
	if s.pos >= s.size {
		return 0, io.EOF
	}
	n := min(int64(len(p)), next-s.pos)
	clear(p[:n])
	s.pos += n
	return int(n), nil
}

func (s *sparseReader) peek(n int) ([]byte, error) {
	if len(s.head) < n {
		b := make([]byte, n)
		have := copy(b, s.head)
		m, err := io.ReadFull(readFunc(s.read), b[have:])
		s.head = b[:have+m]
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return s.head, err
		}
	}
	return s.head[:min(n, len(s.head))], nil
}

func (s *sparseReader) chunk() ([]byte, error) {
	if s.buf == nil {
		s.buf = make([]byte, 32<<10)
	}
	n, err := s.Read(s.buf)
	return s.buf[:n], err
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }
