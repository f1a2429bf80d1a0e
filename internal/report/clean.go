package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Clean returns s with everything that a reader would not see, or that would act
// on a terminal, made visible: control characters (C0, C1, DEL), escape
// sequences, bidirectional overrides and isolates, zero-width and tag
// characters, and bytes that are not UTF-8 become \x1b or \u202e. Runs of white
// space, line breaks among them, become one blank, and of several combining
// marks in a row only the first two stay.
func Clean(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	marks, blank := 0, false
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if unicode.IsSpace(r) {
			blank = true
			i += n
			continue
		}
		if blank && b.Len() > 0 {
			b.WriteByte(' ')
		}
		blank = false
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r):
			if marks++; marks <= 2 {
				b.WriteRune(r)
			}
			i += n
			continue
		case r < 0x80 && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		case !unicode.IsPrint(r) || invisible(r):
			if r > 0xffff {
				fmt.Fprintf(&b, `\U%08x`, r)
			} else {
				fmt.Fprintf(&b, `\u%04x`, r)
			}
		default:
			b.WriteRune(r)
		}
		marks = 0
		i += n
	}
	return b.String()
}

// plain reports whether s is printable ASCII without anything to fold.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == ' ' && (i == 0 || i == len(s)-1 || s[i-1] == ' ') {
			return false
		}
	}
	return true
}

// invisible reports letters and symbols that Unicode counts as printable and
// that fonts draw as nothing: the Hangul fillers and the empty Braille cell.
func invisible(r rune) bool {
	return r == 0x115f || r == 0x1160 || r == 0x3164 || r == 0xffa0 || r == 0x2800
}

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
