package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
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
