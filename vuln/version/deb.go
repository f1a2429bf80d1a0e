package version

import "strings"

// Classes inside a deb version: letters stand for themselves, other characters
// have the high bit set.
const (
	debTilde byte = 0x01
	debEnd   byte = 0x02
	debOther byte = 0x80
)

// appendDeb follows deb-version(7): [epoch:]upstream[-revision], each part
// alternating between non-digits and numbers. A missing epoch or revision is 0.
// Characters that Debian's policy forbids but dpkg compares are accepted.
func appendDeb(dst []byte, v string) ([]byte, string) {
	if !printable(v) {
		return dst, "is empty or has a space or a non-ASCII character"
	}
	epoch, rest, ok := strings.Cut(v, ":")
	if !ok {
		epoch, rest = "0", v
	} else if epoch == "" || digits(epoch) != len(epoch) {
		return dst, "the epoch is no number"
	} else if rest == "" {
		return dst, "nothing follows the epoch"
	}
	revision := ""
	if i := strings.LastIndexByte(rest, '-'); i >= 0 {
		rest, revision = rest[:i], rest[i+1:]
	}
	dst = appendNumber(dst, epoch)
	dst = appendDebPart(dst, rest)
	return appendDebPart(dst, revision), ""
}

// appendDebPart ends every run of non-digits with debEnd and a number, and the
// part with debEnd. A part that ends in a run of non-digits ends in a 0.
func appendDebPart(dst []byte, s string) []byte {
	for first := true; first || s != ""; first = false {
		for s != "" && !isDigit(s[0]) {
			switch c := s[0]; {
			case c == '~':
				dst = append(dst, debTilde)
			case isAlpha(c):
				dst = append(dst, c)
			default:
				dst = append(dst, debOther|c)
			}
			s = s[1:]
		}
		n := digits(s)
		dst = appendNumber(append(dst, debEnd), s[:n])
		s = s[n:]
	}
	return append(dst, debEnd)
}
