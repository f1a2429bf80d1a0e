package vuln

import "strings"

// appendName appends a package name as an ecosystem compares it: PyPI by PEP
// 503 (lower case, runs of - _ . as one -), NuGet, Packagist and Hex without
// case, everything else exactly.
func appendName(dst []byte, ecosystem, name string) []byte {
	switch base, _, _ := strings.Cut(ecosystem, ":"); base {
	case "PyPI":
		run := false
		for i := range len(name) {
			c := name[i]
			if c == '-' || c == '_' || c == '.' {
				run = true
				continue
			}
			if run {
				dst, run = append(dst, '-'), false
			}
			dst = append(dst, lower(c))
		}
		if run {
			dst = append(dst, '-')
		}
		return dst
	case "NuGet", "Packagist", "Hex":
		for i := range len(name) {
			dst = append(dst, lower(name[i]))
		}
		return dst
	}
	return append(dst, name...)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// isModular says whether an RPM version was built as part of a module: its
// release then carries .module_el8 or .module+el8.
func isModular(version string) bool { return strings.Contains(version, ".module") }
