package version

import "strings"

// Classes in PEP 440 keys, one group per place in the key.
const (
	pepLegacy byte = 0x00
	pepModern byte = 0x01

	pepEnd  byte = 0x00 // of the release, of the local version
	pepPart byte = 0x01

	pepPreDev  byte = 0x00 // a dev release without a, b, rc or post
	pepPreA    byte = 0x01
	pepPreB    byte = 0x02
	pepPreRC   byte = 0x03
	pepPreNone byte = 0x04

	pepNoPost byte = 0x00
	pepPost   byte = 0x01

	pepDev   byte = 0x00
	pepNoDev byte = 0x01

	pepLocalText byte = 0x01
	pepLocalNum  byte = 0x02
)

// appendPEP440 follows the "Version specifiers" specification of
// packaging.python.org, with all spellings of its appendix. What does not
// match is a legacy version.
func appendPEP440(dst []byte, v string) ([]byte, string) {
	v = strings.TrimSpace(v)
	start := len(dst)
	if out, ok := appendPEP440Modern(dst, v); ok {
		return out, ""
	}
	return appendPEP440Legacy(dst[:start], v)
}

func appendPEP440Modern(dst []byte, v string) ([]byte, bool) {
	if v != "" && v[0]|0x20 == 'v' {
		v = v[1:]
	}
	dst = append(dst, pepModern)
	epoch := "0"
	n := digits(v)
	if n > 0 && n < len(v) && v[n] == '!' {
		epoch, v = v[:n], v[n+1:]
		n = digits(v)
	}
	dst = appendNumber(dst, epoch)
	keep := len(dst)
	for {
		if n == 0 {
			return dst, false
		}
		dst = appendNumber(append(dst, pepPart), v[:n])
		if !isZero(v[:n]) {
			keep = len(dst)
		}
		v = v[n:]
		if len(v) < 2 || v[0] != '.' || !isDigit(v[1]) {
			break
		}
		v = v[1:]
		n = digits(v)
	}
	dst = append(dst[:keep], pepEnd)

	pre, preNum, v := pepSuffix(v, "alpha", "a", "beta", "b", "preview", "pre", "rc", "c")
	post, postNum := "", ""
	if len(v) > 1 && v[0] == '-' && isDigit(v[1]) {
		n = digits(v[1:])
		post, postNum, v = "post", v[1:1+n], v[1+n:]
	} else {
		post, postNum, v = pepSuffix(v, "post", "rev", "r")
	}
	dev, devNum, v := pepSuffix(v, "dev")

	switch {
	case pre == "" && post == "" && dev != "":
		dst = append(dst, pepPreDev)
	case pre == "":
		dst = append(dst, pepPreNone)
	default:
		class := pepPreRC
		switch pre {
		case "a", "alpha":
			class = pepPreA
		case "b", "beta":
			class = pepPreB
		}
		dst = appendNumber(append(dst, class), preNum)
	}
	if post != "" {
		dst = appendNumber(append(dst, pepPost), postNum)
	} else {
		dst = append(dst, pepNoPost)
	}
	if dev != "" {
		dst = appendNumber(append(dst, pepDev), devNum)
	} else {
		dst = append(dst, pepNoDev)
	}
	if v == "" {
		return append(dst, pepEnd), true
	}
	if v[0] != '+' {
		return dst, false
	}
	for v != "" { // "+", later one of ".-_"
		v = v[1:]
		n = 0
		for n < len(v) && isAlnum(v[n]) {
			n++
		}
		switch {
		case n == 0, n < len(v) && !pepSeparator(v[n]):
			return dst, false
		case digits(v[:n]) == n:
			dst = appendNumber(append(dst, pepLocalNum), v[:n])
		default:
			dst = appendFolded(append(dst, pepLocalText), v[:n])
		}
		v = v[n:]
	}
	return append(dst, pepEnd), true
}

// pepSuffix reads [sep]name[sep][number], the first name that fits. A name that
// is absent is "", as is a number.
func pepSuffix(v string, names ...string) (name, num, rest string) {
	s := v
	if s != "" && pepSeparator(s[0]) {
		s = s[1:]
	}
	for _, name := range names {
		if len(s) < len(name) || !strings.EqualFold(s[:len(name)], name) {
			continue
		}
		s = s[len(name):]
		if s != "" && pepSeparator(s[0]) {
			// A hyphen before a number belongs here; one before anything else
			// is a separator as well.
			s = s[1:]
		}
		n := digits(s)
		return name, s[:n], s[n:]
	}
	return "", "", v
}

func pepSeparator(c byte) bool { return c == '.' || c == '-' || c == '_' }

// appendPEP440Legacy orders what PEP 440 does not know the way setuptools did
// before it: runs of digits (padded to eight), runs of letters, hyphens and
// other text, where text sorts before "*final", and that before numbers.
func appendPEP440Legacy(dst []byte, v string) ([]byte, string) {
	if !printable(v) {
		return dst, "is empty or has a space or a non-ASCII character"
	}
	dst = append(dst, pepLegacy)
	base := len(dst)
	// trim drops parts from the end while they equal part.
	trim := func(dst []byte, part string) []byte {
		for {
			n := len(dst) - len(part) - 1
			if n < base || string(dst[n:len(dst)-1]) != part || n > base && dst[n-1] != 0 {
				return dst
			}
			dst = dst[:n]
		}
	}
	text := func(dst []byte, part string) []byte {
		if part < "final" {
			dst = trim(dst, "*final-")
		}
		return appendText(append(trim(dst, "00000000"), '*'), part)
	}
	for v != "" {
		n := digits(v)
		switch {
		case n > 0:
			for i := n; i < 8; i++ {
				dst = append(dst, '0')
			}
			dst = appendText(dst, v[:n])
		case v[0] == '.':
			n = 1
		case v[0] == '-':
			n = 1
			dst = text(dst, "final-")
		case isAlpha(v[0]):
			n = letters(v)
			dst = text(dst, legacyWord(v[:n]))
		default:
			for n < len(v) && !isAlnum(v[n]) && v[n] != '.' && v[n] != '-' {
				n++
			}
			dst = text(dst, v[:n])
		}
		v = v[n:]
	}
	return text(dst, "final"), ""
}

func legacyWord(s string) string {
	switch s = strings.ToLower(s); s {
	case "pre", "preview", "rc":
		return "c"
	case "dev":
		return "@"
	}
	return s
}
