package version

import "strings"

// Classes of what may follow in an apk version: a prerelease suffix is below
// the end, and what comes earlier in the grammar is above what comes later.
const (
	apkPre      byte = 0x01
	apkEnd      byte = 0x02
	apkRevision byte = 0x03
	apkHash     byte = 0x04
	apkSuffixNo byte = 0x05
	apkPost     byte = 0x06
	apkLetter   byte = 0x07
	apkZero     byte = 0x08 // a part with a leading zero: compared as text
	apkNum      byte = 0x09
)

var apkSuffixes = [...]string{"alpha", "beta", "pre", "rc", "cvs", "svn", "git", "hg", "p"}

const apkFirstPost = 4 // index of "cvs"

// appendAPK follows apk-package(5) and version.c of apk-tools 3:
// number{.number}[letter]{_suffix[number]}[~hash][-rN], and no padding: 1.0 is
// below 1.0.0 and below 1.0-r0. A number after a dot that starts with 0 is
// compared as text with any other, so it is below all that do not. What apk does
// not hold to be valid (5.1p1) is malformed.
func appendAPK(dst []byte, v string) ([]byte, string) {
	n := digits(v)
	if n == 0 {
		return dst, "does not start with a number"
	}
	dst = appendNumber(dst, v[:n])
	v = v[n:]
	for v != "" && v[0] == '.' {
		if n = digits(v[1:]); n == 0 {
			return dst, "has a part without a number"
		}
		if part := v[1 : 1+n]; part[0] == '0' {
			dst = appendText(append(dst, apkZero), part)
		} else {
			dst = appendNumber(append(dst, apkNum), part)
		}
		v = v[1+n:]
	}
	if v != "" && 'a' <= v[0] && v[0] <= 'z' {
		dst = append(dst, apkLetter, v[0])
		v = v[1:]
	}
	for v != "" && v[0] == '_' {
		n = letters(v[1:])
		i := apkSuffix(v[1 : 1+n])
		if i < 0 {
			return dst, "has an unknown suffix"
		}
		class := apkPre
		if i >= apkFirstPost {
			class = apkPost
		}
		dst = append(dst, class, byte(i))
		v = v[1+n:]
		if n = digits(v); n > 0 {
			dst = appendNumber(append(dst, apkSuffixNo), v[:n])
			v = v[n:]
		}
	}
	if v != "" && v[0] == '~' {
		n = 1
		for n < len(v) && (isDigit(v[n]) || 'a' <= v[n] && v[n] <= 'f') {
			n++
		}
		if n == 1 {
			return dst, "has an empty commit hash"
		}
		dst = appendText(append(dst, apkHash), v[1:n])
		v = v[n:]
	}
	if rest, ok := strings.CutPrefix(v, "-r"); ok {
		if n = digits(rest); n == 0 {
			return dst, "has a revision without a number"
		}
		dst = appendNumber(append(dst, apkRevision), rest[:n])
		v = rest[n:]
	}
	if v != "" {
		return dst, "has a character out of place"
	}
	return append(dst, apkEnd), ""
}

func apkSuffix(name string) int {
	for i, s := range apkSuffixes {
		if s == name {
			return i
		}
	}
	return -1
}
