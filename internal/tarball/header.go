package tarball

import (
	"bytes"
	"encoding/binary"
	"io/fs"
)

// The types of entries.
const (
	TypeRegular  = '0'
	TypeHardLink = '1'
	TypeSymlink  = '2'
	TypeChar     = '3'
	TypeBlock    = '4'
	TypeDir      = '5'
	TypeFIFO     = '6'
	TypeCont     = '7' // a regular file, by POSIX
	TypeSparse   = 'S' // old GNU sparse file

	typeOldRegular = 0
	typePAX        = 'x'
	typePAXGlobal  = 'g'
	typeLongName   = 'L'
	typeLongLink   = 'K'
)

// Header describes an entry. Its slices are valid until the next call of
// [Reader.Next].
type Header struct {
	Name, Link   []byte
	Type         byte
	Mode         int64 // permission bits, as in stat(2)
	Size         int64 // of the content, holes of a sparse file counted
	Major, Minor int64 // of devices
	// Overlay is set if the entry carries an extended attribute
	// trusted.overlay.*, which only a kernel should write.
	Overlay bool
}

// FileMode returns type and permission as [io/fs] has them. A hard link has
// the type of a regular file.
func (h *Header) FileMode() fs.FileMode {
	m := fs.FileMode(h.Mode & 0o777)
	if h.Mode&0o4000 != 0 {
		m |= fs.ModeSetuid
	}
	if h.Mode&0o2000 != 0 {
		m |= fs.ModeSetgid
	}
	if h.Mode&0o1000 != 0 {
		m |= fs.ModeSticky
	}
	switch h.Type {
	case TypeSymlink:
		m |= fs.ModeSymlink
	case TypeChar:
		m |= fs.ModeDevice | fs.ModeCharDevice
	case TypeBlock:
		m |= fs.ModeDevice
	case TypeDir:
		m |= fs.ModeDir
	case TypeFIFO:
		m |= fs.ModeNamedPipe
	}
	return m
}

// Fields of the header block (POSIX ustar, and where GNU differs).
const (
	offMode, offUID, offGID   = 100, 108, 116
	offSize, offMtime, offSum = 124, 136, 148
	offType, offLink          = 156, 157
	offMagic, offVersion      = 257, 263
	offMajor, offMinor        = 329, 337
	offPrefix                 = 345
	offStarTrailer            = 508
)

func (r *Reader) parse(b []byte) (*Header, error) {
	if err := checksum(b); err != nil {
		return nil, err
	}
	h := &r.hdr
	*h = Header{Name: cstring(b[:100]), Link: cstring(b[offLink : offLink+100]), Type: b[offType]}
	var ok [4]bool
	h.Mode, ok[0] = number(b[offMode : offMode+8])
	h.Size, ok[1] = number(b[offSize : offSize+12])
	_, ok[2] = number(b[offUID : offUID+8])
	_, ok[3] = number(b[offGID : offGID+8])
	if ok != [4]bool{true, true, true, true} {
		return nil, malformed("a number in the header of %.100q cannot be read", h.Name)
	}
	if _, ok := number(b[offMtime : offMtime+12]); !ok {
		return nil, malformed("the time of %.100q cannot be read", h.Name)
	}
	if h.Size < 0 {
		return nil, malformed("the size of %.100q is negative", h.Name)
	}
	magic, version := b[offMagic:offMagic+6], b[offVersion:offVersion+2]
	ustar := string(magic) == "ustar\x00"
	gnu := string(magic) == "ustar " && string(version) == " \x00"
	if ustar || gnu {
		var ok1, ok2 bool
		h.Major, ok1 = number(b[offMajor : offMajor+8])
		h.Minor, ok2 = number(b[offMinor : offMinor+8])
		if !ok1 || !ok2 {
			return nil, malformed("the device number of %.100q cannot be read", h.Name)
		}
	}
	prefix := []byte(nil)
	switch {
	case ustar && string(b[offStarTrailer:]) == "tar\x00":
		prefix = cstring(b[offPrefix : offPrefix+131])
	case ustar:
		prefix = cstring(b[offPrefix : offPrefix+155])
	}
	if len(prefix) > 0 {
		r.name = append(append(append(r.name[:0], prefix...), '/'), h.Name...)
		h.Name = r.name
	} else {
		r.name = append(r.name[:0], h.Name...) // the block does not outlive the body
		h.Name = r.name
	}
	if len(h.Link) > 0 {
		r.link = append(r.link[:0], h.Link...)
		h.Link = r.link
	}
	return h, nil
}

func cstring(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}

// checksum compares the sum of all bytes, the checksum's own taken as blanks,
// unsigned as POSIX has it or signed as some old writers did.
func checksum(b []byte) error {
	want, ok := octal(b[offSum : offSum+8])
	if !ok {
		return malformed("the checksum cannot be read")
	}
	sum := sumBytes(b) + 8*' '
	for _, c := range b[offSum : offSum+8] {
		sum -= int64(c)
	}
	if sum == want {
		return nil
	}
	var signed int64
	for i, c := range b {
		if i >= offSum && i < offSum+8 {
			c = ' '
		}
		signed += int64(int8(c))
	}
	if signed != want {
		return malformed("its checksum does not fit")
	}
	return nil
}

// sumBytes adds the bytes of a block, eight at a time in lanes of 16 bits: 64
// additions of at most 255 stay below 65536.
func sumBytes(b []byte) int64 {
	const even = 0x00ff00ff00ff00ff
	var lo, hi uint64
	for i := 0; i < block; i += 8 {
		v := binary.LittleEndian.Uint64(b[i:])
		lo += v & even
		hi += v >> 8 & even
	}
	var sum uint64
	for s := 0; s < 64; s += 16 {
		sum += lo>>s&0xffff + hi>>s&0xffff
	}
	return int64(sum)
}

// number reads octal digits, or GNU's base 256.
func number(b []byte) (int64, bool) {
	if b[0]&0x80 == 0 {
		return octal(b)
	}
	inv := byte(0) // two's complement, of any width
	if b[0]&0x40 != 0 {
		inv = 0xff
	}
	var x uint64
	for i, c := range b {
		c ^= inv
		if i == 0 {
			c &= 0x7f
		}
		if x>>56 > 0 {
			return 0, false
		}
		x = x<<8 | uint64(c)
	}
	if x>>63 > 0 {
		return 0, false
	}
	if inv == 0xff {
		return ^int64(x), true
	}
	return int64(x), true
}

func octal(b []byte) (int64, bool) {
	for len(b) > 0 && (b[0] == ' ' || b[0] == 0) {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == 0) {
		b = b[:len(b)-1]
	}
	b = cstring(b)
	var x uint64
	for _, c := range b {
		if c < '0' || c > '7' || x>>60 != 0 {
			return 0, false
		}
		x = x<<3 | uint64(c-'0')
	}
	return int64(x), true
}

func isZero(b []byte) bool {
	for len(b) >= 8 {
		if binary.LittleEndian.Uint64(b) != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
