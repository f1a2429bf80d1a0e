package vuln

import (
	"fmt"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
)

// merge turns the hits on one package into matches, one per issue.
func (s *matcher) merge(pkg *boltseal.Package) []Match {
	db := s.db
	type issue struct {
		main hit
		adv  advRecord
		also []int // other advisories
	}
	var issues []issue
	byGroup := map[int]int{}
	for _, h := range s.hits {
		a := db.advisory(h.advisory)
		if !db.counts(&a, h.row) {
			continue
		}
		i, ok := byGroup[a.group]
		if !ok {
			byGroup[a.group] = len(issues)
			issues = append(issues, issue{main: h, adv: a})
			continue
		}
		is := &issues[i]
		switch {
		case is.adv.index == a.index:
		case db.authority(&a) < db.authority(&is.adv):
			is.also = append(is.also, is.adv.index)
			is.main, is.adv = h, a
		default:
			is.also = append(is.also, a.index)
		}
	}
	folded := map[int]bool{}
	if slices.ContainsFunc(issues, func(is issue) bool { return is.adv.flags&advDerived != 0 }) {
		// What a distribution's tooling says of one CVE is folded into the
		// advisory that the distribution published about it for this package.
		covers := map[int]int{}
		for i := range issues {
			if a := &issues[i].adv; a.flags&advDerived == 0 {
				for _, cve := range a.upstream {
					if _, ok := covers[cve]; !ok {
						covers[cve] = i
					}
				}
			}
		}
		for i := range issues {
			if a := &issues[i].adv; a.flags&advDerived != 0 && len(a.upstream) == 1 {
				if j, ok := covers[a.upstream[0]]; ok {
					issues[j].also = append(issues[j].also, a.index)
					folded[i] = true
				}
			}
		}
	}
	out := make([]Match, 0, len(issues))
	for i := range issues {
		if is := &issues[i]; !folded[i] {
			out = append(out, s.finish(pkg, is.main, &is.adv, is.also))
		}
	}
	slices.SortStableFunc(out, func(a, b Match) int { return strings.Compare(a.Advisory.ID, b.Advisory.ID) })
	return out
}

// counts says whether an advisory is about a vulnerability that holds, on
// Linux.
func (db *DB) counts(a *advRecord, r row) bool {
	return db.discounts(a, r) == ""
}

// discounts says why a row is no statement about a vulnerability, or "".
func (db *DB) discounts(a *advRecord, r row) string {
	switch {
	case a.flags&advWithdrawn != 0:
		return "the advisory was withdrawn"
	case a.flags&advNoSecurity != 0:
		return "a bug-fix or enhancement notice that names no vulnerability"
	}
	switch key, value, _ := strings.Cut(db.extra(r), "="); key {
	case "informational":
		if value != "unsound" {
			return "informational (" + value + "), not a vulnerability"
		}
	case "os":
		return "affects " + value + " only"
	}
	return ""
}

// extra is the status word of a row.
func (db *DB) extra(r row) string {
	if r.extra == 0 {
		return ""
	}
	s, _, _ := strings.Cut(db.strings.at(r.extra-1), "\x00")
	if strings.HasPrefix(s, "CVSS_") {
		return ""
	}
	return s
}

// authority ranks advisories about the same issue: what an ecosystem's own
// database says comes before copies, and copies before derived data.
func (db *DB) authority(a *advRecord) int {
	switch id := db.ids.at(a.id); {
	case a.flags&advDerived != 0:
		return 3
	case strings.HasPrefix(id, "GLAD-"), strings.HasPrefix(id, "RETIREJS-"), strings.HasPrefix(id, "BIT-"):
		return 2
	case strings.HasPrefix(id, "GHSA-"):
		return 1
	}
	return 0
}

// finish fills a match in.
func (s *matcher) finish(pkg *boltseal.Package, h hit, a *advRecord, also []int) Match {
	db, t := s.db, &s.tgt[h.t]
	scheme := db.ecos[t.eco].scheme
	m := Match{Package: pkg, Advisory: db.public(a), Ecosystem: db.meta.Ecosystems[t.eco].Name, Generation: db.meta.Generation}
	db.exploited(&m, []int{a.id}, a.aliases, a.upstream, a.related)
	for _, i := range also {
		other := db.advisory(i)
		id := db.ids.at(other.id)
		m.Also = append(m.Also, id)
		m.Advisory.Aliases = append(append(m.Advisory.Aliases, id), db.idList(other.aliases)...)
		db.exploited(&m, other.aliases, other.upstream)
	}
	if len(also) > 0 {
		m.Advisory.Aliases = names(m.Advisory.Aliases, m.Advisory.ID)
	}
	slices.Sort(m.Also)

	m.Why = Why{Name: t.name, NameKind: kindNames[t.kind], NameField: t.field, Version: t.version, Scheme: db.schemes[scheme].name, Status: db.extra(h.row)}
	if t.kind == kindDerived {
		m.Why.Name = bitnamiName(t.name)
	}
	sh := db.shape(h.code)
	if h.j.rng < 0 {
		m.Why.Range, m.Why.Event = "versions", "listed "+t.version
	} else if h.j.rng < len(sh.ranges) && h.j.event < len(sh.ranges[h.j.rng]) {
		events := sh.ranges[h.j.rng]
		m.Why.Range = db.words(scheme, events)
		m.Why.Event = db.words(scheme, events[h.j.event:h.j.event+1])
	}
	if f := sh.fixedAfter(h.p, h.j.rng); f > 0 {
		m.Fixed = db.bound(scheme, f)
		if pkg.Type == "golang" && strings.HasPrefix(pkg.Version, "v") && !strings.HasPrefix(m.Fixed, "v") {
			m.Fixed = "v" + m.Fixed // advisories write Go versions without it
		}
	}
	s.rate(&m, h, a, t.os)
	s.caveats(&m, h, a, t)
	s.suppress(&m, a)
	return m
}

// caveats lists what may be wrong with a match.
func (s *matcher) caveats(m *Match, h hit, a *advRecord, t *target) {
	add := func(format string, args ...any) { m.Why.Caveats = append(m.Why.Caveats, fmt.Sprintf(format, args...)) }
	if h.note != "" {
		add("%s", h.note)
	}
	if a.flags&advDerived != 0 {
		add("derived from other data by tooling, not stated by the distribution")
	}
	if t.kind == kindDerived {
		add("the program was recognised by its contents; its name was mapped to the product %s", m.Why.Name)
	}
	switch m.Why.Status {
	case "custom=1":
		add("the source states ranges that its ecosystem cannot order; the range used may be too wide")
	case "needs-triage":
		add("the distribution has not examined this yet")
	case "ignored", "deferred":
		add("the distribution will not fix this, or not soon (%s)", m.Why.Status)
	}
	if strings.HasPrefix(m.Ecosystem, "Ubuntu:Pro:") && !isPro(m.Package.Distro) && m.Fixed != "" {
		add("the fix needs Ubuntu Pro, which is not set up here")
	}
	if v := m.Package.Vendor; t.os && v != "" && m.Package.Distro != nil && foreign(v, m.Package.Distro) {
		add("built by %s: a third-party rebuild may be numbered differently", v)
	}
}

// foreign says whether a package's vendor is plainly not its distribution.
func foreign(vendor string, d *boltseal.Distro) bool {
	v := strings.ToLower(vendor)
	word, _, _ := strings.Cut(strings.ToLower(d.Name), " ")
	return !strings.Contains(v, strings.ToLower(d.ID)) && (word == "" || !strings.Contains(v, word)) &&
		!strings.Contains(v, "cbl-mariner") && !strings.Contains(v, "microsoft") && !strings.Contains(v, "suse")
}

// suppress says why a match does not count, if it does not.
func (s *matcher) suppress(m *Match, a *advRecord) {
	switch {
	case isOS(m.Package.Type) && isKernel(m.Package):
		m.Suppressed = "not applicable: a container runs the host's kernel, never this one"
	case m.Why.Status == "urgency=unimportant":
		m.Suppressed = "the distribution rates it unimportant"
	case m.Package.OwnedBy != "":
		s.owned(m, a)
	}
}
