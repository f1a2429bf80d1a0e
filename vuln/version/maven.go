package version

// Classes of a token in a Maven version. Qualifiers that are known, the end,
// qualifiers that are not, then numbers: after a hyphen below after a dot.
const (
	mvnAlpha byte = 0x01 + iota
	mvnBeta
	mvnMilestone
	mvnRC
	mvnSnapshot
	mvnEnd
	mvnRelease // "", ga, final, release with more behind it
	mvnSP
	mvnText
	mvnHyphen
	mvnDot
)

// appendMaven follows the "Version Order Specification" of Maven's POM
// reference: tokens split at ".", "-", "_" and between digits and letters (as
// at a hyphen), an empty one is 0. Null tokens (0 and the release names) at the
// end and before a hyphen do not count.
//
// The specification puts ".qualifier" level with "-qualifier"; so nulls are cut
// before either, and the order is total. Maven's ComparableVersion ranks a
// ".qualifier" with more behind it (1.sp.1) below every "-qualifier", also
// those below the release, and so has 1 < 1.sp.1 < 1-alpha < 1.
func appendMaven(dst []byte, v string) ([]byte, string) {
	if !printable(v) {
		return dst, "is empty or has a space or a non-ASCII character"
	}
	keep := len(dst) // behind the last token that is not null
	hyphen := false
	for {
		n := digits(v)
		switch {
		case n > 0 || v == "" || mvnSeparator(v[0]): // a number, or an empty token
			class := mvnDot
			if hyphen {
				class, dst = mvnHyphen, dst[:keep]
			}
			dst = appendNumber(append(dst, class), v[:n])
			if !isZero(v[:n]) {
				keep = len(dst)
			}
		default:
			for n < len(v) && !isDigit(v[n]) && !mvnSeparator(v[n]) {
				n++
			}
			class := mvnQualifier(v[:n], n < len(v) && isDigit(v[n]))
			if hyphen || class != mvnRelease {
				dst = dst[:keep]
			}
			dst = append(dst, class)
			if class == mvnText {
				dst = appendFolded(dst, v[:n])
			}
			if class != mvnRelease {
				keep = len(dst)
			}
		}
		v = v[n:]
		if v == "" {
			return append(dst[:keep], mvnEnd), ""
		}
		hyphen = v[0] != '.'
		if mvnSeparator(v[0]) {
			v = v[1:]
		}
	}
}

func mvnSeparator(c byte) bool { return c == '.' || c == '-' || c == '_' }

// mvnQualifier returns a qualifier's class. The one-letter names are short for
// the long ones only right before a digit.
func mvnQualifier(q string, beforeDigit bool) byte {
	var buf [9]byte // as long as the longest name
	if len(q) > len(buf) {
		return mvnText
	}
	for i := range len(q) {
		buf[i] = lower(q[i])
	}
	switch string(buf[:len(q)]) {
	case "alpha":
		return mvnAlpha
	case "beta":
		return mvnBeta
	case "milestone":
		return mvnMilestone
	case "rc", "cr":
		return mvnRC
	case "snapshot":
		return mvnSnapshot
	case "ga", "final", "release":
		return mvnRelease
	case "sp":
		return mvnSP
	case "a":
		if beforeDigit {
			return mvnAlpha
		}
	case "b":
		if beforeDigit {
			return mvnBeta
		}
	case "m":
		if beforeDigit {
			return mvnMilestone
		}
	}
	return mvnText
}
