package decode

import (
	"bufio"
	"encoding/binary"
	"io"
)

// mask is a reader that blanks bytes of its source and moves none. A format
// writes its strings behind a byte that tells their length, and for one string
// in five that byte is a letter or a digit: the string would seem to go on.
type mask struct {
	in   *bufio.Reader
	next func(m *mask) error // appends to out; io.EOF ends the mask, not the source
	out  []byte
	done bool
}

// maskBuffer is more than any length that is peeked at. Most class files are not
// larger, and there are many.
const maskBuffer = 8 << 10

func newMask(r io.Reader, next func(m *mask) error) io.Reader {
	return &mask{in: bufio.NewReaderSize(r, maskBuffer), next: next}
}

func (m *mask) Read(p []byte) (int, error) {
	for len(m.out) == 0 {
		if m.done {
			return m.in.Read(p)
		}
		m.out = m.out[:0]
		if err := m.next(m); err != nil {
			m.done = true // the source goes on as it is, or says what is wrong
		}
	}
	n := copy(p, m.out)
	m.out = m.out[n:]
	return n, nil
}

// blank consumes n bytes and shows line breaks for them.
func (m *mask) blank(n int) ([]byte, error) {
	b, err := m.in.Peek(n)
	if err != nil {
		return nil, err
	}
	for range n {
		m.out = append(m.out, '\n')
	}
	m.in.Discard(n)
	return b, nil
}

// show consumes n bytes and shows them.
func (m *mask) show(n int) error {
	for n > 0 {
		b, err := m.in.Peek(min(n, maskBuffer))
		m.out = append(m.out, b...)
		m.in.Discard(len(b))
		if n -= len(b); err != nil {
			return err
		}
	}
	return nil
}

// Class masks a Java class file: of its constant pool (Java Virtual Machine
// Specification, 4.4), tags, lengths and numbers. The rest is shown as it is.
func Class(r io.Reader) io.Reader {
	left := -1
	return newMask(r, func(m *mask) error {
		if left < 0 {
			b, err := m.in.Peek(10)
			if err != nil {
				return err
			}
			left = int(binary.BigEndian.Uint16(b[8:])) - 1
			_, err = m.blank(10)
			return err
		}
		if left <= 0 {
			return io.EOF
		}
		tag, err := m.in.Peek(1)
		if err != nil {
			return err
		}
		left--
		switch tag[0] {
		case 1: // Utf8
			b, err := m.in.Peek(3)
			if err != nil {
				return err
			}
			n := int(binary.BigEndian.Uint16(b[1:]))
			if _, err := m.blank(3); err != nil {
				return err
			}
			return m.show(n)
		case 3, 4, 9, 10, 11, 12, 17, 18:
			_, err = m.blank(5)
		case 5, 6:
			left-- // takes two entries
			_, err = m.blank(9)
		case 7, 8, 16, 19, 20:
			_, err = m.blank(3)
		case 15:
			_, err = m.blank(4)
		default:
			return io.EOF
		}
		return err
	})
}

// Python masks a compiled Python module. Short strings of the marshal format
// (CPython, Python/marshal.c: types z and Z, with and without the reference flag)
// stand behind one byte of length, and a type follows them; both are blanked where
// the length fits printable text. Other bytes are shown as they are.
func Python(r io.Reader) io.Reader {
	started := false
	return newMask(r, func(m *mask) error {
		if !started { // the header: magic and either flags, time and size, or a hash
			started = true
			_, err := m.blank(16)
			return err
		}
		b, err := m.in.Peek(1)
		if err != nil {
			return err
		}
		kind := b[0] // of the buffer, which the next look may move
		switch kind &^ 0x80 {
		case 'z', 'Z':
			b, _ = m.in.Peek(2 + 255)
			if len(b) < 2 || len(b) < 2+int(b[1]) || !allPrintable(b[2:2+int(b[1])]) || b[1] == 0 {
				break
			}
			n := int(b[1])
			if _, err := m.blank(2); err != nil {
				return err
			}
			return m.show(n)
		case 'a', 'A', 'u', 't', 's': // behind four bytes of length, of which the last is zero
			b, _ = m.in.Peek(5)
			if len(b) < 5 || b[4] != 0 || b[3] != 0 {
				break
			}
			n := int(binary.LittleEndian.Uint32(b[1:]))
			if b, _ := m.in.Peek(5 + min(n, 64)); n == 0 || len(b) < 5+min(n, 64) || !allPrintable(b[5:]) {
				break
			}
			if _, err := m.blank(5); err != nil {
				return err
			}
			for n > 0 { // what a block of memory cannot hold is shown in pieces
				part := min(n, 32<<10)
				if err := m.show(part); err != nil {
					return err
				}
				n -= part
			}
			return nil
		}
		if isType(kind) {
			_, err := m.blank(1)
			return err
		}
		return m.show(1)
	})
}

// isType reports whether a byte is a letter that marks a type in marshal data:
// between two strings it would be part of the first one.
func isType(c byte) bool {
	c &^= 0x80
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

func allPrintable(b []byte) bool {
	for _, c := range b {
		if !printable(c) {
			return false
		}
	}
	return true
}

// Dex masks an Android executable (Dalvik executable format, string_data_item):
// the length before a string that ends where the length says.
func Dex(r io.Reader) io.Reader {
	return newMask(r, func(m *mask) error {
		b, err := m.in.Peek(2 + 128)
		if len(b) < 3 {
			if err == nil {
				err = io.EOF
			}
			return err
		}
		if n := int(b[1]); b[0] == 0 && n > 0 && n < 128 && 2+n < len(b) && b[2+n] == 0 && allPrintable(b[2:2+n]) {
			if err := m.show(1); err != nil {
				return err
			}
			if _, err := m.blank(1); err != nil {
				return err
			}
			return m.show(n)
		}
		// Up to the next zero nothing can begin.
		n := 1
		for n < len(b) && b[n] != 0 {
			n++
		}
		return m.show(n)
	})
}
