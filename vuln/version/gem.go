package version

import "strings"

// Classes of a segment in a gem version. A version goes on for ever in zeros;
// runs of zeros are counted, so that the end can stand for an endless one.
const (
	gemLess byte = 0x01 // zeros, then a text: below the end
	gemEnd  byte = 0x02
	gemMore byte = 0x03 // zeros, then a number above zero: above the end
)

// appendGem follows Gem::Version: a hyphen stands for ".pre.", segments are
// runs of digits or letters, texts are below numbers, and zeros before the
// first text and at the end do not count.
func appendGem(dst []byte, v string) ([]byte, string) {
	v = strings.TrimSpace(v)
	if v == "" {
		return append(dst, gemEnd), "" // an empty version is 0
	}
	if why := checkGem(v); why != "" {
		return dst, why
	}
	zeros, texts := 0, false
	for v != "" {
		n := 1
		switch c := v[0]; {
		case isDigit(c):
			n = digits(v)
			if isZero(v[:n]) {
				zeros++
				break
			}
			dst = append(dst, gemMore, byte(^zeros>>8), byte(^zeros))
			dst = appendNumber(dst, v[:n])
			zeros = 0
		case isAlpha(c), c == '-':
			text := "pre"
			if c != '-' {
				n = letters(v)
				text = v[:n]
			}
			if !texts {
				zeros, texts = 0, true
			}
			dst = append(dst, gemLess, byte(zeros>>8), byte(zeros))
			dst = appendText(dst, text)
			zeros = 0
		}
		v = v[n:]
	}
	return append(dst, gemEnd), ""
}

// checkGem holds v against the pattern of Gem::Version: a number, then
// dot-separated parts, after a hyphen parts that may hold hyphens.
func checkGem(v string) string {
	if !isDigit(v[0]) {
		return "does not start with a number"
	}
	i, hyphen := digits(v), false
	for i < len(v) {
		if v[i] != '.' && (v[i] != '-' || hyphen) {
			return "has a character out of place"
		}
		hyphen = hyphen || v[i] == '-'
		i++
		start := i
		for i < len(v) && (isAlnum(v[i]) || hyphen && v[i] == '-') {
			i++
		}
		if i == start {
			return "has an empty part"
		}
	}
	return ""
}
