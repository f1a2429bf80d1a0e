package decode

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

const (
	minRun   = 24      // characters of base64
	minHex   = 32      // digits
	maxRun   = 1 << 20 // characters that are decoded in one piece
	overlap  = token * 4 / 3 &^ 3
	wrapped  = 40 // characters from which a line goes on in the next
	maxShift = 80 // blanks before the next line
)

// runs finds runs of the base64 alphabets and of hexadecimal digits. A run that
// is longer than what is at hand is gathered over several calls.
type runs struct {
	done  int
	open  bool   // a run goes on
	start int    // of the open run
	line  int    // of the open run
	text  []byte // of the open run, without breaks
	lined int    // characters on its current line
}

// nextRun returns where the next run of minRun characters begins in data, before
// to; -1 if none does. It returns its end too, and the cases of its letters. It
// looks at a third of ordinary text: a byte that is no character rules out all
// the runs that hold it, and is looked for from behind.
func nextRun(data []byte, from, to int) (start, end int, cases byte) {
	for start = from; start < to && start+minRun <= len(data); {
		b := data[start : start+minRun : start+minRun]
		if bad := outside(binary.LittleEndian.Uint64(b[16:])); bad != 0 {
			start += 24 - bits.LeadingZeros64(bad)/8
			continue
		}
		if bad := outside(binary.LittleEndian.Uint64(b[8:])); bad != 0 {
			start += 16 - bits.LeadingZeros64(bad)/8
			continue
		}
		i, cases := minRun, byte(0)
		for i > 0 && letters[b[i-1]] != noLetter {
			i--
			cases |= letters[b[i]]
		}
		if i == 0 {
			n, more := extend(data[start+minRun:])
			return start, start + minRun + n, cases | more
		}
		start += i
	}
	return -1, 0, 0
}

// extend returns how many bytes of the alphabets data begins with, and the cases
// of the letters among them.
func extend(data []byte) (n int, cases byte) {
	for i, c := range data {
		class := letters[c]
		if class == noLetter {
			return i, cases
		}
		cases |= class
	}
	return len(data), cases
}

// letters has the case of each letter, 0 for other bytes of the alphabets, and
// noLetter for all others.
var letters = func() (t [256]byte) {
	for i := range t {
		switch c := byte(i); {
		case sextet[c] == 0xff:
			t[c] = noLetter
		case c >= 'a' && c <= 'z':
			t[c] = lowerCase
		case c >= 'A' && c <= 'Z':
			t[c] = upperCase
		}
	}
	return t
}()

const lowerCase, upperCase, noLetter = 1, 2, 4

// outside marks, by their highest bits, those of eight bytes that are not in the
// alphabets, save for brackets, backslash, circumflex and backquote.
func outside(x uint64) uint64 {
	const ones = 0x0101010101010101
	low := x &^ (0x80 * ones)
	control := ^(low + (0x80-'+')*ones)                         // and blanks, quotes, parentheses
	comma := ^((low | 0x02*ones) ^ '.'*ones + 0x7f*ones)        // and full stop
	colon := (low + (0x80-':')*ones) &^ (low + (0x80-'A')*ones) // to at sign
	return (control | comma | colon | (low + (0x7f-'z')*ones) | x) & (0x80 * ones)
}

func (r *runs) find(f *Finder, data []byte, from, to int, emit func(Span)) {
	i, end := max(from, r.done), 0
	for {
		if r.open {
			n, _ := extend(data[i:min(len(data), i+maxRun-len(r.text))])
			end = i + n
		} else {
			i = max(i, 0)
			start, stop, cases := nextRun(data, i, to)
			if start < 0 {
				break
			}
			// What was left of it was shown already, or is not in the alphabet.
			for start > r.done && start > 0 && sextet[data[start-1]] != 0xff {
				start--
			}
			i, end = start, stop
			if dull(data[i:end], cases) && (end < len(data) || to == len(data)) && (end-i < wrapped || lineBreak(data[end:]) == 0) {
				i = end
				continue
			}
			r.open, r.start, r.line, r.lined, r.text = true, start, f.line(start), 0, r.text[:0]
		}
		end = min(end, i+maxRun-len(r.text))
		r.text = append(r.text, data[i:end]...)
		r.lined += end - i
		i = end
		switch {
		case len(r.text) >= maxRun:
			r.emit(i, emit)
			keep := r.text[len(r.text)-overlap:]
			r.text = append(r.text[:0], keep...)
		case i == len(data) && to < len(data): // more is to come
			r.done = i
			return
		default:
			if n := lineBreak(data[i:]); n > 0 && r.lined >= wrapped {
				i += n
				r.lined = 0
				continue
			}
			r.emit(i, emit)
			r.open = false
		}
	}
	r.done = max(i, r.done)
}

// lineBreak returns the length of a break, real or escaped, and of the blanks
// after it, if the alphabet goes on behind them.
func lineBreak(b []byte) int {
	n := 0
	switch {
	case bytes.HasPrefix(b, []byte("\n")):
		n = 1
	case bytes.HasPrefix(b, []byte("\r\n")), bytes.HasPrefix(b, []byte(`\n`)):
		n = 2
	case bytes.HasPrefix(b, []byte(`\r\n`)):
		n = 4
	default:
		return 0
	}
	for n < len(b) && n < maxShift && (b[n] == ' ' || b[n] == '\t') {
		n++
	}
	if n == len(b) || sextet[b[n]] == 0xff {
		return 0
	}
	return n
}

// alike returns how many bytes of data, from its start on, have a value in the table.
func alike(data []byte, values *[256]byte) int {
	for i, c := range data {
		if values[c] == 0xff {
			return i
		}
	}
	return len(data)
}

// dull reports whether a short run surely holds nothing encoded: it is words of
// one case, as paths and names are, or a row of dashes.
func dull(run []byte, cases byte) bool {
	return len(run) < long64 && cases != lowerCase|upperCase && !holdsHex(run)
}

// holdsHex reports whether there are minHex digits in a row.
func holdsHex(run []byte) bool {
	for len(run) >= minHex {
		i := minHex
		for i > 0 && nibble[run[i-1]] != 0xff {
			i--
		}
		if i == 0 {
			return true
		}
		run = run[i:]
	}
	return false
}

// emit decodes what was gathered.
func (r *runs) emit(end int, emit func(Span)) {
	if holdsHex(r.text) {
		r.hex(end, emit)
		if alike(r.text, &nibble) == len(r.text) {
			return
		}
	}
	if Base64Probe(r.text) {
		if out := Base64(r.text, maxRun); len(out) > 0 {
			emit(Span{Step: "base64", Start: r.start, End: end, Line: r.line, Text: out})
		}
	}
}

// hex decodes the stretches of digits in what was gathered.
func (r *runs) hex(end int, emit func(Span)) {
	text := r.text
	for len(text) >= minHex {
		n := alike(text, &nibble)
		if n >= minHex && HexProbe(text[:n]) {
			if out := Hex(text[:n], maxRun); len(out) > 0 {
				emit(Span{Step: "hex", Start: r.start, End: end, Line: r.line, Text: out})
			}
		}
		text = text[min(n+1, len(text)):]
	}
}
