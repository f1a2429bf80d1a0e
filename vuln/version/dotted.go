package version

// appendDotted reads numbers split at dots (and hyphens, for R), where the
// longer of two is the greater: 1.0 is below 1.0.0 (Data.Version of Haskell,
// numeric_version of R).
func appendDotted(dst []byte, v string, hyphens bool) ([]byte, string) {
	for {
		n := digits(v)
		if n == 0 {
			return dst, "has a part without a number"
		}
		dst = appendNumber(append(dst, 1), v[:n])
		if v = v[n:]; v == "" {
			return append(dst, 0), ""
		}
		if v[0] != '.' && !(hyphens && v[0] == '-') {
			return dst, "has a character out of place"
		}
		v = v[1:]
	}
}
