package secrets

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/boltseal/boltseal"
)

// tokenBytes is the longest token that a program matches.
const tokenBytes = 4096

// classes are the letters of the program language that stand for sets of bytes.
var classes = map[byte]string{
	'd': "0-9", 'x': "0-9a-f", 'X': "0-9A-F", 'h': "0-9a-fA-F",
	'a': "A-Za-z", 'n': "0-9a-z", 'N': "0-9A-Z", 'w': "0-9A-Za-z",
	'u': "0-9A-Za-z_-", 'b': "0-9A-Za-z+/",
	'l': "a-z2-7", 'L': "A-Z2-7",
	'k': "1-9A-HJ-NP-Za-km-z", // base 58: no 0, O, I, l
	'p': "!-~",
}

// uuid is what U stands for.
const uuid = `x8 "-" x4 "-" x4 "-" x4 "-" x12`

// set is a set of bytes.
type set [4]uint64

func (s *set) add(c byte)      { s[c>>6] |= 1 << (c & 63) }
func (s *set) has(c byte) bool { return s[c>>6]&(1<<(c&63)) != 0 }
func (s set) meets(o set) bool { return s[0]&o[0]|s[1]&o[1]|s[2]&o[2]|s[3]&o[3] != 0 }
func (s set) union(o set) set  { return set{s[0] | o[0], s[1] | o[1], s[2] | o[2], s[3] | o[3]} }
func (s set) empty() bool      { return s == set{} }
func singleton(c byte) (s set) { s.add(c); return s }
func (s *set) addRange(lo, hi byte) {
	for c := int(lo); c <= int(hi); c++ {
		s.add(byte(c))
	}
}

// parseSet reads the inside of a bracket: bytes and ranges, a backslash before
// a byte that would mean something else, a hyphen at an end for itself.
func parseSet(text string) (s set, err error) {
	for i := 0; i < len(text); i++ {
		lo := text[i]
		if lo == '\\' && i+1 < len(text) {
			i++
			lo = text[i]
		} else if i+2 < len(text) && text[i+1] == '-' {
			if text[i+2] < lo {
				return s, fmt.Errorf("range %s: %w", text[i:i+3], boltseal.ErrMalformed)
			}
			s.addRange(lo, text[i+2])
			i += 2
			continue
		}
		s.add(lo)
	}
	if s.empty() {
		return s, fmt.Errorf("empty class: %w", boltseal.ErrMalformed)
	}
	return s, nil
}

// piece is one step of a straight program: a literal, or min to max bytes of a
// class, as many as there are.
type piece struct {
	literal  string
	class    set
	min, max int
	secret   bool // inside braces
}

func (p *piece) first() set {
	if p.literal != "" {
		return singleton(p.literal[0])
	}
	return p.class
}

// parseProgram reads program text and returns its alternatives, each straight,
// in the order in which they are tried.
func parseProgram(text string) ([][]piece, error) {
	p := &programParser{text: text}
	alts, err := p.alternatives(0)
	if err == nil && p.pos < len(p.text) {
		err = fmt.Errorf("unexpected %q: %w", p.text[p.pos], boltseal.ErrMalformed)
	}
	if err != nil {
		return nil, fmt.Errorf("program %s: at byte %d: %w", text, p.pos, err)
	}
	for i, a := range alts {
		a, err = tidy(a)
		if err != nil {
			return nil, fmt.Errorf("program %s: %w", text, err)
		}
		alts[i] = a
	}
	return alts, nil
}

// mostAlternatives bounds what groups and optional parts multiply to.
const mostAlternatives = 256

type programParser struct {
	text   string
	pos    int
	secret bool
}

func (p *programParser) peek() byte {
	for p.pos < len(p.text) && (p.text[p.pos] == ' ' || p.text[p.pos] == '\n' || p.text[p.pos] == '\t') {
		p.pos++
	}
	if p.pos == len(p.text) {
		return 0
	}
	return p.text[p.pos]
}

func (p *programParser) alternatives(depth int) (out [][]piece, err error) {
	if depth > 8 {
		return nil, fmt.Errorf("groups nest deeper than 8: %w", boltseal.ErrMalformed)
	}
	seq := [][]piece{nil}
	for {
		var item [][]piece
		switch c := p.peek(); {
		case c == 0, c == ')', c == '}':
			return append(out, seq...), nil
		case c == '|':
			p.pos++
			out, seq = append(out, seq...), [][]piece{nil}
			continue
		case c == '{':
			if p.secret {
				return nil, fmt.Errorf("braces in braces: %w", boltseal.ErrMalformed)
			}
			p.secret = true
			p.pos++
			if item, err = p.alternatives(depth + 1); err != nil {
				return nil, err
			}
			if p.peek() != '}' {
				return nil, fmt.Errorf("missing }: %w", boltseal.ErrMalformed)
			}
			p.pos++
			p.secret = false
		case c == '(':
			p.pos++
			if item, err = p.alternatives(depth + 1); err != nil {
				return nil, err
			}
			if p.peek() != ')' {
				return nil, fmt.Errorf("missing ): %w", boltseal.ErrMalformed)
			}
			p.pos++
			if p.peek() == '?' {
				p.pos++
				item = append(item, nil) // with it first: the longer match wins
			}
		default:
			one, err := p.item(c)
			if err != nil {
				return nil, err
			}
			item = [][]piece{one}
		}
		if len(seq)*len(item)+len(out) > mostAlternatives {
			return nil, fmt.Errorf("more than %d alternatives: %w", mostAlternatives, boltseal.ErrLimit)
		}
		if len(seq) == 1 && len(item) == 1 { // as most are
			seq[0] = append(seq[0], item[0]...)
			continue
		}
		next := make([][]piece, 0, len(seq)*len(item))
		for _, s := range seq {
			for _, i := range item {
				next = append(next, append(s[:len(s):len(s)], i...))
			}
		}
		seq = next
	}
}

// item reads a literal, or a class with its count.
func (p *programParser) item(c byte) ([]piece, error) {
	rest := p.text[p.pos:]
	switch {
	case c == '"':
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return nil, fmt.Errorf("literal: %w", boltseal.ErrMalformed)
		}
		p.pos += len(quoted)
		lit, err := strconv.Unquote(quoted)
		if err != nil || lit == "" {
			return nil, fmt.Errorf("literal %s: %w", quoted, boltseal.ErrMalformed)
		}
		return []piece{{literal: lit, secret: p.secret}}, nil
	case c == 'U':
		p.pos++
		alts, err := parseProgram(uuid)
		if err != nil {
			return nil, err
		}
		for i := range alts[0] {
			alts[0][i].secret = p.secret
		}
		return alts[0], nil
	}
	one := piece{secret: p.secret}
	var err error
	if text, ok := classes[c]; ok {
		p.pos++
		one.class, err = parseSet(text)
	} else if c == '[' {
		end := 1
		for end < len(rest) && rest[end] != ']' {
			if rest[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(rest) {
			return nil, fmt.Errorf("missing ]: %w", boltseal.ErrMalformed)
		}
		p.pos += end + 1
		one.class, err = parseSet(rest[1:end])
	} else {
		return nil, fmt.Errorf("unexpected %q: %w", c, boltseal.ErrMalformed)
	}
	if err != nil {
		return nil, err
	}
	one.min, one.max, err = p.count()
	return []piece{one}, err
}

// count reads N, N..M, N+, + or nothing, which is 1.
func (p *programParser) count() (lo, hi int, err error) {
	number := func() (n int, ok bool) {
		start := p.pos
		for p.pos < len(p.text) && p.text[p.pos] >= '0' && p.text[p.pos] <= '9' && p.pos-start < 5 {
			n = n*10 + int(p.text[p.pos]-'0')
			p.pos++
		}
		return n, p.pos > start
	}
	lo, ok := number()
	if !ok {
		lo = 1
	}
	hi = lo
	switch {
	case strings.HasPrefix(p.text[p.pos:], "+"):
		p.pos++
		hi = tokenBytes
	case ok && strings.HasPrefix(p.text[p.pos:], ".."):
		p.pos += 2
		if hi, ok = number(); !ok {
			return 0, 0, fmt.Errorf("count: %w", boltseal.ErrMalformed)
		}
	}
	if lo > hi || hi > tokenBytes || hi == 0 {
		return 0, 0, fmt.Errorf("count %d..%d: %w", lo, hi, boltseal.ErrMalformed)
	}
	return lo, hi, nil
}

// tidy joins neighbouring literals and refuses what can match in more than one
// way: the engine never goes back.
func tidy(in []piece) (out []piece, err error) {
	longest := 0
	out = make([]piece, 0, len(in))
	for _, p := range in {
		longest += max(p.min, len(p.literal))
		if n := len(out) - 1; n >= 0 {
			last := &out[n]
			switch {
			case last.literal != "" && p.literal != "" && last.secret == p.secret:
				last.literal += p.literal
				continue
			case last.max > last.min && last.class.meets(p.first()):
				return nil, fmt.Errorf("the bytes after a run of varying length may belong to it: %w", boltseal.ErrMalformed)
			}
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("empty: %w", boltseal.ErrMalformed)
	}
	if longest > tokenBytes {
		return nil, fmt.Errorf("longer than %d bytes: %w", tokenBytes, boltseal.ErrLimit)
	}
	return out, nil
}
