// Package purl writes and reads package URLs (ECMA-427, clause 5) in the one
// canonical form that boltseal uses everywhere.
//
//	s := purl.Of(&pkg)          // from the fields of a package
//	p, err := purl.Parse(s)     // any writer's form, folded
//	s = p.String()              // canonical
package purl

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/boltseal/boltseal"
)

// PURL is a package URL taken apart. The parts are decoded.
type PURL struct {
	Type       string // lower case
	Namespace  string // segments joined by "/", no leading or trailing one
	Name       string
	Version    string
	Qualifiers []Qualifier // sorted by key
	Subpath    string
}

// Qualifier is one key=value. Values are never empty.
type Qualifier struct{ Key, Value string }

// Get returns a qualifier's value, or "".
func (p *PURL) Get(key string) string {
	for _, q := range p.Qualifiers {
		if q.Key == key {
			return q.Value
		}
	}
	return ""
}

// Set gives a qualifier a value; the empty value removes it.
func (p *PURL) Set(key, value string) {
	i, found := slices.BinarySearchFunc(p.Qualifiers, key, func(q Qualifier, k string) int { return strings.Compare(q.Key, k) })
	switch {
	case value == "" && found:
		p.Qualifiers = slices.Delete(p.Qualifiers, i, i+1)
	case value == "":
	case found:
		p.Qualifiers[i].Value = value
	default:
		p.Qualifiers = slices.Insert(p.Qualifiers, i, Qualifier{key, value})
	}
}

// String writes the canonical form.
func (p *PURL) String() string {
	b := make([]byte, 0, 16+len(p.Type)+len(p.Namespace)+len(p.Name)+len(p.Version))
	b = append(b, "pkg:"...)
	b = append(b, p.Type...)
	b = append(b, '/')
	if p.Namespace != "" {
		for seg := range strings.SplitSeq(p.Namespace, "/") {
			b = append(encode(b, seg), '/')
		}
	}
	b = encode(b, p.Name)
	if p.Version != "" {
		b = encode(append(b, '@'), p.Version)
	}
	sep := byte('?')
	for _, q := range p.Qualifiers {
		b = append(b, sep)
		b = append(b, q.Key...)
		b = encode(append(b, '='), q.Value)
		sep = '&'
	}
	sep = '#'
	if p.Subpath != "" {
		for seg := range strings.SplitSeq(p.Subpath, "/") {
			b = encode(append(b, sep), seg)
			sep = '/'
		}
	}
	return string(b)
}

const hexDigits = "0123456789ABCDEF"

// encode percent-encodes all but letters, digits and ".-_~:" (clause 5.4).
func encode(b []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '.', c == '-', c == '_', c == '~', c == ':':
			b = append(b, c)
		default:
			b = append(b, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return b
}

// maxLen bounds what Parse reads.
const maxLen = 16 << 10

// Parse reads a package URL, canonical or not: "pkg://" and upper-case types
// are accepted, a raw "+" stands for itself, names are folded as their type
// demands.
func Parse(s string) (PURL, error) {
	bad := func(what string) (PURL, error) {
		return PURL{}, fmt.Errorf("package URL %.80q: %w: %s", s, boltseal.ErrMalformed, what)
	}
	if len(s) > maxLen {
		return bad("longer than 16 KiB")
	}
	if len(s) < 4 || !strings.EqualFold(s[:4], "pkg:") {
		return bad(`does not start with "pkg:"`)
	}
	rest := strings.TrimLeft(s[4:], "/")
	rest, subpath, _ := strings.Cut(rest, "#")
	rest, query, _ := strings.Cut(rest, "?")
	typ, rest, ok := strings.Cut(rest, "/")
	if !ok || typ == "" {
		return bad("has no type or no name")
	}
	for i := range len(typ) {
		switch c := typ[i] | 0x20; {
		case 'a' <= c && c <= 'z', i > 0 && '0' <= typ[i] && typ[i] <= '9', typ[i] == '.', typ[i] == '-', typ[i] == '+':
		default:
			return bad("the type has a character it may not have")
		}
	}
	p := PURL{Type: strings.ToLower(typ)}
	rest = strings.Trim(rest, "/")
	// The version starts at the last "@" that is not the scope's.
	if i := strings.LastIndexByte(rest, '@'); i > 0 && rest[i-1] != '/' {
		var err error
		if p.Version, err = decode(rest[i+1:]); err != nil {
			return bad(err.Error())
		}
		rest = rest[:i]
	}
	var segs []string
	for seg := range strings.SplitSeq(rest, "/") {
		d, err := decode(seg)
		if err != nil {
			return bad(err.Error())
		}
		if d != "" {
			segs = append(segs, d)
		}
	}
	if len(segs) == 0 {
		return bad("has no name")
	}
	p.Name = segs[len(segs)-1]
	p.Namespace = strings.Join(segs[:len(segs)-1], "/")
	for pair := range strings.SplitSeq(query, "&") {
		k, v, _ := strings.Cut(pair, "=")
		d, err := decode(v)
		if err != nil {
			return bad(err.Error())
		}
		if k != "" && d != "" {
			p.Set(strings.ToLower(k), d)
		}
	}
	segs = segs[:0]
	for seg := range strings.SplitSeq(subpath, "/") {
		d, err := decode(seg)
		if err != nil {
			return bad(err.Error())
		}
		if d != "" && d != "." && d != ".." {
			segs = append(segs, d)
		}
	}
	p.Subpath = strings.Join(segs, "/")
	p.fold()
	return p, nil
}

// fold applies the rules of the types (ECMA-427 type definitions).
func (p *PURL) fold() {
	switch p.Type {
	case "pypi":
		p.Name = strings.ReplaceAll(strings.ToLower(p.Name), "_", "-")
	case "deb", "apk", "alpm", "rpm", "bitbucket", "github", "composer", "hex":
		p.Namespace = strings.ToLower(p.Namespace)
		if p.Type != "rpm" {
			p.Name = strings.ToLower(p.Name)
		}
	}
}

func decode(s string) (string, error) {
	if strings.IndexByte(s, '%') < 0 {
		return s, checkUTF8(s)
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b = append(b, s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", errors.New("ends inside a percent escape")
		}
		hi, lo := unhex(s[i+1]), unhex(s[i+2])
		if hi > 15 || lo > 15 {
			return "", fmt.Errorf("has a bad percent escape %q", s[i:i+3])
		}
		b = append(b, hi<<4|lo)
		i += 2
	}
	return string(b), checkUTF8(string(b))
}

// checkUTF8 refuses what clause 5.4 has no encoding for; folding the case of
// such bytes would change them.
func checkUTF8(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("is not UTF-8")
	}
	return nil
}

func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 255
}
