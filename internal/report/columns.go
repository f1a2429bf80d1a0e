package report

import (
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// width returns how many columns of a terminal s takes.
func width(s string) int { return uniseg.StringWidth(s) }

// fits reports whether s has at most n columns. It does not measure all of a
// text that is far too long: no column takes columnBytes.
func fits(s string, n int) bool { return len(s) <= columnBytes*(n+1) && width(s) <= n }

const columnBytes = 64

// fit cuts s to n columns, the last one an ellipsis where something is missing.
func fit(s string, n int) string {
	if fits(s, n) {
		return s
	}
	if n < 1 {
		return ""
	}
	var b strings.Builder
	used, state := 0, -1
	for rest := s; rest != ""; {
		var cluster string
		var w int
		cluster, rest, w, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if used+w > n-1 {
			break
		}
		b.WriteString(cluster)
		used += w
	}
	return b.String() + "…"
}

// fitEnd cuts ", " + path to n columns at its front: a file's name says most.
func fitEnd(s string, n int) string {
	if fits(s, n) {
		return s
	}
	path := strings.TrimPrefix(s, ", ")
	for path = path[max(0, len(path)-columnBytes*max(n, 0)):]; path != "" && !utf8.RuneStart(path[0]); {
		path = path[1:]
	}
	for path != "" && width(path) > n-3 {
		_, size := utf8.DecodeRuneInString(path)
		path = path[size:]
	}
	return ", …" + path
}

// pad fits s to exactly n columns.
func pad(s string, n int) string {
	s = fit(s, n)
	return s + strings.Repeat(" ", max(0, n-width(s)))
}

// wrap breaks s at blanks into lines of at most n columns; a longer word is cut
// into pieces, so that nothing is lost.
func wrap(s string, n int) []string {
	n = max(n, 8)
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		for {
			sep := ""
			if line != "" {
				sep = " "
			}
			if fits(word, n-width(line)-width(sep)) {
				line += sep + word
				break
			}
			if line != "" {
				lines, line = append(lines, line), ""
				continue
			}
			head := strings.TrimSuffix(fit(word, n+1), "…") // n columns
			if head == "" || len(head) >= len(word) {
				line = word
				break
			}
			lines, word = append(lines, head), word[len(head):]
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
