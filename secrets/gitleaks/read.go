package gitleaks

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/secrets"
)

// Options are the settings of [Read]. Nil and the zero value are ready to use.
type Options struct {
	// Open opens a file that extends the configuration: the one that extend.path
	// names, or Gitleaks' own rules, for extend.useDefault, by the name "default".
	// Nil: extensions are refused.
	Open func(path string) (io.ReadCloser, error)
}

// Imported is what a configuration holds.
type Imported struct {
	Rules   []secrets.Rule
	Refused []Refused
}

// Refused is something in a configuration that was not taken over.
type Refused struct {
	Rule   string // empty for what concerns the whole file
	Reason string
}

// mostExtended is how far extensions may lead, as in Gitleaks.
const mostExtended = 2

// Read reads a configuration, at most 8 MiB. Rules that cannot be taken over
// are listed with the reason, and so is everything that changes what a rule
// means; an error says that the file itself cannot be read.
func Read(r io.Reader, o *Options) (*Imported, error) {
	if o == nil {
		o = &Options{}
	}
	i := &importer{open: o.Open, out: &Imported{}}
	d, err := i.document(r, 0)
	if err != nil {
		return nil, err
	}
	i.rules(d)
	return i.out, nil
}

type importer struct {
	open func(string) (io.ReadCloser, error)
	out  *Imported
}

func (i *importer) refuse(rule, format string, args ...any) {
	i.out.Refused = append(i.out.Refused, Refused{rule, fmt.Sprintf(format, args...)})
}

// document reads a file and what it extends.
func (i *importer) document(r io.Reader, depth int) (*document, error) {
	d, unknown, err := parse(r)
	if err != nil {
		return nil, err
	}
	for _, k := range unknown {
		i.refuse("", "%s: not known", k)
	}
	if d.Extend.URL != "" {
		i.refuse("", "extend.url: nothing here opens a connection; fetch it and use extend.path")
	}
	base := d.Extend.Path
	if d.Extend.UseDefault {
		base = "default"
	}
	switch {
	case base == "":
		return d, nil
	case depth >= mostExtended:
		i.refuse("", "extend: more than %d files deep", mostExtended)
		return d, nil
	case i.open == nil:
		i.refuse("", "extend: %q was not given (Options.Open)", base)
		return d, nil
	}
	f, err := i.open(base)
	if err != nil {
		return nil, fmt.Errorf("read gitleaks rules: extend %q: %w", base, err)
	}
	defer f.Close()
	b, err := i.document(f, depth+1)
	if err != nil {
		return nil, err
	}
	return merge(d, b), nil
}

// merge puts a file on top of the one that it extends.
func merge(d, base *document) *document {
	byID := map[string]int{}
	var rules []rule
	for _, r := range base.Rules {
		if !slices.Contains(d.Extend.DisabledRules, r.ID) {
			byID[r.ID] = len(rules)
			rules = append(rules, r)
		}
	}
	for _, r := range d.Rules {
		at, ok := byID[r.ID]
		if !ok {
			rules = append(rules, r)
			continue
		}
		old := &rules[at]
		for _, s := range []struct{ to, from *string }{{&old.Description, &r.Description}, {&old.Regex, &r.Regex}, {&old.Path, &r.Path}} {
			if *s.from != "" {
				*s.to = *s.from
			}
		}
		if r.Entropy != 0 {
			old.Entropy = r.Entropy
		}
		if r.SecretGroup != 0 {
			old.SecretGroup = r.SecretGroup
		}
		old.Keywords = append(slices.Clip(old.Keywords), r.Keywords...)
		old.Tags = append(slices.Clip(old.Tags), r.Tags...)
		old.Allowlists = append(slices.Clip(old.Allowlists), r.lists()...)
		old.Required = append(slices.Clip(old.Required), r.Required...)
	}
	d.Rules = rules
	d.Allowlists = append(d.lists(), base.lists()...)
	d.Allowlist = nil
	return d
}

func (r *rule) lists() []allowlist {
	if r.Allowlist != nil {
		return append(slices.Clip(r.Allowlists), *r.Allowlist)
	}
	return r.Allowlists
}

func (d *document) lists() []allowlist {
	if d.Allowlist != nil {
		return append(slices.Clip(d.Allowlists), *d.Allowlist)
	}
	return d.Allowlists
}

// rules takes over all that it can.
func (i *importer) rules(d *document) {
	var global []*filter
	for n, a := range d.lists() {
		f, err := newFilter(&a)
		if f != nil {
			f.rules = a.TargetRules
			global = append(global, f)
		}
		if err != nil {
			i.refuse("", "allowlist %d: %v", n+1, err)
		}
	}
	byID := map[string]*rule{}
	for k := range d.Rules {
		byID[d.Rules[k].ID] = &d.Rules[k]
	}
	for k := range d.Rules {
		r := &d.Rules[k]
		if r.SkipReport {
			continue // it is there for those that require it
		}
		if err := i.rule(r, global, byID); err != nil {
			i.refuse(r.ID, "%v", err)
		}
	}
}

func (i *importer) rule(r *rule, global []*filter, byID map[string]*rule) error {
	switch {
	case r.ID == "":
		return errors.New("no id")
	case r.Regex == "":
		return errors.New("it looks at the path alone; no content is a secret by its name")
	case len(r.Regex) > 4096:
		return fmt.Errorf("an expression of %d bytes: %w of 4096", len(r.Regex), boltseal.ErrLimit)
	}
	re, err := regexp.Compile(r.Regex)
	if err != nil {
		return err
	}
	group := r.SecretGroup
	if group == 0 && re.NumSubexp() > 0 {
		group = 1 // the first group that took part, there
	}
	if group > re.NumSubexp() {
		return fmt.Errorf("secretGroup %d of %d", group, re.NumSubexp())
	}
	anchors, err := anchors(r, re)
	if err != nil {
		return err
	}
	f := &refinement{id: r.ID, entropy: r.Entropy}
	if r.Path != "" {
		if f.path, err = regexp.Compile(r.Path); err != nil {
			return err
		}
	}
	for n, a := range r.lists() {
		one, err := newFilter(&a)
		if one != nil {
			f.allow = append(f.allow, one)
		}
		if err != nil {
			i.refuse(r.ID, "allowlist %d: %v", n+1, err)
		}
	}
	for _, g := range global {
		if len(g.rules) == 0 || slices.Contains(g.rules, r.ID) {
			f.allow = append(f.allow, g)
		}
	}
	for _, q := range r.Required {
		other := byID[q.ID]
		if other == nil || other.Regex == "" {
			return fmt.Errorf("it requires %q, which is not there", q.ID)
		}
		re, err := regexp.Compile(other.Regex)
		if err != nil {
			return err
		}
		f.required = append(f.required, need{re, q.WithinLines, q.WithinColumns})
	}
	i.out.Rules = append(i.out.Rules, secrets.Rule{
		ID: r.ID, Provider: strings.Join(r.Tags, ", "), Title: title(r), Regexp: r.Regex, Group: group, Anchors: anchors,
		Confidence: secrets.ConfidenceMedium, Refine: f.refine,
	})
	return nil
}

func title(r *rule) string {
	if r.Description != "" {
		return r.Description
	}
	return r.ID
}

// anchors returns the keywords, or what the expression begins with.
func anchors(r *rule, re *regexp.Regexp) (out []string, err error) {
	for _, k := range r.Keywords {
		if len(k) >= minAnchor && !slices.Contains(out, strings.ToLower(k)) {
			out = append(out, strings.ToLower(k))
		}
	}
	if len(out) > 0 && len(out) >= len(r.Keywords) {
		return out, nil
	}
	if p, _ := re.LiteralPrefix(); len(p) >= minAnchor {
		return []string{p}, nil
	}
	if len(r.Keywords) > 0 {
		return nil, fmt.Errorf("a keyword of less than %d bytes, in %q: it would be slow", minAnchor, r.Keywords)
	}
	return nil, errors.New("no keyword, and the expression begins with none: it would be slow")
}

// minAnchor is the length of the shortest keyword that finds its places fast.
const minAnchor = 3
