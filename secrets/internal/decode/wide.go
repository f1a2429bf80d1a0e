package decode

import (
	"bytes"
	"encoding/binary"
	"io"
)

// wideRun is how many characters make a run of wide ones.
const wideRun = 16

// nextWide finds runs of wide characters, each of width bytes, all of which but
// one are zero, in either order of bytes and at any offset: as Windows programs
// and databases hold text. A run of 16 covers an aligned word of 8 bytes, which
// is what is looked at.
func nextWide(width int) func(data []byte, from, to int) int {
	step := 8 * width // so that a run holds the word at one of these
	keep := uint64(0x00ff00ff00ff00ff)
	if width == 4 {
		keep = 0x000000ff000000ff
	}
	return func(data []byte, from, to int) int {
		i := from &^ (step - 1)
		if bytes.IndexByte(data[i:min(max(i, to+8), len(data))], 0) < 0 {
			return -1
		}
		for ; i < to && i+8 <= len(data); i += step {
			x := binary.LittleEndian.Uint64(data[i:])
			if even, odd := x&0x00ff00ff00ff00ff, x&0xff00ff00ff00ff00; even != 0 && odd != 0 || x == 0 {
				continue
			}
			for phase := range width {
				if keep := keep << (8 * phase); x&^keep == 0 && wideText(x>>(8*phase), width) {
					if lo, hi := wideAt(data, i+phase, width); hi-lo >= wideRun*width && hi > from {
						return i
					}
				}
			}
		}
		return -1
	}
}

// wideText reports whether all characters of a word are text.
func wideText(x uint64, width int) bool {
	for n := 0; n < 8; n += width {
		if !printable(byte(x >> (8 * n))) {
			return false
		}
	}
	return true
}

// wideAt returns the run of wide characters whose bytes that are not zero lie at
// a multiple of width from at.
func wideAt(data []byte, at, width int) (lo, hi int) {
	ok := func(i int) bool { // a character, of whose bytes only the first matters
		if i < 0 || i >= len(data) || !printable(data[i]) {
			return false
		}
		for j := 1; j < width; j++ {
			if i+j < len(data) && data[i+j] != 0 {
				return false
			}
		}
		return true
	}
	lo, hi = at, at
	for at-lo < window/2 && ok(lo-width) {
		lo -= width
	}
	for hi-lo < window && ok(hi) {
		hi += width
	}
	if lo > 0 && data[lo-1] == 0 && hi < len(data) && printable(data[hi]) {
		hi++ // high bytes first: nothing follows the last character
	}
	return lo, min(hi, len(data))
}

func wideBounds(width int) func(data []byte, at int) (lo, hi int) {
	return func(data []byte, at int) (int, int) {
		for i := at; i < at+width; i++ {
			if lo, hi := wideAt(data, i, width); hi-lo >= wideRun*width {
				return lo, hi
			}
		}
		return at, at
	}
}

// narrow keeps the first of every width bytes.
func narrow(width int) func([]byte) []byte {
	return func(b []byte) []byte {
		out := make([]byte, 0, len(b)/width+1)
		for i := 0; i < len(b); i += width {
			out = append(out, b[i])
		}
		return out
	}
}

// WideText describes a text file in wide characters.
type WideText struct {
	Step  string // "utf-16le", "utf-16be", "utf-32le", "utf-32be"
	Start int    // length of the byte order mark
	Width int    // bytes of a character
	big   bool
}

// DetectWide tells text in UTF-16 and UTF-32 by its byte order mark, or by zeros in
// one parity of the first 512 bytes.
func DetectWide(head []byte) (w WideText, ok bool) {
	for _, m := range []struct {
		mark string
		w    WideText
	}{
		{"\xff\xfe\x00\x00", WideText{"utf-32le", 4, 4, false}},
		{"\x00\x00\xfe\xff", WideText{"utf-32be", 4, 4, true}},
		{"\xff\xfe", WideText{"utf-16le", 2, 2, false}},
		{"\xfe\xff", WideText{"utf-16be", 2, 2, true}},
	} {
		if len(head) >= len(m.mark)+m.w.Width && string(head[:len(m.mark)]) == m.mark {
			return m.w, true
		}
	}
	head = head[:min(len(head), 512)&^3]
	var zero, text [4]int
	for i, c := range head {
		switch {
		case c == 0:
			zero[i&3]++
		case printable(c):
			text[i&3]++
		}
	}
	n := len(head) / 4
	if n < 8 {
		return w, false
	}
	all := func(count [4]int, at ...int) bool { // two thirds: not every character is ASCII
		for _, i := range at {
			if count[i] < n-n/3 {
				return false
			}
		}
		return true
	}
	switch {
	case all(text, 0) && all(zero, 1, 2, 3):
		return WideText{"utf-32le", 0, 4, false}, true
	case all(text, 3) && all(zero, 0, 1, 2):
		return WideText{"utf-32be", 0, 4, true}, true
	case all(text, 0, 2) && all(zero, 1, 3):
		return WideText{"utf-16le", 0, 2, false}, true
	case all(text, 1, 3) && all(zero, 0, 2):
		return WideText{"utf-16be", 0, 2, true}, true
	}
	return w, false
}

// Reader folds the text that r begins with, mark included, into one byte a character:
// what is not ASCII becomes 0x1A, so that byte n of the result stands for the bytes
// from Start+n·Width on.
func (w WideText) Reader(r io.Reader) io.Reader { return &fold{WideText: w, r: r, lead: w.Start} }

type fold struct {
	WideText
	r    io.Reader
	lead int
	buf  [4096]byte
	have int
	err  error
}

func (f *fold) Read(p []byte) (int, error) {
	for len(p) > 0 {
		if f.lead == 0 && f.have >= f.Width {
			n := min(len(p), f.have/f.Width)
			for i := range n {
				p[i] = f.char(f.buf[i*f.Width:])
			}
			f.have = copy(f.buf[:], f.buf[n*f.Width:f.have])
			return n, nil
		}
		if f.err != nil {
			return 0, f.err
		}
		var n int
		n, f.err = f.r.Read(f.buf[f.have:])
		f.have += n
		if skip := min(f.lead, f.have); skip > 0 {
			f.have = copy(f.buf[:], f.buf[skip:f.have])
			f.lead -= skip
		}
	}
	return 0, nil
}

// char folds one character.
func (f *fold) char(b []byte) byte {
	at := 0
	if f.big {
		at = f.Width - 1
	}
	c := b[at]
	for i := range f.Width {
		if i != at && b[i] != 0 {
			return 0x1a
		}
	}
	if c >= 0x80 {
		return 0x1a
	}
	return c
}
