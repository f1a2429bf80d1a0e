package decode

import (
	"bytes"
	"unicode/utf8"
)

// Unescape undoes the escapes of JSON, JavaScript and C strings: \n \t \/ \" \\
// \uXXXX \u{X} \xXX \UXXXXXXXX and octal. What is no escape stays.
func Unescape(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c != '\\' || i+1 == len(b) {
			out = append(out, c)
			continue
		}
		i++
		switch c = b[i]; c {
		case 'n':
			out = append(out, '\n')
		case 't':
			out = append(out, '\t')
		case 'r':
			out = append(out, '\r')
		case 'b', 'f', 'v', 'a':
			out = append(out, ' ')
		case '\n': // a line that goes on
		case '0', '1', '2', '3', '4', '5', '6', '7':
			v, n := 0, 0
			for n < 3 && i+n < len(b) && b[i+n] >= '0' && b[i+n] <= '7' && v < 32 {
				v = v<<3 | int(b[i+n]-'0')
				n++
			}
			out = append(out, byte(v))
			i += n - 1
		case 'x', 'u', 'U':
			v, n := hexEscape(b[i:])
			switch {
			case n == 0:
				out = append(out, '\\', c)
			case c == 'x':
				out = append(out, byte(v))
			default:
				if v >= 0xd800 && v < 0xdc00 && i+n+1 < len(b) && b[i+n] == '\\' && b[i+n+1] == 'u' {
					if low, m := hexEscape(b[i+n+1:]); m > 0 && low >= 0xdc00 && low < 0xe000 {
						v, n = 0x10000+(v-0xd800)<<10+low-0xdc00, n+1+m
					}
				}
				out = utf8.AppendRune(out, rune(v))
			}
			if n > 0 {
				i += n - 1
			}
		default:
			out = append(out, c)
		}
	}
	return out
}

// hexEscape reads what follows the backslash, and returns its length.
func hexEscape(b []byte) (v, n int) {
	if len(b) > 2 && b[0] == 'u' && b[1] == '{' {
		for i := 2; i < len(b) && i < 10; i++ {
			if b[i] == '}' && i > 2 {
				return v, i + 1
			}
			if nibble[b[i]] == 0xff {
				break
			}
			v = v<<4 | int(nibble[b[i]])
		}
		return 0, 0
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[b[0]]
	if len(b) < 1+digits {
		return 0, 0
	}
	for _, c := range b[1 : 1+digits] {
		if nibble[c] == 0xff || v > 0x10ffff {
			return 0, 0
		}
		v = v<<4 | int(nibble[c])
	}
	return v, 1 + digits
}

// Unpercent undoes percent-encoding, RFC 3986, 2.1. What is no escape stays, but
// for the blanks of forms.
func Unpercent(b []byte) []byte {
	form := isForm(b)
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if form && b[i] == '+' {
			out = append(out, ' ')
			continue
		}
		if b[i] == '%' && i+2 < len(b) && nibble[b[i+1]]|nibble[b[i+2]] != 0xff {
			out = append(out, nibble[b[i+1]]<<4|nibble[b[i+2]])
			i += 2
		} else {
			out = append(out, b[i])
		}
	}
	return out
}

// isForm reports whether plus signs in a text are blanks, as forms encode them (URL
// standard, 5.2): there, plus signs of the text itself are encoded, and no
// blanks. Text of several lines shows it by blanks where base 64 has no plus sign,
// or by encoded marks that other encoders leave alone.
func isForm(b []byte) bool {
	if bytes.IndexByte(b, '+') < 0 {
		return false
	}
	var line, mark, plus bool
	for i := bytes.IndexByte(b, '%'); i >= 0 && i+3 < len(b); {
		switch string(b[i+1 : i+3]) {
		case "20":
			return false
		case "0A", "0a":
			line = true
			mark = mark || b[i+3] == '+'
		case "2C", "2c", "3B", "3b":
			mark = mark || b[i+3] == '+'
		case "3A", "3a", "3D", "3d":
			mark = true
		case "2B", "2b":
			plus = true
		}
		next := bytes.IndexByte(b[i+1:], '%')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return plus || line && (mark || bytes.Contains(b, []byte("BEGIN+")))
}

var entities = map[string]byte{
	"quot": '"', "amp": '&', "apos": '\'', "lt": '<', "gt": '>', "nbsp": ' ', "sol": '/', "equals": '=', "plus": '+',
	"lowbar": '_', "colon": ':', "commat": '@', "period": '.', "percnt": '%', "dollar": '$', "num": '#', "NewLine": '\n', "Tab": '\t',
}

// Unentity undoes the character references of HTML and XML: &#47; &#x2F; &quot;
// and those other named ones that stand for ASCII.
func Unentity(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] == '&' {
			if text, n := entity(b[i:]); n > 0 {
				out = append(out, text...)
				i += n - 1
				continue
			}
		}
		out = append(out, b[i])
	}
	return out
}

func entity(b []byte) (text []byte, n int) {
	end := bytes.IndexByte(b[:min(len(b), 12)], ';')
	if end < 2 {
		return nil, 0
	}
	name := b[1:end]
	if name[0] != '#' {
		if c, ok := entities[string(name)]; ok {
			return []byte{c}, end + 1
		}
		return nil, 0
	}
	base, digits := int64(10), name[1:]
	if len(digits) > 0 && digits[0]|0x20 == 'x' {
		base, digits = 16, digits[1:]
	}
	v, ok := number(digits, base)
	if !ok || v > 0x10ffff {
		return nil, 0
	}
	return utf8.AppendRune(nil, rune(v)), end + 1
}

// Unquote undoes quoted-printable, RFC 2045, 6.7: =3D and soft line breaks.
func Unquote(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '=' {
			out = append(out, b[i])
			continue
		}
		switch rest := b[i+1:]; {
		case len(rest) >= 2 && nibble[rest[0]]|nibble[rest[1]] != 0xff:
			out = append(out, nibble[rest[0]]<<4|nibble[rest[1]])
			i += 2
		case len(rest) >= 1 && rest[0] == '\n':
			i++
		case len(rest) >= 2 && rest[0] == '\r' && rest[1] == '\n':
			i += 2
		default:
			out = append(out, '=')
		}
	}
	return out
}
