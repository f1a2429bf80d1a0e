package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
)

// TableOptions shape a table. Nil and the zero value are ready to use.
type TableOptions struct {
	Width  int  // columns; default 80, at least 40
	Color  bool // use ANSI colours
	Layers bool // draw the layers
}

// Table writes r for a terminal: what was scanned, how it went, what was found,
// by package and the worst first. No line is wider than the width.
func Table(w io.Writer, r *boltseal.Report, o *TableOptions) error {
	if o == nil {
		o = &TableOptions{}
	}
	t := table{w: bufio.NewWriter(w), r: r, x: newIndex(r), sum: Summarize(r), width: o.Width, color: o.Color}
	if t.width == 0 {
		t.width = 80
	}
	t.width = max(t.width, 40)
	t.head()
	t.incomplete()
	t.summary()
	if o.Layers {
		t.layers()
	}
	t.findings()
	t.foot()
	return t.w.Flush()
}

// table is one drawing in progress; bufio keeps the first error.
type table struct {
	w     *bufio.Writer
	r     *boltseal.Report
	x     index
	sum   Summary
	width int
	color bool
}

func (t *table) paint(st style, s string) string {
	if !t.color || s == "" {
		return s
	}
	return string(st) + s + resetAll
}

func (t *table) line(parts ...string) {
	for _, p := range parts {
		t.w.WriteString(p)
	}
	t.w.WriteByte('\n')
}

// text writes s wrapped, the first line after lead, the others as far in.
func (t *table) text(lead string, st style, s string) {
	in := width(lead)
	for i, l := range wrap(Clean(s), t.width-in) {
		if i > 0 {
			lead = strings.Repeat(" ", in)
		}
		t.line(t.paint(st, lead+l))
	}
}

// head says what was scanned.
func (t *table) head() {
	if im := t.r.Image; im != nil {
		t.text("", bold, im.Name)
		t.field("digest", im.Digest)
		t.field("platform", im.Platform)
	}
	if d := t.r.Distro; d != nil {
		name := d.PrettyName
		if name == "" {
			name = d.String()
		}
		t.field("distro", name)
	}
	if im := t.r.Image; im != nil && im.Base != nil {
		t.field("base", base(im.Base))
	}
	content := plural(len(t.r.Packages), "package")
	if len(t.r.Layers) > 0 {
		content = plural(len(t.r.Layers), "layer") + ", " + size(t.sum.Bytes) + ", " + content
	}
	if len(t.r.Packages)+len(t.r.Layers) > 0 {
		t.field("content", content)
	}
	if a := t.r.Advisories; a != nil {
		s := plural(a.Advisories, "advisory")
		if a.Newest != nil {
			s += ", the newest of " + a.Newest.UTC().Format("2006-01-02")
		}
		t.field("matched", s)
	}
}

func (t *table) field(name, value string) {
	if value == "" {
		return
	}
	const in = 9
	for i, l := range wrap(Clean(value), t.width-in) {
		if i > 0 {
			name = ""
		}
		t.line(t.paint(dim, pad(name, in)), l)
	}
}

const listed = 12 // of skips and undecided checks; all are in the JSON form

// incomplete says, first of all, what was not looked at.
func (t *table) incomplete() {
	if t.r.Complete && len(t.sum.Unknown) == 0 && len(t.sum.Skipped) == 0 {
		return
	}
	t.line()
	head, text := " INCOMPLETE ", " what is not reported may still be there"
	if t.r.Complete {
		head, text = " NOT DECIDED ", " all was read, but not all could be judged"
	}
	t.line(t.paint(inverse, head), t.paint(bold, fit(text, t.width-len(head))))
	n := 0
	for _, c := range t.sum.Unknown {
		if n++; n <= listed {
			title := c.Title
			if title == "" {
				title = c.Rule
			}
			t.text("  ? ", magenta, title+": "+c.Reason)
		}
	}
	for _, s := range t.sum.Skipped {
		if n++; n <= listed {
			what := s.Path
			if what == "" && s.Layer != "" {
				what = t.layerName(s.Layer)
			}
			if what != "" {
				what += ": "
			}
			t.text("  ! ", yellow, what+s.Reason)
		}
	}
	if n > listed {
		t.line(t.paint(dim, fit(fmt.Sprintf("    and %d more; -o json lists them all", n-listed), t.width)))
	}
}

func (t *table) layerName(diffID string) string {
	if l := t.x.layers[diffID]; l != nil {
		return fmt.Sprintf("layer %d", l.Index)
	}
	return "layer " + short(diffID)
}

// summary is one line: how many of each severity.
func (t *table) summary() {
	t.line()
	if t.sum.Findings == 0 {
		switch {
		case !t.r.Complete:
			t.line(t.paint(bold, "Nothing found in what could be read."))
		default:
			t.line(t.paint(green, "Nothing found."))
		}
	} else {
		var parts, plainParts []string
		for _, s := range severities {
			if n := t.sum.Counts[s]; n > 0 {
				p := fmt.Sprintf("%d %s", n, s)
				plainParts = append(plainParts, p)
				parts = append(parts, t.paint(severityStyle(s), p))
			}
		}
		head := plural(t.sum.Findings, "finding")
		tail := ""
		if len(t.r.Packages) > 0 {
			tail = fmt.Sprintf(" | %d with a fix", t.sum.Fixable)
		}
		if width(head)+2+width(strings.Join(plainParts, "  "))+width(tail) <= t.width {
			t.line(t.paint(bold, head), ": ", strings.Join(parts, "  "), t.paint(dim, tail))
		} else {
			t.line(t.paint(bold, head), t.paint(dim, tail))
			for _, p := range parts {
				t.line("  ", p)
			}
		}
	}
	if n := t.sum.Suppressed; n > 0 {
		t.line(t.paint(dim, fit(fmt.Sprintf("%d suppressed, each with its reason in -o json and -o html", n), t.width)))
	}
}

// findings lists what was found, package by package.
func (t *table) findings() {
	for _, g := range t.x.groups(t.r) {
		t.line()
		t.groupHead(g)
		// 2 + severity 8 + 2 + rule + 2 + fixed + 2 + title
		rule, fixed, title := 8, 5, 0
		for _, f := range g.Findings {
			id, text := t.label(g, f)
			rule, fixed, title = max(rule, width(id)), max(fixed, width(Clean(f.Fixed))), max(title, width(text))
		}
		rule = min(rule, t.width*30/100)
		fixed = min(fixed, max(t.width*30/100, t.width-16-rule-title))
		title = t.width - 16 - rule - fixed
		for _, f := range g.Findings {
			if f.Kind == boltseal.KindSecret {
				t.secret(f)
				continue
			}
			id, text := t.label(g, f)
			fix, fst := Clean(f.Fixed), green
			if fix == "" {
				fix, fst = "-", dim
			}
			s := "  " + t.paint(severityStyle(f.Severity), pad(f.Severity.String(), 8)) + "  " + pad(id, rule) + "  "
			if text == "" || title < 10 {
				t.line(s, t.paint(fst, fit(fix, fixed)))
				continue
			}
			t.line(s, t.paint(fst, pad(fix, fixed)), "  ", fit(text, title))
		}
	}
}

// secret shows what a credential is, of it what may be seen, and what to do.
func (t *table) secret(f *boltseal.Finding) {
	in := strings.Repeat(" ", 2+8+2)
	what := Clean(f.Title) + " (" + Clean(f.Rule) + ")"
	t.line("  ", t.paint(severityStyle(f.Severity), pad(f.Severity.String(), 8)), "  ", fit(what, t.width-len(in)))
	t.text(in, "", f.Description)
	t.text(in, dim, f.Fix)
}

// label returns what stands before and after the fix: of an advisory that fixes
// the group's packages in different versions, the package's name comes after.
func (t *table) label(g *group, f *boltseal.Finding) (rule, text string) {
	name, _, _ := t.x.name(f)
	rule, text = label(f, name)
	if text == "" && slices.ContainsFunc(g.Findings, func(o *boltseal.Finding) bool { return o != f && o.Rule == f.Rule }) {
		text = Clean(name)
	}
	return rule, text
}

func (t *table) groupHead(g *group) {
	name := Clean(strings.TrimSpace(g.Name + " " + g.Version))
	rest, file := Clean(g.Type), ""
	if g.Layer != nil {
		rest += fmt.Sprintf(", layer %d", g.Layer.Index)
		if g.Layer.Kind != "" {
			rest += " " + Clean(g.Layer.Kind)
		}
	}
	if len(g.Built) > 0 {
		file = ": " + Clean(strings.Join(g.Built, ", "))
	} else if g.Package != nil {
		if n := t.x.places[g.Package.PURL]; n > 1 {
			rest += fmt.Sprintf(", %d places", n)
		}
		if len(g.Package.Paths) > 0 && g.Package.Distro == nil && g.Package.Source.Name == "" {
			file = ", " + Clean(g.Package.Paths[0])
		}
	}
	rest = strings.TrimPrefix(rest, ", ")
	name = fit(name, t.width)
	if left := t.width - width(name) - 2; left >= width(rest) {
		if room := left - width(rest); room >= 16 {
			if len(g.Built) > 0 {
				rest += fit(file, room)
			} else {
				rest += fitEnd(file, room)
			}
		}
		t.line(t.paint(bold, name), "  ", t.paint(dim, rest))
		return
	}
	t.line(t.paint(bold, name))
	t.line("  ", t.paint(dim, fit(rest, t.width-2)))
}

// foot names the sources of what was matched, and what only other forms show.
func (t *table) foot() {
	a := t.r.Advisories
	if a == nil || len(a.Sources) == 0 {
		return
	}
	var names []string
	for _, s := range a.Sources {
		n := s.Name
		if s.License != "" {
			n += " (" + s.License + ")"
		}
		names = append(names, n)
	}
	t.line()
	t.text("", dim, "Advisories: "+strings.Join(names, ", ")+".")
}
