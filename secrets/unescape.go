package secrets

import (
	"bytes"
	"html"
	"strconv"
	"unicode/utf8"
)

// unescape undoes the escapes of string literals and of XML in a value. It
// returns the value itself if there are none.
func unescape(value []byte) []byte {
	if bytes.IndexByte(value, '&') >= 0 && bytes.IndexByte(value, ';') > 0 {
		value = []byte(html.UnescapeString(string(value)))
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return value
	}
	out := make([]byte, 0, len(value))
	for i := 0; i < len(value); i++ {
		c := value[i]
		if c != '\\' || i+1 == len(value) {
			out = append(out, c)
			continue
		}
		i++
		digits := 0
		switch value[i] {
		case 'n':
			out = append(out, '\n')
		case 't':
			out = append(out, '\t')
		case 'r':
			out = append(out, '\r')
		case 'u':
			digits = 4
		case 'x':
			digits = 2
		case '"', '\'', '\\', '/', '`', '$':
			out = append(out, value[i])
		default: // not an escape after all
			out = append(out, '\\', value[i])
		}
		if digits > 0 {
			if i+digits >= len(value) {
				return append(out, value[i-1:]...)
			}
			n, err := strconv.ParseUint(string(value[i+1:i+1+digits]), 16, 16)
			if err != nil {
				out = append(out, '\\', value[i])
				continue
			}
			out = utf8.AppendRune(out, rune(n))
			i += digits
		}
	}
	return out
}
