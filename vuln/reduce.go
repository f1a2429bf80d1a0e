package vuln

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// reduce keeps what the database stores of a record.
func reduce(r *record) *draft {
	d := &draft{
		id:        r.ID,
		aliases:   names(r.Aliases, r.ID),
		upstream:  names(r.Upstream, r.ID),
		related:   names(r.Related, r.ID),
		modified:  parseTime(r.Modified),
		published: parseTime(r.Published),
		withdrawn: parseTime(r.Withdrawn),
	}
	d.source = publisher(r)
	if r.Specific.Derived.v {
		d.flags |= advDerived
		d.source += " (derived)"
	}
	if r.Withdrawn != "" {
		d.flags |= advWithdrawn
	}
	// AlmaLinux publishes bug-fix (ALBA) and enhancement (ALEA) notices in the
	// same form as security ones. Without a vulnerability they are none.
	if (strings.HasPrefix(r.ID, "ALBA-") || strings.HasPrefix(r.ID, "ALEA-")) && len(r.Related)+len(r.Aliases)+len(r.Upstream) == 0 {
		d.flags |= advNoSecurity
	}
	d.title = titleOf(r.Summary)
	d.ratings = ratings(r)
	d.modules = modules(r)
	for i := range r.Affected {
		a := &r.Affected[i]
		row, ok := reduceAffected(a)
		if !ok {
			d.ignored++
			continue
		}
		if len(a.Severity) > 0 && len(r.Affected) > 1 && row.extra != modularExtra {
			row.extra = strings.TrimPrefix(row.extra+"\x00"+strings.Join(severities(a.Severity), "\x00"), "\x00")
		}
		d.rows = append(d.rows, row)
	}
	return d
}

// titleOf makes a title of a summary: one line of at most 200 bytes.
func titleOf(summary string) string {
	words := strings.Fields(strings.ToValidUTF8(summary, ""))
	line := strings.Join(words, " ")
	if len(line) > 200 {
		line = strings.ToValidUTF8(line[:197], "") + "…"
	}
	if !goodName(line) {
		return ""
	}
	return line
}

// names drops what cannot be an ID, the advisory's own one and duplicates.
func names(list []string, own string) []string {
	list = slices.DeleteFunc(slices.Clone(list), func(s string) bool { return !goodName(s) || s == own })
	slices.Sort(list)
	return slices.Compact(list)
}

func reduceAffected(a *affected) (row draftRow, ok bool) {
	row.ecosystem, row.name = a.Package.Ecosystem, a.Package.Name
	if !goodName(row.ecosystem) || !goodName(row.name) {
		return row, false
	}
	row.name = string(appendName(nil, row.ecosystem, row.name))
	for _, g := range a.Ranges {
		if g.Type != "ECOSYSTEM" && g.Type != "SEMVER" {
			continue // GIT ranges speak of commits
		}
		var events []draftEvent
		for _, e := range g.Events {
			for kind, v := range [...]string{introduced: e.Introduced, lastAffected: e.LastAffected, fixed: e.Fixed, limit: e.Limit} {
				if v == "" || eventKind(kind) == limit && v == "*" {
					continue
				}
				events = append(events, draftEvent{eventKind(kind), v})
			}
		}
		if len(events) > 0 {
			row.ranges = append(row.ranges, events)
		}
	}
	row.versions = slices.DeleteFunc(slices.Clone(a.Versions), func(v string) bool { return !goodName(v) })
	row.extra = status(a)
	return row, len(row.ranges)+len(row.versions) > 0
}

// status is the word that limits what a row means: the source's own status, or
// key=value for the other limits.
func status(a *affected) string {
	e, d := &a.Ecosystem, &a.Database
	var goos []string
	for _, i := range e.Imports.v {
		if len(i.GOOS) == 0 || slices.Contains(i.GOOS, "linux") {
			goos = nil
			break
		}
		goos = append(goos, i.GOOS...)
	}
	switch {
	case len(goos) > 0 && goodName(strings.Join(goos, ",")):
		return "os=" + strings.Join(goos, ",")
	case len(e.Affects.v.OS) > 0 && !slices.Contains(e.Affects.v.OS, "linux"):
		return "os=" + strings.Join(e.Affects.v.OS, ",")
	case d.Informational.v != "":
		return "informational=" + d.Informational.v
	case e.Urgency.v != "":
		return "urgency=" + e.Urgency.v
	case len(e.Custom.v) > 0:
		return "custom=1" // the source states ranges that its ecosystem cannot order
	}
	for _, g := range a.Ranges {
		for _, ev := range g.Events {
			if isModular(ev.Fixed) {
				return modularExtra
			}
		}
	}
	if !goodName(e.Status.v) {
		return ""
	}
	return e.Status.v
}

// modularExtra marks a row about a build that belongs to an RPM module.
const modularExtra = "module=1"

// unorderedExtra marks, as one more field, a row of which a range was left out
// because a bound has no place in the order.
const unorderedExtra = "\x00unordered=1"

// ratings lists "type=value", the distribution's own word first and then CVSS,
// the newest version first.
func ratings(r *record) []string {
	var out []string
	if s := r.Specific.Severity.v; s != "" && goodName(s) {
		out = append(out, "source="+s)
	}
	list := r.Severity
	if len(r.Affected) == 1 && len(r.Affected[0].Severity) > 0 {
		list = r.Affected[0].Severity
	}
	out = append(out, severities(list)...)
	for _, s := range []struct {
		kind  string
		score float64
	}{{"CVSS_V4", r.Specific.CVSS4.v}, {"CVSS_V3", r.Specific.CVSS3.v}, {"CVSS_V2", r.Specific.CVSS2.v}} {
		if s.score > 0 && s.score <= 10 && !slices.ContainsFunc(out, func(o string) bool { return strings.HasPrefix(o, s.kind) }) {
			out = append(out, s.kind+"="+strconv.FormatFloat(s.score, 'f', 1, 64))
		}
	}
	if word, _, ok := strings.Cut(r.Summary, ": "); ok && len(out) == 0 && strings.HasPrefix(r.ID, "AL") {
		switch word {
		case "Critical", "Important", "Moderate", "Low":
			out = append(out, "source="+word)
		}
	}
	return out
}

func severities(list []osvSeverity) []string {
	var out []string
	for _, s := range list {
		if goodName(s.Type) && goodName(s.Score) {
			out = append(out, s.Type+"="+s.Score)
		}
	}
	rank := func(s string) string {
		switch {
		case strings.HasPrefix(s, "CVSS_V4"):
			return "1"
		case strings.HasPrefix(s, "CVSS_V3"):
			return "2" + fmt.Sprint(!strings.HasPrefix(s, "CVSS_V3=CVSS:3.1")) // 3.1 before 3.0
		case strings.HasPrefix(s, "CVSS_V2"):
			return "3"
		}
		return "0" // a distribution's own scale
	}
	slices.SortStableFunc(out, func(a, b string) int { return strings.Compare(rank(a), rank(b)) })
	return out
}

// moduleStream finds name:stream in the summary of an advisory about modular
// RPMs ("Moderate: virt:rhel and virt-devel:rhel security update"), which is
// where AlmaLinux and Red Hat name the module if no field does.
var moduleStream = regexp.MustCompile(`\b[A-Za-z0-9][A-Za-z0-9_+-]*:[A-Za-z0-9][A-Za-z0-9._-]*`)

// modules lists the streams, name:stream, that an advisory about modular RPMs
// is for.
func modules(r *record) []string {
	var out []string
	modular := false
	for i := range r.Affected {
		a := &r.Affected[i]
		if m := a.Ecosystem.Modularity.v + a.Database.Modularity.v; m != "" {
			name, rest, _ := strings.Cut(m, ":")
			stream, _, _ := strings.Cut(rest, ":")
			out = append(out, name+":"+stream)
		}
		for _, g := range a.Ranges {
			for _, e := range g.Events {
				modular = modular || isModular(e.Fixed)
			}
		}
	}
	if len(out) == 0 && modular {
		out = append(out, moduleStream.FindAllString(r.Summary, 8)...)
	}
	out = slices.DeleteFunc(out, func(s string) bool { return !goodName(s) })
	slices.Sort(out)
	return slices.Compact(out)
}
