package version

// Keys are built from class bytes, numbers and texts. At every place where two
// keys can differ first, the class bytes say which kind of thing comes next, in
// the scheme's own order; "nothing more" is a class like any other.

// appendNumber appends a number of any length, given as ASCII digits: its
// length without leading zeros, then the digits. Zero has no digits.
func appendNumber(dst []byte, digits string) []byte {
	i := 0
	for i < len(digits) && digits[i] == '0' {
		i++
	}
	digits = digits[i:]
	if n := len(digits); n < 255 {
		dst = append(dst, byte(n))
	} else {
		dst = append(dst, 255, byte(n>>8), byte(n))
	}
	return append(dst, digits...)
}

// appendText appends a text that holds no NUL, and a terminator below all of
// its bytes.
func appendText(dst []byte, text string) []byte {
	return append(append(dst, text...), 0)
}

// appendFolded is appendText with ASCII letters in lower case.
func appendFolded(dst []byte, text string) []byte {
	for i := range len(text) {
		dst = append(dst, lower(text[i]))
	}
	return append(dst, 0)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isAlnum(c byte) bool { return isDigit(c) || isAlpha(c) }

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// digits returns the length of the run of digits that s starts with.
func digits(s string) int {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

// letters returns the length of the run of ASCII letters that s starts with.
func letters(s string) int {
	i := 0
	for i < len(s) && isAlpha(s[i]) {
		i++
	}
	return i
}

func isZero(digits string) bool {
	for i := range len(digits) {
		if digits[i] != '0' {
			return false
		}
	}
	return true
}

// printable reports whether s is not empty and consists of visible ASCII.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != ""
}

func trimV(v string) string {
	if len(v) > 1 && v[0]|0x20 == 'v' && isDigit(v[1]) {
		return v[1:]
	}
	return v
}
