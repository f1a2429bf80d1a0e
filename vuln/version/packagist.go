package version

import "strings"

// Classes of stability, in the order of PHP's version_compare as Composer uses
// it.
const (
	phpDev byte = 0x01 + iota
	phpAlpha
	phpBeta
	phpRC
	phpStable
	phpPatch
)

// Classes of what follows a stability.
const (
	phpSuffixDev byte = 0x01
	phpSuffixEnd byte = 0x02
	phpSuffixNum byte = 0x03
)

// appendPackagist reads what composer/semver normalizes: numbers (missing ones
// are 0), a stability with numbers, and -dev. The numbers of a date, of which
// the first has four digits or more, may also be split at hyphens and colons
// (2010-01-02, 20100102-203040). Branches (dev-main, 1.x-dev) have no order and
// are malformed.
func appendPackagist(dst []byte, v string) ([]byte, string) {
	v, _, _ = strings.Cut(strings.TrimSpace(v), "+")
	v, _, _ = strings.Cut(v, "@") // a stability flag of a requirement
	v = trimV(v)
	keep := len(dst)
	date := digits(v) >= 4
	for {
		n := digits(v)
		if n == 0 {
			return dst, "is a branch or has a part without a number"
		}
		dst = appendNumber(append(dst, semPart), v[:n])
		if !isZero(v[:n]) {
			keep = len(dst)
		}
		v = v[n:]
		if len(v) < 2 || !isDigit(v[1]) || v[0] != '.' && !(date && (v[0] == '-' || v[0] == ':')) {
			break
		}
		v = v[1:]
	}
	dst = append(dst[:keep], semEnd)

	stability, v := phpStability(v)
	if stability == phpStable {
		if rest, ok := phpCutDev(v); ok {
			stability, v = phpDev, rest
		}
		if v != "" {
			return dst, "has a character out of place"
		}
		return append(dst, stability, phpSuffixEnd), ""
	}
	dst = append(dst, stability)
	for v != "" {
		s := v
		if s[0] == '.' || s[0] == '-' {
			s = s[1:]
		}
		n := digits(s)
		if n == 0 {
			break
		}
		dst = appendNumber(append(dst, phpSuffixNum), s[:n])
		v = s[n:]
	}
	end := phpSuffixEnd
	if rest, ok := phpCutDev(v); ok {
		end, v = phpSuffixDev, rest
	}
	if v != "" {
		return dst, "has a character out of place"
	}
	return append(dst, end), ""
}

// phpStability cuts [sep]name off v; without a name, v is stable.
func phpStability(v string) (class byte, rest string) {
	s := v
	if s != "" && pepSeparator(s[0]) {
		s = s[1:]
	}
	n := letters(s)
	switch word := s[:n]; {
	case strings.EqualFold(word, "alpha"), strings.EqualFold(word, "a"):
		return phpAlpha, s[n:]
	case strings.EqualFold(word, "beta"), strings.EqualFold(word, "b"):
		return phpBeta, s[n:]
	case strings.EqualFold(word, "rc"):
		return phpRC, s[n:]
	case strings.EqualFold(word, "patch"), strings.EqualFold(word, "pl"), strings.EqualFold(word, "p"):
		return phpPatch, s[n:]
	case strings.EqualFold(word, "stable"):
		return phpStable, s[n:]
	}
	return phpStable, v
}

func phpCutDev(v string) (rest string, ok bool) {
	s := v
	if s != "" && (s[0] == '.' || s[0] == '-') {
		s = s[1:]
	}
	if len(s) == 3 && strings.EqualFold(s, "dev") {
		return "", true
	}
	return v, false
}
