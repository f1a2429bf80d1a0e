package decode

import "bytes"

// Span is a stretch of content that means something else than it says.
type Span struct {
	// Step is what was undone: "base64", "hex", "escape", "percent", "entity",
	// "quoted-printable", "yaml", "utf-16", "utf-32".
	Step string
	// Start and End are offsets in the data. Start is below zero for a long run
	// that began in data which is gone.
	Start, End int
	Line       int    // of Start, as the Finder's Line says
	Text       []byte // what it means; the receiver's to keep
}

const (
	// token is how far round an escape its stretch reaches where nothing ends
	// it before: the longest token that is looked for.
	token = 4096
	// window bounds a stretch. Longer ones are cut in pieces that overlap by token.
	window = 64 << 10
)

// Finder finds stretches that are encoded, escaped, or written in wide characters, in
// content that moves past it. Each byte belongs to at most one stretch of a
// kind, but for the overlap of cut ones. The zero value is ready to use for
// one content. It holds a run of base64 of up to 1 MiB.
type Finder struct {
	Line func(p int) int // the number of the line that data[p] is on; may be nil
	done [len(kinds)]int // per kind, what was found up to here
	runs runs
}

func (f *Finder) line(p int) int {
	if f.Line == nil {
		return 0
	}
	return f.Line(p)
}

// kind is a way to write text.
type kind struct {
	step string
	// next returns where the next stretch of the kind shows itself in data[from:to],
	// or -1.
	next func(data []byte, from, to int) int
	// bounds returns the stretch round at.
	bounds func(data []byte, at int) (lo, hi int)
	undo   func([]byte) []byte
}

var kinds = [...]kind{
	{"escape", nextEscape, escapeBounds, Unescape},
	{"percent", nextPercent, percentBounds, Unpercent},
	{"entity", nextEntity, entityBounds, Unentity},
	{"quoted-printable", nextQuoted, quotedBounds, Unquote},
	{"yaml", nextBlock, blockBounds, Unblock},
	{"utf-16", nextWide(2), wideBounds(2), narrow(2)},
	{"utf-32", nextWide(4), wideBounds(4), narrow(4)},
}

// Find calls emit for each stretch that shows itself in data[from:to]. Of what is
// around it, data holds 64 KiB on each side, or all there is; to is the end of data
// only at the end of the content.
func (f *Finder) Find(data []byte, from, to int, emit func(Span)) {
	f.runs.find(f, data, from, to, emit)
	for k := range kinds {
		for i := max(from, f.done[k]); i < to; {
			at := kinds[k].next(data, i, to)
			if at < 0 {
				break
			}
			lo, hi := kinds[k].bounds(data, at)
			if hi <= at {
				i = at + 1
				continue
			}
			if text := kinds[k].undo(data[lo:hi]); len(text) > 0 {
				emit(Span{kinds[k].step, lo, hi, f.line(lo), text})
			}
			i = hi
			if hi-lo >= window {
				i = hi - token
			}
			f.done[k] = i
		}
	}
}

// Slide tells that the first n bytes of data are gone.
func (f *Finder) Slide(n int) {
	for k := range f.done {
		f.done[k] -= n
	}
	f.runs.done -= n
	f.runs.start -= n
}

// stretch extends from at to both sides: to the left up to ends, to the right
// too, but no further than token behind the last mark.
func stretch(data []byte, at int, mark byte, left, right func(data []byte, i int) bool) (lo, hi int) {
	lo, hi = at, at
	for lo > 0 && at-lo < token && !left(data, lo-1) {
		lo--
	}
	for last := at; hi < len(data) && hi-last < token && hi-lo < window && !right(data, hi); hi++ {
		if data[hi] == mark {
			last = hi
		}
	}
	return lo, hi
}

// nextByte steps through the occurrences of c that ok accepts.
func nextByte(data []byte, from, to int, c byte, ok func(i int) bool) int {
	for from < to {
		i := bytes.IndexByte(data[from:to], c)
		if i < 0 {
			return -1
		}
		if from += i; ok(from) {
			return from
		}
		from++
	}
	return -1
}

func isHex(b []byte) bool {
	for _, c := range b {
		if nibble[c] == 0xff {
			return false
		}
	}
	return true
}

// nextEscape finds escapes that can split a token, hide the quotes round it, or
// the lines of a file. Other line breaks and tabs between tokens do neither.
func nextEscape(data []byte, from, to int) int {
	return nextByte(data, from, to, '\\', func(i int) bool {
		if i+1 >= len(data) {
			return false
		}
		switch c := data[i+1]; c {
		case '/':
			return true
		case 'n', 'r', '\\':
			return escapedLine(data, i)
		case 'u':
			return i+5 < len(data) && (data[i+2] == '{' || isHex(data[i+2:i+6]))
		case 'x':
			return i+3 < len(data) && isHex(data[i+2:i+4])
		case 'U':
			return i+9 < len(data) && isHex(data[i+2:i+10])
		case '0', '1', '2', '3', '4', '5', '6', '7':
			return i+3 < len(data) && data[i+2]&^7 == '0' && data[i+3]&^7 == '0'
		case '"':
			return i+2 < len(data) && (data[i+2] == ':' || data[i+2] == '=') || i > 0 && (data[i-1] == ':' || data[i-1] == '=')
		}
		return false
	})
}

func escapeBounds(data []byte, at int) (lo, hi int) {
	return stretch(data, at, '\\', quoteOrBreak, quoteOrBreak)
}

// quoteOrBreak reports whether data[i] is a line break, or a quote that is not escaped.
func quoteOrBreak(data []byte, i int) bool {
	switch data[i] {
	case '\n', 0:
		return true
	case '"':
		n := 0
		for n < 16 && i-n > 0 && data[i-n-1] == '\\' {
			n++
		}
		return n&1 == 0
	}
	return false
}

func nextPercent(data []byte, from, to int) int {
	return nextByte(data, from, to, '%', func(i int) bool {
		return i+2 < len(data) && nibble[data[i+1]]|nibble[data[i+2]] != 0xff
	})
}

func percentBounds(data []byte, at int) (lo, hi int) {
	ends := func(data []byte, i int) bool {
		switch c := data[i]; c {
		case '"', '\'', '`', '<', '>':
			return true
		default:
			return c <= ' ' || c >= 0x7f
		}
	}
	return stretch(data, at, '%', ends, ends)
}

func nextEntity(data []byte, from, to int) int {
	return nextByte(data, from, to, '&', func(i int) bool {
		_, n := entity(data[i:])
		return n > 0
	})
}

func entityBounds(data []byte, at int) (lo, hi int) {
	ends := func(data []byte, i int) bool {
		return data[i] == '<' || data[i] == '>' || data[i] == 0
	}
	return stretch(data, at, '&', ends, ends)
}

func nextQuoted(data []byte, from, to int) int {
	return nextByte(data, from, to, '=', func(i int) bool {
		rest := data[i+1:]
		switch {
		case len(rest) >= 2 && rest[0] == '3' && rest[1] == 'D':
			return true
		case len(rest) >= 1 && rest[0] == '\n', len(rest) >= 2 && rest[0] == '\r' && rest[1] == '\n':
			return i > 0 && data[i-1] > ' ' && data[i-1] != '='
		}
		return false
	})
}

func quotedBounds(data []byte, at int) (lo, hi int) {
	// An encoded equals sign, or a line cut at its limit, tells that its neighbours
	// are encoded too; another line that ends with one may be no more than that.
	start := bytes.LastIndexByte(data[max(0, at-80):at], '\n') + 1 + max(0, at-80)
	sure := at+2 < len(data) && data[at+1] == '3' || at-start >= 72 && at-start <= 75
	ends := func(data []byte, i int) bool { // a line break that is not a soft one
		if data[i] == 0 {
			return true
		}
		if sure || data[i] != '\n' || i == 0 {
			return false
		}
		if i > 1 && data[i-1] == '\r' {
			i--
		}
		return data[i-1] != '='
	}
	return stretch(data, at, '=', ends, ends)
}
