package decode

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Records of a zip file, APPNOTE.TXT 4.3.7 to 4.3.9 and 4.3.12.
const (
	zipLocal      = "PK\x03\x04"
	zipDescriptor = "PK\x07\x08"
	zipCentral    = "PK\x01\x02"
)

// zip reads a zip file from its first byte to its last by the headers before the
// members, and never seeks: members that the central directory leaves out are
// in it all the same, and so are archives in archives without holding them.
// Bytes that belong to no member (a program before the archive, comments, the
// directory) are handed out as such.
func (c *container) zip() error {
	for {
		head, err := c.in.Peek(4)
		switch {
		case len(head) == 0 && err == io.EOF:
			return nil
		case len(head) == 0:
			return err
		case string(head) == zipLocal:
			if err := c.zipMember(); err != nil {
				return err
			}
			continue
		case string(head) == zipDescriptor && c.zipDescriptor():
			continue
		}
		u := &until{in: c.in, marks: []string{zipLocal}, read: 1}
		if err := c.between(c.in.pos(), u); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, u); err != nil {
			return err
		}
	}
}

type zipHeader struct {
	flags, method    uint16
	compressed, size int64
	name             string
}

func (c *container) zipHeader() (h zipHeader, err error) {
	var b [30]byte
	if _, err := io.ReadFull(c.in, b[:]); err != nil {
		return h, malformed("zip header at the end: %v", err)
	}
	h.flags, h.method = binary.LittleEndian.Uint16(b[6:]), binary.LittleEndian.Uint16(b[8:])
	h.compressed, h.size = int64(binary.LittleEndian.Uint32(b[18:])), int64(binary.LittleEndian.Uint32(b[22:]))
	names := make([]byte, int(binary.LittleEndian.Uint16(b[26:]))+int(binary.LittleEndian.Uint16(b[28:])))
	if _, err := io.ReadFull(c.in, names); err != nil {
		return h, malformed("zip header at the end: %v", err)
	}
	n := binary.LittleEndian.Uint16(b[26:])
	h.name = string(names[:n])
	for extra := names[n:]; len(extra) >= 4; { // 4.5.3: the sizes that did not fit
		id, size := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if extra = extra[4:]; size > len(extra) {
			break
		}
		if field := extra[:size]; id == 1 {
			for _, v := range []*int64{&h.size, &h.compressed} {
				if *v == 0xffffffff && len(field) >= 8 {
					*v, field = int64(binary.LittleEndian.Uint64(field)), field[8:]
				}
			}
		}
		extra = extra[size:]
	}
	if h.compressed < 0 {
		return h, malformed("zip member %q of size %d", cleanName(h.name), h.compressed)
	}
	return h, nil
}

func (c *container) zipMember() error {
	start := c.in.pos()
	h, err := c.zipHeader()
	if err != nil {
		return err
	}
	if h.name != "" && h.name[len(h.name)-1] == '/' && h.compressed == 0 && h.method == 0 {
		return nil
	}
	// The size may follow the content (flag 3), or be left out by mistake.
	sized := h.flags&8 == 0 || h.compressed > 0
	if h.compressed == 0 && (h.method != 0 || h.size > 0) {
		sized = false
	}
	var raw io.Reader = c.in
	if sized {
		raw = &limited{in: c.in, left: h.compressed}
	} else if h.method != 8 {
		raw = &until{in: c.in, marks: []string{zipDescriptor, zipLocal, zipCentral}}
	}
	err = c.zipContent(&h, raw)
	if stops(err) {
		return err
	}
	if err != nil {
		c.Skip(cleanName(h.name), fmt.Errorf("zip member at %d: %w", start, err))
	}
	if l, ok := raw.(*limited); ok && h.method != 0 && l.left > 0 && l.left < h.compressed {
		return c.rest(l) // behind the end of what was compressed
	} else if raw != io.Reader(c.in) {
		if _, err := io.Copy(io.Discard, raw); err != nil {
			return err
		}
	}
	return nil
}

// rest hands out what a member has left of its space.
func (c *container) rest(l *limited) error {
	if err := c.between(c.in.pos(), l); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, l)
	return err
}

// zipContent walks the member and, where only its end says how long it is,
// reads it to the end.
func (c *container) zipContent(h *zipHeader, raw io.Reader) error {
	if h.flags&1 != 0 {
		return fmt.Errorf("encrypted: %w", errors.ErrUnsupported)
	}
	var r io.Reader
	switch h.method {
	case 0:
		return c.member(h.name, raw)
	case 8:
		r = c.inflate(raw)
	default:
		f, ok := map[uint16]Format{12: Bzip2, 93: Zstd, 95: XZ}[h.method] // 4.4.5
		if !ok {
			return fmt.Errorf("zip method %d: %w", h.method, errors.ErrUnsupported)
		}
		z, err := c.decompress(f, raw)
		if err != nil {
			return err
		}
		defer z.Close()
		r = z
	}
	r = c.bounded(r)
	if err := c.member(h.name, r); err != nil {
		return err
	}
	io.Copy(io.Discard, r) // its error was the member's
	return nil
}

// inflate reads no byte too many: raw is an io.ByteReader. One inflater serves all
// members, of which most are small.
func (c *container) inflate(raw io.Reader) io.Reader {
	if c.inflater == nil {
		c.inflater = flate.NewReader(raw)
	} else {
		c.inflater.(flate.Resetter).Reset(raw, nil) // never fails
	}
	return c.inflater
}

// zipDescriptor skips the record after a member, 4.3.9, in its two sizes.
func (c *container) zipDescriptor() bool {
	b, _ := c.in.Peek(26)
	for _, n := range []int{16, 24} {
		if len(b) >= n+2 && string(b[n:n+2]) == "PK" {
			c.in.Discard(n)
			return true
		}
	}
	return false
}

// limited reads so many bytes and no more; unlike io.LimitedReader it is an
// io.ByteReader.
type limited struct {
	in   *buffered
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, io.EOF
	}
	n, err := l.in.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	if err == io.EOF && l.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (l *limited) ReadByte() (byte, error) {
	if l.left <= 0 {
		return 0, io.EOF
	}
	b, err := l.in.ReadByte()
	if err == nil {
		l.left--
	} else if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return b, err
}

// until reads up to, and without, one of the marks, each of four bytes that
// begin with "PK".
type until struct {
	in    *buffered
	marks []string
	read  int // bytes in which no mark counts
	done  bool
}

func (u *until) Read(p []byte) (int, error) {
	if u.done || len(p) == 0 {
		return 0, io.EOF
	}
	b, err := u.in.Peek(max(4, u.in.Buffered()))
	if len(b) < 4 { // the end, or an error that the next call meets again
		if len(b) == 0 {
			u.done = err == io.EOF
			return 0, err
		}
	}
	from := u.read
	u.read = 0
	n := len(b)
	for from < n {
		i := bytes.Index(b[from:], []byte("PK"))
		if i < 0 {
			if err == nil && b[n-1] == 'P' {
				n--
			}
			break
		}
		at := from + i
		if len(b)-at < 4 && err == nil {
			n = at
			break
		}
		if len(b)-at >= 4 && u.marked(b[at:at+4]) {
			n, u.done = at, at <= len(p)
			break
		}
		from = at + 1
	}
	n = copy(p, b[:n])
	u.in.Discard(n)
	if n == 0 && u.done {
		return 0, io.EOF
	}
	return n, nil
}

func (u *until) marked(b []byte) bool {
	for _, m := range u.marks {
		if string(b) == m {
			return true
		}
	}
	return false
}
