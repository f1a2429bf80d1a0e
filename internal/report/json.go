package report

import (
	"bytes"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

// JSON returns a writer for JSON documents that puts what acts on a terminal or
// turns the direction of writing as \u escapes: DEL, the C1 controls and
// Unicode's bidirectional controls. In valid JSON they stand within strings only,
// so that a reader gets the same document.
func JSON(w io.Writer) io.Writer { return &jsonWriter{w: w} }

type jsonWriter struct {
	w    io.Writer
	torn []byte // start of a rune that the next Write ends
	out  bytes.Buffer
}

func (j *jsonWriter) Write(b []byte) (int, error) {
	n := len(b)
	if len(j.torn) > 0 {
		b = append(j.torn, b...)
		j.torn = nil
	}
	j.out.Reset()
	for len(b) > 0 {
		i := 0
		for i < len(b) && b[i] < 0x7f {
			i++
		}
		j.out.Write(b[:i])
		if b = b[i:]; len(b) == 0 {
			break
		}
		if !utf8.FullRune(b) {
			j.torn = bytes.Clone(b)
			break
		}
		r, size := utf8.DecodeRune(b)
		if r >= 0x7f && r < 0xa0 || unicode.Is(unicode.Bidi_Control, r) {
			fmt.Fprintf(&j.out, `\u%04x`, r)
		} else {
			j.out.Write(b[:size])
		}
		b = b[size:]
	}
	if _, err := j.w.Write(j.out.Bytes()); err != nil {
		return 0, err
	}
	return n, nil
}
