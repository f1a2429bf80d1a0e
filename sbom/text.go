package sbom

import "strings"

// cleanWord returns the first word of a value that has to be one: white space
// and NUL end it.
func cleanWord(b []byte) string {
	for i, c := range b {
		switch c {
		case ' ', '\t', '\r', '\n', 0:
			return string(b[:i])
		}
	}
	return string(b)
}

// splitPaths turns a list of paths, each followed by a line break, into at most
// maxPaths strings that share one memory.
func splitPaths(list []byte) []string {
	all := string(list)
	paths := make([]string, 0, min(strings.Count(all, "\n"), maxPaths))
	for line := range strings.Lines(all) {
		if len(paths) == maxPaths {
			break
		}
		paths = append(paths, strings.TrimSuffix(line, "\n"))
	}
	return paths
}

// isAlnum reports ASCII letters and digits.
func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
