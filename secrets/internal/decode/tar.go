package decode

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
)

// tar reads a tar archive. Where it is damaged, and behind its end, the bytes
// are handed out as they are.
func (c *container) tar() error {
	tr := tar.NewReader(c.in)
	for {
		h, err := tr.Next()
		if err != nil {
			if c.in.src.err != nil {
				return c.in.src.err
			}
			if err != io.EOF {
				err = malformed("tar header before %d: %v", c.in.pos(), err)
			} else {
				err = nil
			}
			return errors.Join(err, c.between(c.in.pos(), &unzero{in: c.in}))
		}
		switch h.Typeflag {
		case tar.TypeReg, tar.TypeGNUSparse, tar.TypeCont:
			if err := c.member(h.Name, c.sparse(tr)); err != nil {
				return err
			}
		}
	}
}

// sparse bounds a member by what its archive holds of it: a sparse file may state
// any size, and its holes are zeros that nobody wrote.
func (c *container) sparse(r io.Reader) io.Reader {
	limits := c.limits
	limits.RatioFrom = min(limits.RatioFrom, 4<<20)
	return &inflated{r: r, in: c.in, start: c.in.pos(), limits: &limits}
}

// unzero leaves out the zeros that fill up an archive's last record.
type unzero struct {
	in   *buffered
	some bool
}

func (u *unzero) Read(p []byte) (int, error) {
	for !u.some {
		b, err := u.in.Peek(max(1, u.in.Buffered()))
		n := 0
		for n < len(b) && b[n] == 0 {
			n++
		}
		u.in.Discard(n)
		if n < len(b) {
			u.some = true
		} else if err != nil {
			return 0, err
		}
	}
	return u.in.Read(p)
}

// ar reads a Unix archive, ar(5), in the GNU and the BSD form: Debian packages
// and static libraries.
func (c *container) ar() error {
	if _, err := c.in.Discard(8); err != nil {
		return err
	}
	var names []byte // "//": the long names of the GNU form
	for {
		start := c.in.pos()
		var b [60]byte
		if _, err := io.ReadFull(c.in, b[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return malformed("ar header at %d: %v", start, err)
		}
		size, ok := decimal(b[48:58])
		if !ok || string(b[58:]) != "`\n" {
			return errors.Join(malformed("ar header at %d", start), c.between(c.in.pos(), c.in))
		}
		name := trimRight(b[:16], " ")
		body := &limited{in: c.in, left: size}
		switch {
		case string(name) == "//" && size <= 1<<20:
			names = make([]byte, size)
			if _, err := io.ReadFull(body, names); err != nil {
				return malformed("ar names at %d: %v", start, err)
			}
		case len(name) > 3 && string(name[:3]) == "#1/":
			n, ok := decimal(name[3:])
			if !ok || n > size || n > 4096 {
				return malformed("ar name at %d", start)
			}
			name = make([]byte, n)
			if _, err := io.ReadFull(body, name); err != nil {
				return malformed("ar name at %d: %v", start, err)
			}
			name = trimRight(name, "\x00")
		case len(name) > 1 && name[0] == '/':
			if at, ok := decimal(name[1:]); ok && at < int64(len(names)) {
				name = names[at:]
				for i, ch := range name {
					if ch == '\n' {
						name = name[:i]
						break
					}
				}
			}
			fallthrough
		default:
			name = trimRight(name, "/")
		}
		if err := c.member(string(name), body); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, body); err != nil {
			return malformed("ar member at %d: %v", start, err)
		}
		if size&1 == 1 {
			c.in.Discard(1)
		}
	}
}

func trimRight(b []byte, cut string) []byte {
	for len(b) > 0 && b[len(b)-1] == cut[0] {
		b = b[:len(b)-1]
	}
	return b
}

// decimal reads digits that blanks follow.
func decimal(b []byte) (int64, bool) { return number(trimRight(b, " "), 10) }

func number(b []byte, base int64) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 12 {
		return 0, false
	}
	for _, ch := range b {
		d := int64(99)
		switch {
		case ch >= '0' && ch <= '9':
			d = int64(ch - '0')
		case ch|0x20 >= 'a' && ch|0x20 <= 'f':
			d = int64(ch|0x20-'a') + 10
		}
		if d >= base {
			return 0, false
		}
		n = n*base + d
	}
	return n, true
}

// cpioHead checks that a header's fields are digits.
func cpioHead(h []byte) bool {
	n, base := 110, int64(16)
	if len(h) > 5 && h[5] == '7' {
		n, base = 76, 8
	}
	if len(h) < n {
		return false
	}
	for i := 6; i < n; i++ {
		if _, ok := number(h[i:i+1], base); !ok {
			return false
		}
	}
	return true
}

// cpio reads a cpio archive, cpio(5): the new ASCII forms, with and without
// sums, and the portable one.
func (c *container) cpio() error {
	for {
		start := c.in.pos()
		head, err := c.in.Peek(110)
		if len(head) == 0 {
			if err == io.EOF {
				return nil
			}
			return err
		}
		var nameSize, size, mode int64
		var length, align int64 = 110, 4
		switch {
		case len(head) < 76 || !cpioHead(head) || string(head[:4]) != "0707":
			return c.between(start, &unzero{in: c.in}) // padding, or another archive behind it
		case head[5] == '7':
			length, align = 76, 1
			mode, _ = number(head[18:24], 8)
			nameSize, _ = number(head[59:65], 8)
			size, _ = number(head[65:76], 8)
		default:
			mode, _ = number(head[14:22], 16)
			size, _ = number(head[54:62], 16)
			nameSize, _ = number(head[94:102], 16)
		}
		if nameSize == 0 || nameSize > 64<<10 {
			return errors.Join(malformed("cpio name of %d bytes at %d", nameSize, start), c.between(start, c.in))
		}
		name := make([]byte, length+nameSize+pad(length+nameSize, align))
		if _, err := io.ReadFull(c.in, name); err != nil {
			return malformed("cpio header at %d: %v", start, err)
		}
		name = trimRight(name[length:length+nameSize], "\x00")
		body := &limited{in: c.in, left: size}
		switch {
		case string(name) == "TRAILER!!!":
			continue
		case mode&0o170000 == 0o100000 && size > 0:
			if err := c.member(string(name), body); err != nil {
				return err
			}
		}
		if _, err := io.Copy(io.Discard, body); err != nil {
			return malformed("cpio member at %d: %v", start, err)
		}
		if _, err := c.in.Discard(int(pad(size, align))); err != nil && err != io.EOF {
			return err
		}
	}
}

// pad is how many bytes are missing to a multiple of align.
func pad(n, align int64) int64 { return (align - n%align) % align }

// rpm reads an RPM package, format version 3 and 4 (rpm.org, "Package format"):
// lead, signature, header with the scripts, and a compressed cpio archive.
func (c *container) rpm() error {
	const lead = 96
	if _, err := c.in.Discard(lead); err != nil {
		return malformed("rpm lead: %v", err)
	}
	for i, name := range []string{"signature", "header"} {
		start := c.in.pos()
		b, err := c.in.Peek(16)
		if err != nil || string(b[:3]) != "\x8e\xad\xe8" {
			return errors.Join(malformed("rpm %s at %d", name, start), c.between(start, c.in))
		}
		size := 16 + 16*int64(be32(b[8:])) + int64(be32(b[12:]))
		if i == 0 {
			size += pad(size, 8)
		}
		body := &limited{in: c.in, left: size}
		if err := c.member(name, body); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, body); err != nil {
			return malformed("rpm %s: %v", name, err)
		}
	}
	head, _ := c.in.Peek(512)
	f := Detect("", head)
	switch f {
	case Raw: // lzma has no magic
		return errors.Join(fmt.Errorf("rpm payload in an unknown compression: %w", errors.ErrUnsupported), c.between(c.in.pos(), c.in))
	case Cpio:
		return c.cpio()
	}
	r, err := c.decompress(f, c.in)
	if err != nil {
		return err
	}
	defer r.Close()
	// The archive's members are the package's own: one step less for people.
	inner := *c
	inner.in = buffer(c.bounded(r))
	return inner.cpio()
}

func be32(b []byte) uint32 {
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}
