package version

import "strings"

// Classes inside an rpm version, in the order of rpm-version(7).
const (
	rpmTilde byte = 0x01
	rpmEnd   byte = 0x02
	rpmCaret byte = 0x03
	rpmText  byte = 0x04
	rpmNum   byte = 0x05
)

// appendRPM follows rpm-version(7): [epoch:]version[-release]. A missing epoch
// is 0; a missing release is below every release.
func appendRPM(dst []byte, v string) ([]byte, string) {
	if !printable(v) {
		return dst, "is empty or has a space or a non-ASCII character"
	}
	epoch, v := cutEpoch(v)
	dst = appendNumber(dst, epoch)
	i := strings.LastIndexByte(v, '-')
	if i < 0 {
		return appendRPMPart(dst, v), ""
	}
	dst = appendRPMPart(dst, v[:i])
	return appendRPMPart(dst, v[i+1:]), ""
}

func appendRPMPart(dst []byte, s string) []byte {
	for s != "" {
		n := 1
		switch c := s[0]; {
		case c == '~':
			dst = append(dst, rpmTilde)
		case c == '^':
			dst = append(dst, rpmCaret)
		case isDigit(c):
			n = digits(s)
			dst = appendNumber(append(dst, rpmNum), s[:n])
		case isAlpha(c):
			n = letters(s)
			dst = appendText(append(dst, rpmText), s[:n])
		} // anything else only separates
		s = s[n:]
	}
	return append(dst, rpmEnd)
}

// Classes inside an alpm version. Text right after a segment is a prerelease,
// text after a separator is not.
const (
	alpmText byte = 0x01
	alpmEnd  byte = 0x02
	alpmNum  byte = 0x03
	alpmSep  byte = 0x04
)

// appendAlpm follows vercmp(8). A missing pkgrel is below every pkgrel; vercmp
// ignores it instead, which is no order.
func appendAlpm(dst []byte, v string) ([]byte, string) {
	if !printable(v) {
		return dst, "is empty or has a space or a non-ASCII character"
	}
	epoch, v := cutEpoch(v)
	dst = appendNumber(dst, epoch)
	i := strings.LastIndexByte(v, '-')
	if i < 0 {
		return appendAlpmPart(dst, v)
	}
	dst, why := appendAlpmPart(dst, v[:i])
	if why != "" {
		return dst, why
	}
	return appendAlpmPart(dst, v[i+1:])
}

func appendAlpmPart(dst []byte, s string) ([]byte, string) {
	for s != "" {
		n := 0
		for n < len(s) && !isAlnum(s[n]) {
			n++
		}
		if n == len(s) {
			return dst, "a part ends in a separator"
		}
		if n > 0 {
			dst = append(dst, alpmSep, byte(n>>8), byte(n))
			s = s[n:]
		}
		if n = digits(s); n > 0 {
			dst = appendNumber(append(dst, alpmNum), s[:n])
		} else {
			n = letters(s)
			dst = appendText(append(dst, alpmText), s[:n])
		}
		s = s[n:]
	}
	return append(dst, alpmEnd), ""
}
