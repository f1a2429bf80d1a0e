package sbom

import (
	"bytes"
	"slices"
	"strings"
)

const (
	docDir       = "usr/share/doc/"
	maxCopyright = 4 << 20 // bytes of a copyright file that are read
)

// isCopyright reports whether name is usr/share/doc/PACKAGE/copyright.
func isCopyright(name string) bool {
	rest, ok := strings.CutPrefix(name, docDir)
	return ok && strings.HasSuffix(rest, "/copyright") && strings.Count(rest, "/") == 1
}

// copyrightLicenses returns the licences that a Debian copyright file states,
// sorted, one a line: the short names of License fields in a machine-readable
// file (copyright-format 1.0, section 7), else the files of
// usr/share/common-licenses it refers to (Debian Policy 12.5).
func copyrightLicenses(data []byte) []byte {
	data = data[:min(len(data), maxCopyright)]
	var names []string
	add := func(name []byte) {
		if len(name) > 0 && len(name) <= 128 && len(names) < 256 && !slices.Contains(names, string(name)) {
			names = append(names, string(name))
		}
	}
	if bytes.HasPrefix(bytes.TrimLeft(data, "\ufeff \t\r\n"), []byte("Format")) {
		for rest := data; len(rest) > 0; {
			var line []byte
			line, rest, _ = bytes.Cut(rest, []byte{'\n'})
			if len(line) > 8 && keyIs(line[:8], "License:") {
				add(bytes.TrimSpace(line[8:]))
			}
		}
	} else {
		const dir = "usr/share/common-licenses/"
		for rest := data; ; {
			i := bytes.Index(rest, []byte(dir))
			if i < 0 {
				break
			}
			rest = rest[i+len(dir):]
			end := 0
			for end < len(rest) && (isAlnum(rest[end]) || rest[end] == '-' || rest[end] == '+' || rest[end] == '.') {
				end++
			}
			add(bytes.TrimRight(rest[:end], ".-"))
			rest = rest[end:]
		}
	}
	slices.Sort(names)
	return []byte(strings.Join(names, "\n"))
}
