package gitleaks

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/boltseal/boltseal/secrets"
)

// refinement is what a rule asks of a match beside its expression.
type refinement struct {
	id       string
	entropy  float64 // bits a byte that the secret must have more of
	path     *regexp.Regexp
	allow    []*filter
	required []need
}

// need is another rule's match that must be near.
type need struct {
	re             *regexp.Regexp
	lines, columns *int
}

func (r *refinement) refine(c *secrets.Candidate) bool {
	if r.entropy > 0 && entropy(c.Secret) <= r.entropy {
		return false
	}
	if r.path != nil && !r.path.MatchString(c.Path) {
		return false
	}
	for _, f := range r.allow {
		if f.allows(c) {
			return false
		}
	}
	for _, n := range r.required {
		if !n.met(c) {
			return false
		}
	}
	return true
}

// entropy is Shannon's, in bits a byte.
func entropy(b []byte) (bits float64) {
	var count [256]int
	for _, c := range b {
		count[c]++
	}
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(b))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}

// nearBytes is how far from a match a required one may be.
const nearBytes = 4096

// met reports whether the required match is near.
func (n *need) met(c *secrets.Candidate) bool {
	lo, hi := max(0, c.Start-nearBytes), min(len(c.Text), c.End+nearBytes)
	if n.lines != nil {
		lo, hi = back(c.Text, c.Start, *n.lines, lo), ahead(c.Text, c.End, *n.lines, hi)
	}
	for _, at := range n.re.FindAllIndex(c.Text[lo:hi], 64) {
		if n.columns == nil || abs(column(c.Text, lo+at[0])-column(c.Text, c.Start)) <= *n.columns {
			return true
		}
	}
	return false
}

// back returns where the line begins that is so many lines before p.
func back(text []byte, p, lines, least int) int {
	for ; ; lines-- {
		i := bytes.LastIndexByte(text[least:p], '\n')
		if i < 0 {
			return least
		}
		if lines == 0 {
			return least + i + 1
		}
		p = least + i
	}
}

// ahead returns where the line ends that is so many lines behind p.
func ahead(text []byte, p, lines, most int) int {
	for ; ; lines-- {
		i := bytes.IndexByte(text[p:most], '\n')
		if i < 0 {
			return most
		}
		if lines == 0 {
			return p + i
		}
		p += i + 1
	}
}

func column(text []byte, p int) int { return p - bytes.LastIndexByte(text[:p], '\n') }

func abs(n int) int { return max(n, -n) }

// filter is an allow list.
type filter struct {
	all       bool // every part must fit, not one
	paths     []*regexp.Regexp
	regexes   []*regexp.Regexp
	target    string
	stopwords []string
	rules     []string // of a global one: to which it applies
}

// newFilter compiles an allow list. The error says what of it was left out;
// the filter is nil if nothing is left, or if what is left would allow more.
func newFilter(a *allowlist) (*filter, error) {
	f := &filter{target: a.RegexTarget}
	switch strings.ToUpper(a.Condition) {
	case "", "OR", "||":
	case "AND", "&&":
		f.all = true
	default:
		return nil, fmt.Errorf("condition %q", a.Condition)
	}
	switch a.RegexTarget {
	case "", "secret", "match", "line":
	default:
		return nil, fmt.Errorf("regexTarget %q", a.RegexTarget)
	}
	for _, list := range []struct {
		from []string
		to   *[]*regexp.Regexp
	}{{a.Paths, &f.paths}, {a.Regexes, &f.regexes}} {
		for _, text := range list.from {
			re, err := regexp.Compile(text)
			if err != nil {
				return nil, err
			}
			*list.to = append(*list.to, re)
		}
	}
	for _, w := range a.StopWords {
		if w != "" {
			f.stopwords = append(f.stopwords, strings.ToLower(w))
		}
	}
	var err error
	if len(a.Commits) > 0 {
		err = errors.New("commits are not known to a scan of files: list the findings in a baseline")
		if f.all {
			return nil, err
		}
	}
	if len(f.paths)+len(f.regexes)+len(f.stopwords) == 0 {
		return nil, err
	}
	return f, err
}

// allows reports whether the list speaks for a match.
func (f *filter) allows(c *secrets.Candidate) bool {
	var checks []bool
	if len(f.paths) > 0 {
		checks = append(checks, anyMatch(f.paths, []byte(c.Path)))
	}
	if len(f.regexes) > 0 {
		text := c.Secret
		switch f.target {
		case "match":
			text = c.Token
		case "line":
			lo, hi := max(0, c.Start-nearBytes), min(len(c.Text), c.End+nearBytes)
			text = c.Text[back(c.Text, c.Start, 0, lo):ahead(c.Text, c.End, 0, hi)]
		}
		checks = append(checks, anyMatch(f.regexes, text))
	}
	if len(f.stopwords) > 0 {
		low, found := bytes.ToLower(c.Secret), false
		for _, w := range f.stopwords {
			found = found || bytes.Contains(low, []byte(w))
		}
		checks = append(checks, found)
	}
	for _, ok := range checks {
		if ok != f.all {
			return ok
		}
	}
	return f.all
}

func anyMatch(list []*regexp.Regexp, text []byte) bool {
	for _, re := range list {
		if re.Match(text) {
			return true
		}
	}
	return false
}
