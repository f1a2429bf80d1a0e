package secrets

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/boltseal/boltseal"
)

// engineVersion is raised when the engine's results change for the same rules.
const engineVersion = 1

// action is what the sight of a needle sets off.
type action uint8

const (
	tryPrograms action = iota // arg: index into RuleSet.groups
	tryRegexp                 // arg: index into RuleSet.rules
	tryObject                 // arg: index into RuleSet.rules; a ByJSON rule
	tryPEM
	tryAssignment // arg: 1 for the word of a provider
	tryURL
	tryHeader
	tryCommand
	tryDocker
)

// mostPrograms bounds the programs that one literal sets off.
const mostPrograms = 32

// RuleSet is a compiled set of rules: immutable, and safe for concurrent use by
// any number of scans.
type RuleSet struct {
	rules    []Rule // in order of ID
	index    map[string]int
	needles  []needle
	groups   [][]int // programs that hang on one needle
	programs []program
	classes  []set
	filter   *filter
	regexps  map[int]*regexp.Regexp
	labels   []labelled // ByPEM rules
	assigned []assigned // ByAssignment rules with Context or Names
	handlers handlers
	digest   string
}

// labelled is a ByPEM rule and the label of its blocks.
type labelled struct {
	rule  int
	label string
}

// assigned is a ByAssignment rule with the programs for its whole value: no
// program, any value.
type assigned struct {
	rule              int
	shapes            [][]step
	shortest, longest int // values that may have one of the shapes
}

// Compile makes a set of rules. Their order does not matter. It takes a few
// milliseconds for hundreds of rules; share the result.
//
// A program describes a whole token as a row of items, separated by spaces:
//
//	"ghp_"        these bytes, quoted as in Go
//	w36           36 bytes of a class; 27..300 for a range, 100+ for up to 4096
//	[A-F_]8       a class of its own; a backslash before ] or \
//	( … | … )     alternatives, ( … )? what may be missing
//	U             a lower-case UUID
//	{ … }         the secret part, if it is not all of it
//
// The classes are d 0-9, x 0-9a-f, X 0-9A-F, h hex in any case, a A-Za-z, n 0-9a-z,
// N 0-9A-Z, w 0-9A-Za-z, u w and -_, b w and +/, l a-z2-7, L A-Z2-7, k base 58,
// p printable without space.
//
// A run takes as many bytes as there are and never gives one back, so what
// follows a run of varying length must not begin with a byte of its class.
// Matching starts at the rarest literal of three bytes or more, which a program
// must have, or two that a class of few bytes follows.
//
// The error names every rule that is wrong, and why.
func Compile(rules []Rule) (*RuleSet, error) {
	s := &RuleSet{rules: slices.Clone(rules), index: map[string]int{}, regexps: map[int]*regexp.Regexp{}}
	slices.SortFunc(s.rules, func(a, b Rule) int { return cmp.Compare(a.ID, b.ID) })
	c := &compiler{RuleSet: s, byLiteral: map[sight]int{}, byClass: map[set]int{}, folds: folder{}}
	s.needles = slices.Grow(handlerNeedles(), 2*len(rules))
	s.programs, s.groups = make([]program, 0, 2*len(rules)), make([][]int, 0, 2*len(rules))
	for i := range s.rules {
		r := &s.rules[i]
		r.defaults()
		if err := c.rule(i, r); err != nil {
			c.fail(r, err)
		}
	}
	c.words()
	c.handlers()
	f, bad := build(s.needles, c.folds)
	for _, i := range bad {
		n := &s.needles[i]
		c.errs = append(c.errs, fmt.Errorf("%s: literal %q is too short for what stands beside it: %w", c.owner(n), n.literal, boltseal.ErrMalformed))
	}
	if err := errors.Join(c.errs...); err != nil {
		return nil, fmt.Errorf("compile rules: %w", err)
	}
	s.filter = f
	s.digest = digest(s.rules)
	return s, nil
}

// Rules returns the rules in order of ID.
func (s *RuleSet) Rules() []Rule { return slices.Clone(s.rules) }

// Rule returns the rule with that ID, or nil.
func (s *RuleSet) Rule(id string) *Rule {
	i, ok := s.index[id]
	if !ok {
		return nil
	}
	r := s.rules[i]
	return &r
}

// Digest identifies the set: equal digests mean equal rules, save for the code
// of their checks.
func (s *RuleSet) Digest() string { return s.digest }

func (r *Rule) defaults() {
	if r.Severity == boltseal.SeverityUnknown {
		r.Severity = boltseal.SeverityHigh
	}
	if r.Provider == "" {
		r.Provider, _, _ = strings.Cut(r.ID, "-")
	}
	if r.Title == "" {
		r.Title = r.ID
	}
}

func digest(rules []Rule) string {
	h := sha256.New()
	var line []byte
	text := func(t string) {
		line = append(strconv.AppendInt(line, int64(len(t)), 10), ':')
		line = append(line, t...)
	}
	texts := func(list []string) {
		line = append(strconv.AppendInt(line, int64(len(list)), 10), '[')
		for _, t := range list {
			text(t)
		}
	}
	number := func(n int) { line = append(strconv.AppendInt(line, int64(n), 10), ',') }
	number(engineVersion)
	for i := range rules {
		r := &rules[i]
		for _, t := range []string{r.ID, r.Provider, r.Title, r.Program, r.Regexp, r.Left, r.Right, r.Revoke} {
			text(t)
		}
		texts(r.Anchors)
		texts(r.Context)
		texts(r.Names)
		for _, n := range []int{int(r.By), r.Group, int(r.Kind), int(r.Confidence), int(r.Severity), b2i(r.Generic), b2i(r.Check != nil), b2i(r.Refine != nil)} {
			number(n)
		}
		h.Write(line)
		line = line[:0]
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sight is what a needle is seen by.
type sight struct {
	literal string
	windows [2]window
}

type compiler struct {
	*RuleSet
	byLiteral map[sight]int // needles that share their programs
	byClass   map[set]int
	folds     folder
	errs      []error
}

func (c *compiler) fail(r *Rule, err error) {
	c.errs = append(c.errs, fmt.Errorf("rule %s: %w", r.ID, err))
}

// owner names what a needle is for.
func (c *compiler) owner(n *needle) string {
	switch n.action {
	case tryPrograms:
		return "rule " + c.rules[c.programs[c.groups[n.arg][0]].rule].ID
	case tryRegexp, tryObject:
		return "rule " + c.rules[n.arg].ID
	}
	return "handler"
}

func (c *compiler) rule(i int, r *Rule) error {
	if r.ID == "" {
		return fmt.Errorf("no ID: %w", boltseal.ErrMalformed)
	}
	if _, twice := c.index[r.ID]; twice {
		return fmt.Errorf("defined twice: %w", boltseal.ErrMalformed)
	}
	c.index[r.ID] = i
	if r.Regexp != "" {
		return c.regexp(i, r)
	}
	var alts [][]piece
	var err error
	if r.Program != "" {
		if alts, err = parseProgram(r.Program); err != nil {
			return err
		}
	}
	switch r.By {
	case ByProgram:
		if len(alts) == 0 {
			return fmt.Errorf("no program: %w", boltseal.ErrMalformed)
		}
		for _, a := range alts {
			if err := c.program(i, r, a); err != nil {
				return err
			}
		}
	case ByPEM, ByJSON:
		for _, a := range alts {
			if len(a) != 1 || a[0].literal == "" {
				return fmt.Errorf("program: want one literal: %w", boltseal.ErrMalformed)
			}
			if r.By == ByPEM {
				c.labels = append(c.labels, labelled{i, a[0].literal})
			} else {
				c.needles = append(c.needles, needle{literal: a[0].literal, action: tryObject, arg: i})
			}
		}
		if len(alts) == 0 {
			return fmt.Errorf("no program: %w", boltseal.ErrMalformed)
		}
	case ByAssignment:
		if len(r.Context)+len(r.Names) == 0 {
			return nil
		}
		a := assigned{rule: i, longest: longestValue}
		if len(alts) > 0 {
			a.shortest, a.longest = longestValue, 0
		}
		for _, alt := range alts {
			a.shapes = append(a.shapes, c.steps(alt))
			least, most := 0, 0
			for _, p := range alt {
				least, most = least+len(p.literal)+p.min, most+len(p.literal)+p.max
			}
			a.shortest, a.longest = min(a.shortest, least), max(a.longest, most)
		}
		c.assigned = append(c.assigned, a)
	}
	return nil
}

func (c *compiler) regexp(i int, r *Rule) error {
	if len(r.Regexp) > 4096 {
		return fmt.Errorf("regular expression longer than 4096 bytes: %w", boltseal.ErrLimit)
	}
	re, err := regexp.Compile(r.Regexp)
	if err != nil {
		return fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
	}
	if r.Group < 0 || r.Group > re.NumSubexp() {
		return fmt.Errorf("group %d of %d: %w", r.Group, re.NumSubexp(), boltseal.ErrMalformed)
	}
	if len(r.Anchors) == 0 {
		return fmt.Errorf("a regular expression needs anchors: %w", boltseal.ErrMalformed)
	}
	c.regexps[i] = re
	for _, a := range r.Anchors {
		c.needles = append(c.needles, needle{
			literal: strings.ToLower(a), fold: true, before: anyByte(), after: anyByte(), action: tryRegexp, arg: i,
		})
	}
	return nil
}

func anyByte() []set { return []set{{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}} }

// class returns the number of a set.
func (c *compiler) class(s set) int {
	i, ok := c.byClass[s]
	if !ok {
		i = len(c.classes)
		c.classes = append(c.classes, s)
		c.byClass[s] = i
	}
	return i
}

func (c *compiler) steps(pieces []piece) (out []step) {
	for _, p := range pieces {
		s := step{literal: p.literal, class: -1, min: p.min, max: p.max, secret: p.secret}
		if p.literal == "" {
			s.class = c.class(p.class)
		}
		out = append(out, s)
	}
	return out
}

// program adds one alternative of a rule, at its cheapest literal.
func (c *compiler) program(rule int, r *Rule, pieces []piece) error {
	best, at, cost := needle{}, -1, 0.0
	for i, p := range pieces {
		if len(p.literal) < 2 || !reversible(pieces[:i]) {
			continue
		}
		n := needle{literal: p.literal, before: beside(pieces[:i], true), after: beside(pieces[i+1:], false)}
		if total, ok := n.find(c.folds); ok && (at < 0 || total < cost) {
			best, at, cost = n, i, total
		}
	}
	if at < 0 {
		return fmt.Errorf("program %s: no literal that is long enough: %w", r.Program, boltseal.ErrMalformed)
	}
	g := program{rule: rule, literal: pieces[at].literal, inSecret: pieces[at].secret, right: c.steps(pieces[at+1:])}
	g.left = c.steps(pieces[:at])
	slices.Reverse(g.left)
	g.fixed = r.Check != nil
	for _, p := range pieces {
		g.braces = g.braces || p.secret
		g.fixed = g.fixed && p.min == p.max
	}
	var err error
	if g.leftBar, err = bar(r.Left, pieces[0].class); err != nil {
		return err
	}
	if g.rightBar, err = bar(r.Right, pieces[len(pieces)-1].class); err != nil {
		return err
	}
	c.programs = append(c.programs, g)
	// A literal is looked for with its neighbours, which differ: those with the
	// same windows are seen together.
	key := sight{g.literal, best.windows}
	i, ok := c.byLiteral[key]
	if !ok {
		i = len(c.groups)
		c.byLiteral[key] = i
		c.groups = append(c.groups, nil)
		best.action, best.arg = tryPrograms, i
		c.needles = append(c.needles, best)
	}
	c.groups[i] = append(c.groups[i], len(c.programs)-1)
	if len(c.groups[i]) > mostPrograms {
		return fmt.Errorf("more than %d programs hang on %q: %w", mostPrograms, g.literal, boltseal.ErrLimit)
	}
	return nil
}

// reversible reports whether pieces can be matched backwards, from the last on:
// what precedes a run of varying length must not belong to it.
func reversible(pieces []piece) bool {
	for i := 1; i < len(pieces); i++ {
		if p := &pieces[i]; p.max > p.min && p.class.meets(pieces[i-1].last()) {
			return false
		}
	}
	return true
}

// last is what the piece's last byte can be.
func (p *piece) last() set {
	if p.literal != "" {
		return singleton(p.literal[len(p.literal)-1])
	}
	return p.class
}

// beside returns the classes of up to three bytes that surely stand before or
// after a literal.
func beside(pieces []piece, before bool) (out []set) {
	add := func(s set) bool {
		out = append(out, s)
		return len(out) < 3
	}
	for i := range pieces {
		p := &pieces[i]
		if before {
			p = &pieces[len(pieces)-1-i]
		}
		for j := range p.literal {
			c := p.literal[j]
			if before {
				c = p.literal[len(p.literal)-1-j]
			}
			if !add(singleton(c)) {
				break
			}
		}
		for range p.min {
			if len(out) >= 3 || !add(p.class) {
				break
			}
		}
		if len(out) >= 3 || p.literal == "" && p.max > p.min {
			break
		}
	}
	if before {
		slices.Reverse(out)
		if len(out) == 0 {
			out = anyByte()
		}
	}
	return out
}

// bar is what may not stand beside a token.
func bar(text string, own set) (s set, err error) {
	switch text {
	case "-":
		return set{}, nil
	case "":
		s, err = parseSet("0-9A-Za-z_")
		return s.union(own), err
	}
	if len(text) == 1 && classes[text[0]] != "" {
		text = classes[text[0]]
	} else if len(text) > 2 && text[0] == '[' && text[len(text)-1] == ']' {
		text = text[1 : len(text)-1]
	}
	return parseSet(text)
}

// words makes the providers' words of assignments needles.
func (c *compiler) words() {
	seen := map[string]bool{}
	for _, a := range c.assigned {
		r := &c.rules[a.rule]
		for _, word := range slices.Concat(r.Context, r.Anchors) {
			word = strings.ToLower(word)
			if len(word) < 4 || seen[word] {
				continue
			}
			seen[word] = true
			c.needles = append(c.needles, needle{literal: word, fold: true, before: anyByte(), after: anyByte(), action: tryAssignment, arg: 1})
		}
	}
}
