package version

import "strings"

// Classes in SemVer keys.
const (
	semEnd        byte = 0x00 // no more parts or identifiers
	semPart       byte = 0x01 // before each part of the release
	semPrerelease byte = 0x01 // after the release
	semRelease    byte = 0x02
	semNum        byte = 0x01 // identifiers of a prerelease
	semText       byte = 0x02
)

type semverOptions struct {
	maxParts int  // of the release; 0 is any number
	fold     bool // prerelease identifiers are case-blind (NuGet)
	build    bool // build metadata counts (Pub)
	loose    bool // a prerelease may follow without a hyphen (node-semver, loose)
}

// appendSemVer follows semver.org section 11. Missing parts are 0 and leading
// zeros are ignored, as advisories and registries contain both.
func appendSemVer(dst []byte, v string, o semverOptions) ([]byte, string) {
	v, build, hasBuild := strings.Cut(v, "+")
	keep := len(dst) // behind the last part that is not zero
	for parts := 1; ; parts++ {
		n := digits(v)
		if n == 0 {
			return dst, "has a part without a number"
		}
		if o.maxParts > 0 && parts > o.maxParts {
			return dst, "has too many parts"
		}
		dst = appendNumber(append(dst, semPart), v[:n])
		if !isZero(v[:n]) {
			keep = len(dst)
		}
		v = v[n:]
		if v == "" || v[0] != '.' {
			break
		}
		v = v[1:]
	}
	dst = append(dst[:keep], semEnd)
	switch {
	case v == "":
		dst = append(dst, semRelease)
	case v[0] == '-' || o.loose && isAlpha(v[0]):
		if v[0] == '-' {
			v = v[1:]
		}
		var why string
		if dst, why = appendIdentifiers(append(dst, semPrerelease), v, o.fold); why != "" {
			return dst, why
		}
	default:
		return dst, "has a character out of place"
	}
	switch {
	case o.build && hasBuild:
		return appendIdentifiers(dst, build, false)
	case o.build:
		dst = append(dst, semEnd)
	}
	return dst, ""
}

// appendIdentifiers appends dot-separated identifiers: fewer are lower, numbers
// are below texts.
func appendIdentifiers(dst []byte, s string, fold bool) ([]byte, string) {
	for id := range strings.SplitSeq(s, ".") {
		if id == "" {
			return dst, "has an empty identifier"
		}
		for i := range len(id) {
			if !isAlnum(id[i]) && id[i] != '-' {
				return dst, "has a character out of place"
			}
		}
		switch {
		case digits(id) == len(id):
			dst = appendNumber(append(dst, semNum), id)
		case fold:
			dst = appendFolded(append(dst, semText), id)
		default:
			dst = appendText(append(dst, semText), id)
		}
	}
	return append(dst, semEnd), ""
}

// appendNPM reads what node-semver reads with its loose option, and fewer parts.
// More than three parts it would read as a prerelease (1.2.34.5 as 1.2.3-4.5):
// those are malformed here, as they are to the registry.
func appendNPM(dst []byte, v string) ([]byte, string) {
	v = strings.TrimLeft(strings.TrimSpace(v), "=v \t")
	return appendSemVer(dst, v, semverOptions{loose: true, maxParts: 3})
}

// appendGo reads module versions, with or without the v, and toolchain names:
// go1.21rc2 is 1.21.0-rc.2. What a vendor appends to a toolchain's name
// ("go1.21.0-acme", "go1.22.1 X:boringcrypto") does not count (go/version).
func appendGo(dst []byte, v string) ([]byte, string) {
	name, toolchain := strings.CutPrefix(v, "go")
	if !toolchain {
		name = trimV(v)
	}
	if toolchain {
		name, _, _ = strings.Cut(name, " ")
		name, _, _ = strings.Cut(name, "-")
		name, _, _ = strings.Cut(name, "+")
	}
	// Without the prefix, 1.21rc2 can only be a toolchain too.
	n := 0
	for n < len(name) && (isDigit(name[n]) || name[n] == '.') {
		n++
	}
	k := letters(name[n:])
	switch name[n : n+k] {
	case "alpha", "beta", "rc":
	default:
		return appendSemVer(dst, name, semverOptions{})
	}
	num := name[n+k:]
	if num == "" || digits(num) != len(num) {
		return dst, "is no toolchain name"
	}
	dst, why := appendSemVer(dst, name[:n], semverOptions{})
	if why != "" {
		return dst, why
	}
	dst = append(dst[:len(dst)-1], semPrerelease)
	dst = appendText(append(dst, semText), name[n:n+k])
	dst = appendNumber(append(dst, semNum), num)
	return append(dst, semEnd), ""
}

// appendBitnami drops the revision that Bitnami appends to upstream's version:
// as SemVer, 1.2.3-4 would be a prerelease and so below the fix in 1.2.3.
func appendBitnami(dst []byte, v string) ([]byte, string) {
	v = trimV(v)
	if i := strings.LastIndexByte(v, '-'); i > 0 && i+1 < len(v) && digits(v[i+1:]) == len(v)-i-1 {
		v = v[:i]
	}
	return appendSemVer(dst, v, semverOptions{})
}
