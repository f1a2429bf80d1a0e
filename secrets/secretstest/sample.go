package secretstest

import (
	"fmt"
	"slices"
	"strings"
)

// Sample is one made-up credential.
type Sample struct {
	Family string // the rule of package secrets that should find it
	// Token is the credential itself, and Other the secret half that belongs
	// to it, if it is one of a pair.
	Token, Other string
	// Name is what it is assigned to in configuration files.
	Name string
	// Text is the shortest text in which it can be recognised: the token
	// itself, or the lines that it needs round it.
	Text string
	// Path is the file that it belongs in; empty if any will do.
	Path string
	// Public is set for identifiers, which are no secret and no finding.
	Public bool

	parts  []part // of the shape
	summed bool
	hard   bool // tokens whose sum is wrong were never issued
	free   bool // any text could be one
	whole  bool // the text is a file, or lines of one, and fits into no other syntax
	own    bool // the name matters
}

// Families returns the families that [New] knows, in order.
func Families() []string {
	var out []string
	for _, r := range recipes() {
		out = append(out, r.family)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// New makes a credential: always the same for the same family and seed. Where
// there are several recipes for a family, the seed chooses.
func New(family string, seed uint64) (Sample, error) {
	var fits []recipe
	for _, r := range recipes() {
		if r.family == family {
			fits = append(fits, r)
		}
	}
	if len(fits) == 0 {
		return Sample{}, fmt.Errorf("family %q: no recipe; Families lists those there are", family)
	}
	r := fits[seed%uint64(len(fits))]
	m := newMaker(family, seed)
	parts, err := parseShape(r.shape)
	if err != nil {
		return Sample{}, err
	}
	s := Sample{Family: family, Token: m.fill(parts), Name: r.name, Path: r.path, Public: r.public, parts: parts, summed: r.sum != nil, hard: r.hard, free: r.free, whole: r.block, own: r.name != ""}
	if r.sum != nil {
		s.Token = r.sum(m, s.Token)
	}
	if r.other != "" {
		other, err := parseShape(r.other)
		if err != nil {
			return Sample{}, err
		}
		s.Other = m.fill(other)
	}
	if s.Name == "" {
		s.Name = "value"
	}
	switch {
	case r.around != "":
		s.Text = strings.NewReplacer("$1", s.Token, "$2", s.Other).Replace(r.around)
	case s.own:
		s.Text = s.Name + "=" + s.Token
	default:
		s.Text = s.Token
	}
	return s, nil
}

// Placed is a credential in a text.
type Placed struct {
	Syntax string // "env", "json", …
	Path   string
	Text   string
}

// Placed puts the credential into the syntaxes that can hold it.
func (s Sample) Placed() []Placed {
	switch {
	case s.whole || strings.Contains(s.Text, "\n"):
		return s.lines()
	case s.Text != s.Token && !s.own:
		return s.placed("value", s.Text)
	}
	return s.placed(s.Name, s.Token)
}

// placed writes one line of text as the value of a name.
func (s Sample) placed(name, text string) []Placed {
	lower := strings.ToLower(name)
	add := func(syntax, path, format string, args ...any) Placed {
		if s.Path != "" {
			path = s.Path
		}
		return Placed{syntax, path, fmt.Sprintf(format, args...)}
	}
	return []Placed{
		add("env", "app/.env", "PORT=8080\n%s=%s\nDEBUG=0\n", name, text),
		add("shell", "app/run.sh", "#!/bin/sh\nexport %s=\"%s\"\nexec app\n", name, text),
		add("json", "app/config.json", "{\"port\": 8080, \"%s\": \"%s\", \"debug\": false}\n", name, text),
		add("yaml", "app/config.yaml", "port: 8080\n%s: \"%s\"\ndebug: false\n", name, text),
		add("toml", "app/config.toml", "port = 8080\n%s = '%s'\n", lower, text),
		add("go", "app/main.go", "package main\n\nvar %s = \"%s\"\n", strings.ReplaceAll(lower, ".", "_"), text),
		add("xml", "app/config.xml", "<config><port>8080</port><%s>%s</%s></config>\n", lower, strings.ReplaceAll(text, "&", "&amp;"), lower),
		add("js", "app/bundle.js", "!function(){var e={port:8080,%s:'%s',debug:!1};run(e)}();", strings.ReplaceAll(lower, ".", "_"), text),
		add("dockerfile", "app/Dockerfile", "FROM alpine\nENV %s=%s\nRUN app\n", name, text),
	}
}

// lines puts several lines into other texts.
func (s Sample) lines() []Placed {
	path := s.Path
	if path == "" {
		path = "app/file.txt"
	}
	out := []Placed{
		{"file", path, s.Text + "\n"},
		{"crlf", path, strings.ReplaceAll(s.Text, "\n", "\r\n") + "\r\n"},
		{"after", path, s.Text + "\n\n# end of file\n"},
		{"no-newline", path, s.Text},
		{"twice-spaced", path, "\n\n" + s.Text + "\n"},
	}
	if !strings.HasPrefix(s.Text, "-----BEGIN") || !strings.Contains(s.Text, "PRIVATE KEY") {
		return out
	}
	indented := "    " + strings.ReplaceAll(s.Text, "\n", "\n    ")
	return append(out,
		Placed{"yaml", path, "tls:\n  key: |\n" + indented + "\n  port: 443\n"},
		Placed{"json", path, `{"port": 443, "key": "` + escaped(s.Text) + `\n"}` + "\n"},
		Placed{"env", path, `KEY="` + escaped(s.Text) + `"` + "\n"},
		Placed{"go", path, "package main\n\nconst key = `" + s.Text + "`\n"},
	)
}
