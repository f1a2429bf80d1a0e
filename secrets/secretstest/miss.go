package secretstest

import (
	"strings"
)

// Miss is a text that is almost a credential.
type Miss struct {
	Why  string // "short", "long", "wrong character", …
	Text string
}

// NearMisses makes texts that differ from the credential in what makes it one.
// No scanner should report them as it, though a generic rule may report a value
// whose name says that it is secret. There are none for identifiers, nor for
// families without a shape of their own: documents, URLs, and values that any
// text could be.
func (s Sample) NearMisses() []Miss {
	if s.Public || s.whole || s.free || len(s.parts) == 0 || s.Text != s.Token && !s.own || strings.HasPrefix(s.Token, "https://") {
		return nil
	}
	var out []Miss
	add := func(why, token string) {
		text := token
		if s.own {
			text = s.Name + "=" + token
		}
		out = append(out, Miss{why, text})
	}
	if !s.summed {
		s.wrongLengths(add)
	}
	if s.summed && s.hard {
		at := len(s.Token) - 12 // before every sum
		add("wrong sum", s.Token[:at]+string(other(s.Token[at]))+s.Token[at+1:])
		at = len(s.Token) - 1
		add("wrong last character", s.Token[:at]+string(other(s.Token[at])))
	}
	if first := s.parts[0].literal; strings.ToUpper(first) != strings.ToLower(first) {
		add("wrong case", swapCase(first)+s.Token[len(first):])
	}
	var blank strings.Builder
	for _, p := range s.parts {
		blank.WriteString(p.literal)
		if p.class != "" {
			blank.WriteString(strings.Repeat(p.class[len(p.class)-1:], p.min))
		}
	}
	add("placeholder", blank.String())
	return out
}

// wrongLengths makes tokens that are too short or too long, or broken by a
// space in their longest run, or part of a longer word.
func (s Sample) wrongLengths(add func(why, token string)) {
	shortest := make([]part, len(s.parts))
	copy(shortest, s.parts)
	fixed, longest, at := true, 0, 0
	for i, p := range s.parts {
		fixed = fixed && p.min == p.max
		shortest[i].max = p.min
		if p.min > s.parts[longest].min {
			longest = i
		}
	}
	token := newMaker(s.Family, 0xFEED).fill(shortest)
	for _, p := range shortest[:longest] {
		at += len(p.literal) + p.min
	}
	add("wrong character", token[:at+1]+" "+token[at+2:])
	last := s.parts[len(s.parts)-1]
	if last.class == "" {
		return
	}
	add("short", token[:len(token)-1])
	if !s.own {
		add("part of a word", "Z"+s.Token)
	}
	if fixed {
		add("long", s.Token+last.class[:1])
	}
}

// other is another character of the same kind.
func other(c byte) byte {
	switch c {
	case '9', 'Z', 'z', 'f', 'F':
		return c - 1
	case '+', '-', '_', '/', '=':
		return 'A'
	}
	return c + 1
}

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}, s)
}
