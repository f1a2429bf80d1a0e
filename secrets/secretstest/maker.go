package secretstest

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"strings"
)

// maker draws what a shape leaves open.
type maker struct{ *rand.Rand }

// newMaker returns the generator of a family and seed.
func newMaker(family string, seed uint64) *maker {
	h := fnv.New64a()
	h.Write([]byte(family))
	return &maker{rand.New(rand.NewPCG(h.Sum64(), seed))}
}

// bytes draws n bytes.
func (m *maker) bytes(n int) []byte {
	out := make([]byte, (n+7)/8*8)
	for i := 0; i < n; i += 8 {
		binary.LittleEndian.PutUint64(out[i:], m.Uint64())
	}
	return out[:n]
}

const (
	digits  = "0123456789"
	lowers  = "abcdefghijklmnopqrstuvwxyz"
	uppers  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	letters = uppers + lowers
)

// alphabets are the classes of shapes; they are those of package secrets.
func alphabet(class byte) string {
	switch class {
	case 'd':
		return digits
	case 'x':
		return digits + lowers[:6]
	case 'X':
		return digits + uppers[:6]
	case 'h':
		return digits + lowers[:6] + uppers[:6]
	case 'a':
		return letters
	case 'n':
		return digits + lowers
	case 'N':
		return digits + uppers
	case 'w':
		return digits + letters
	case 'u':
		return digits + letters + "-_"
	case 'b':
		return digits + letters + "+/"
	case 'l':
		return lowers + digits[2:8]
	case 'L':
		return uppers + digits[2:8]
	case 'k':
		return strings.NewReplacer("0", "", "O", "", "I", "", "l", "").Replace(digits + letters)
	case 'e': // bech32, upper case
		return "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
	case 'v': // bcdf…, of Rancher
		return "bcdfghjklmnpqrstvwxz2456789"
	}
	return ""
}

// part is one step of a shape: a literal, or a run.
type part struct {
	literal  string
	class    string
	min, max int
}

// parseShape reads a row of literals in quotes, classes with counts (w36,
// u20..30), bracketed sets of single characters, and U for a UUID.
func parseShape(shape string) ([]part, error) {
	var out []part
	for rest := strings.TrimSpace(shape); rest != ""; rest = strings.TrimSpace(rest) {
		switch {
		case rest[0] == '"':
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return nil, fmt.Errorf("shape %s: %w", shape, err)
			}
			text, err := strconv.Unquote(quoted)
			if err != nil {
				return nil, fmt.Errorf("shape %s: %w", shape, err)
			}
			out, rest = append(out, part{literal: text}), rest[len(quoted):]
		case rest[0] == 'U':
			uuid, err := parseShape(`x8 "-" x4 "-" x4 "-" x4 "-" x12`)
			if err != nil {
				return nil, err
			}
			out, rest = append(out, uuid...), rest[1:]
		default:
			word, more, _ := strings.Cut(rest, " ")
			p := part{class: alphabet(word[0]), min: 1, max: 1}
			count := word[1:]
			if word[0] == '[' {
				end := strings.IndexByte(word, ']')
				if end < 0 {
					return nil, fmt.Errorf("shape %s: missing ]", shape)
				}
				p.class, count = word[1:end], word[end+1:]
			}
			if p.class == "" {
				return nil, fmt.Errorf("shape %s: no class %q", shape, word[0])
			}
			if count != "" {
				lo, hi, ranged := strings.Cut(count, "..")
				var err error
				if p.min, err = strconv.Atoi(lo); err != nil {
					return nil, fmt.Errorf("shape %s: %w", shape, err)
				}
				p.max = p.min
				if ranged {
					if p.max, err = strconv.Atoi(hi); err != nil {
						return nil, fmt.Errorf("shape %s: %w", shape, err)
					}
				}
			}
			out, rest = append(out, p), more
		}
	}
	return out, nil
}

// run draws n characters of an alphabet. Runs of eight or more hold a digit,
// and letters in every case, if the alphabet has them.
func (m *maker) run(class string, n int) string {
	for {
		var b strings.Builder
		for range n {
			b.WriteByte(class[m.IntN(len(class))])
		}
		s := b.String()
		if n < 8 || mixed(s, class, digits) && mixed(s, class, lowers) && mixed(s, class, uppers) {
			return s
		}
	}
}

func mixed(s, class, kind string) bool {
	return !strings.ContainsAny(class, kind) || strings.ContainsAny(s, kind)
}

// fill draws a text of the shape, at most a quarter longer than the shortest.
func (m *maker) fill(parts []part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.literal)
		if p.class != "" {
			n := p.min
			if p.max > p.min {
				n += m.IntN(min(p.max-p.min, p.min/4+1) + 1)
			}
			b.WriteString(m.run(p.class, n))
		}
	}
	return b.String()
}
