package decode

import "bytes"

const (
	longestName = 64
	longestText = 1024
)

// escapedLine reports whether data[i:] is an escaped line break, however often
// escaped, with a line of a configuration file behind it: a name, "=" or ":",
// and a value without blanks or in quotes, and nothing else. Such a file was
// written as one string. Statements of code and sentences are no such lines.
func escapedLine(data []byte, i int) bool {
	b := data[i:min(len(data), i+longestName+longestText)]
	slashes := 0
	for slashes < len(b) && b[slashes] == '\\' && slashes < 8 {
		slashes++
	}
	b = b[slashes:]
	if len(b) == 0 || b[0] != 'n' && b[0] != 'r' {
		return false
	}
	if armoured(data[max(0, i-5):i], b[1:]) {
		return true
	}
	b = bytes.TrimLeft(bytes.TrimPrefix(b[1:], []byte(`\n`)), " ")
	b = bytes.TrimPrefix(b, []byte("export "))
	n := 0
	for n < len(b) && n < longestName && nameByte(b[n]) {
		n++
	}
	if n < 2 || b[0] >= '0' && b[0] <= '9' {
		return false
	}
	name, rest := b[:n], b[n:]
	b = bytes.TrimLeft(rest, " ")
	switch {
	case len(b) == 0:
		return false
	case b[0] == '=' || b[0] == ':':
		b = bytes.TrimLeft(b[1:], " ")
	case len(b) == len(rest) || string(name) != "password": // of a netrc
		return false
	}
	return wholeValue(b)
}

// armoured reports whether an escaped line break stands between the dashes of
// an armour and what it holds.
func armoured(before, after []byte) bool {
	if string(before) != "-----" || len(after) < 16 {
		return false
	}
	for _, c := range after[:16] {
		if sextet[c] == 0xff {
			return false
		}
	}
	return true
}

func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.'
}

// wholeValue reports whether b begins with a value of at least six bytes that
// goes to the end of its line, which is escaped, or of the string.
func wholeValue(b []byte) bool {
	n := 0
	for n < len(b) && b[n] > ' ' && b[n] != '\\' && b[n] != '"' && b[n] != '\'' && b[n] != '`' {
		switch b[n] {
		case '(', ')', '{', '}', '<', '>', ';', ',', '|':
			return false // of an expression
		}
		n++
	}
	if n >= 6 && n < len(b) && b[n] > ' ' {
		return true
	}
	// In quotes, which are escaped where they are those of the string.
	return n == 0 && len(b) > 2 && (b[0] == '\'' || b[0] == '\\' && b[1] == '"')
}
