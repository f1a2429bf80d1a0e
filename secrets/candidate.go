package secrets

import (
	"bytes"
	"strings"

	"github.com/boltseal/boltseal"
)

// offer is a match of a rule's shape, before anything looked inside.
type offer struct {
	rule          int
	span          span   // in the view's data
	token, secret []byte // what stands there, decoded where the rule says so
	anchor        string // what every token of the rule begins with
	name          string // what it was assigned to
	glued         bool   // a neighbour belongs to the token's class: only a passed check saves it
}

// program offers what a program matched.
func (v *view) program(g *program, token, secret span, glued bool) {
	r := &v.set.rules[g.rule]
	if r.Refine != nil { // which may look far: not at every byte of a row of tokens
		if token.start < v.tokens[g.rule] {
			return
		}
		if v.tokens == nil {
			v.tokens = map[int]int{}
		}
		v.tokens[g.rule] = token.end
	}
	if len(r.Context) > 0 && !new(nearby).has(v, r.Context, nil, token.start) {
		return
	}
	anchor := ""
	if len(g.left) == 0 && !g.braces {
		anchor = g.literal
	}
	v.offer(offer{
		rule: g.rule, span: token, token: v.data[token.start:token.end], secret: v.data[secret.start:secret.end],
		anchor: anchor, glued: glued,
	})
}

// contextBytes is how far before a match the words of its context may stand.
const contextBytes = 256

// nearby is the text before a match in lower case, made when it is first asked for.
type nearby struct {
	text []byte
	name string
}

// has reports whether one of the words stands in the name, or shortly before p.
func (n *nearby) has(v *view, words []string, name []byte, p int) bool {
	if n.text == nil {
		n.text = lowered(v.data[max(0, p-contextBytes):p])
		n.name = string(lowered(name))
		v.work += contextBytes
	}
	for _, w := range words {
		if strings.Contains(n.name, w) || bytes.Contains(n.text, []byte(w)) {
			return true
		}
	}
	return false
}

// lowered is a copy with ASCII letters in lower case.
func lowered(text []byte) []byte {
	out := make([]byte, len(text))
	for i, c := range text {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		out[i] = c
	}
	return out
}

// offer looks inside a match and keeps it, unless something speaks against it.
func (v *view) offer(o offer) bool { return v.offerWith(o, nil) }

// offerWith does what offer does, and lets a handler add to the candidate.
func (v *view) offerWith(o offer, add func(c *Candidate)) bool {
	r := &v.set.rules[o.rule]
	v.work += len(o.token)
	text, at := v.around(o.span)
	c := Candidate{
		Rule: r, Token: o.token, Secret: o.secret, Name: o.name, Text: text, Start: at.start, End: at.end, Path: v.name(),
		Kind: r.Kind, Confidence: r.Confidence, Severity: r.Severity,
	}
	if r.Check != nil {
		c.Verdict = r.Check(o.token)
		if c.Verdict == boltseal.VerdictFail {
			v.pending.add(v, found{rule: r, span: v.absolute(o.span), bar: true})
			return false
		}
	}
	if o.glued && c.Verdict != boltseal.VerdictPass {
		return false
	}
	if c.Verdict != boltseal.VerdictPass && c.Kind != KindEncrypted && placeholder(bytes.TrimPrefix(o.secret, []byte(o.anchor)), !r.Generic) {
		return false
	}
	if knownSample(o.secret) {
		return false
	}
	if r.Refine != nil && !r.Refine(&c) {
		return false
	}
	if add != nil {
		add(&c)
	}
	v.keep(&c, o)
	return true
}

// keep adds a candidate to those of the content.
func (v *view) keep(c *Candidate, o offer) {
	f := found{
		rule: c.Rule, span: v.absolute(o.span), bar: c.Kind == KindIdentifier, pass: c.Verdict == boltseal.VerdictPass,
		confidence: c.Confidence,
	}
	if f.bar {
		v.pending.add(v, f)
		return
	}
	lo := o.span.start - c.Start // where Text begins in data
	for _, p := range c.Parts {
		if p.End > p.Start {
			f.parts = append(f.parts, v.absolute(span{lo + p.Start, lo + p.End}))
		}
	}
	v.adjust(c)
	f.match = v.describe(c, o)
	f.key = v.fingerprint(c.Rule, c.Secret)
	if v.fixed {
		f.loc = v.loc
	} else {
		f.loc = v.loc
		f.loc.Offset = v.offset(f.span.start)
		f.loc.Line = v.line(o.span.start)
	}
	f.match.Suppressed = v.mark(c.Rule, o.span)
	f.ask = v.ask(c)
	v.pending.add(v, f)
}

func (v *view) absolute(s span) wide { return wide{v.base + int64(s.start), v.base + int64(s.end)} }

// markBytes is how far on its line an inline mark is looked for.
const markBytes = 4096

// mark returns why an inline mark suppresses a match, or "".
func (v *view) mark(r *Rule, s span) string {
	if !v.opts.marks || v.fixed {
		return ""
	}
	before, after := v.data[max(0, s.start-markBytes):s.start], v.data[s.end:min(len(v.data), s.end+markBytes)]
	before = before[bytes.LastIndexByte(before, '\n')+1:]
	if i := bytes.IndexByte(after, '\n'); i >= 0 {
		after = after[:i]
	}
	for _, part := range [][]byte{after, before} {
		if bytes.Contains(part, []byte("gitleaks:allow")) {
			return "inline mark gitleaks:allow"
		}
		if _, rest, ok := bytes.Cut(part, []byte("boltseal:allow")); ok {
			word := strings.TrimSpace(string(rest[:min(len(rest), 80)]))
			word, _, _ = strings.Cut(word, " ")
			if word == "" || !validID(word) || word == r.ID {
				return "inline mark boltseal:allow"
			}
		}
	}
	return ""
}

// validID reports whether a word looks like a rule's ID, and not like the end
// of a comment.
func validID(word string) bool {
	for i := range len(word) {
		c := word[i]
		if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return strings.Contains(word, "-")
}
