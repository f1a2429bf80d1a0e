package secrets

// glob reports whether a name fits a pattern: "?" is any byte but a slash, "*" any
// number of those, "**" anything. All else is itself, brackets too. Time is
// bounded by the product of both lengths.
func glob(pattern, name string) bool {
	// fits[j]: what was read of the pattern fits name[:j].
	fits := make([]bool, len(name)+1)
	fits[0] = true
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '*':
			deep := i+1 < len(pattern) && pattern[i+1] == '*'
			before := append([]bool(nil), fits...)
			for j := range len(name) {
				fits[j+1] = fits[j+1] || fits[j] && (deep || name[j] != '/')
			}
			if deep {
				i++
			}
			if deep && i+1 < len(pattern) && pattern[i+1] == '/' { // "**/" may be nothing
				i++
				for j := len(name); j > 0; j-- {
					fits[j] = before[j] || fits[j-1] && name[j-1] == '/'
				}
				fits[0] = before[0]
			}
		default:
			for j := len(name); j > 0; j-- {
				fits[j] = fits[j-1] && (c == name[j-1] || c == '?' && name[j-1] != '/')
			}
			fits[0] = false
		}
	}
	return fits[len(name)]
}
