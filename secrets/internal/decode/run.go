package decode

import "bytes"

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
// to; -1 if none does. It looks at every 20th byte or so of ordinary text.
func nextRun(data []byte, from, to int) int {
	start := from
scan:
	for start < to && start+minRun <= len(data) {
		for i := start + minRun - 1; i >= start; i-- {
			if sextet[data[i]] == 0xff {
				start = i + 1
				continue scan
			}
		}
		return start
	}
	return -1
}

func (r *runs) find(f *Finder, data []byte, from, to int, emit func(Span)) {
	i := max(from, r.done)
	for {
		if !r.open {
			i = max(i, 0)
			start := nextRun(data, i, to)
			if start < 0 {
				break
			}
			// What was left of it was shown already, or is not in the alphabet.
			for start > r.done && start > 0 && sextet[data[start-1]] != 0xff {
				start--
			}
			r.open, r.start, r.line, r.lined, r.text = true, start, f.line(start), 0, r.text[:0]
			i = start
		}
		end := i
		for end < len(data) && sextet[data[end]] != 0xff {
			end++
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

// emit decodes what was gathered.
func (r *runs) emit(end int, emit func(Span)) {
	hexadecimal := 0
	for _, c := range r.text {
		if nibble[c] == 0xff {
			if hexadecimal >= minHex {
				break
			}
			hexadecimal = 0
			continue
		}
		hexadecimal++
	}
	if hexadecimal >= minHex {
		r.hex(end, emit)
		if hexadecimal == len(r.text) {
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
		n := 0
		for n < len(text) && nibble[text[n]] != 0xff {
			n++
		}
		if n >= minHex && HexProbe(text[:n]) {
			if out := Hex(text[:n], maxRun); len(out) > 0 {
				emit(Span{Step: "hex", Start: r.start, End: end, Line: r.line, Text: out})
			}
		}
		text = text[min(n+1, len(text)):]
	}
}
