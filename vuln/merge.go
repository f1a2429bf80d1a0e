package vuln

import (
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
)

// issue is one match in the making.
type issue struct {
	main hit
	*known
	also []int // other advisories about it
}

// merger is what [matcher.merge] reuses from package to package.
type merger struct {
	issues  []issue
	byGroup map[int]int // representative to issue
	covers  map[int]int // ID of a CVE to the issue of a distribution's own advisory
	known   map[statement]*known
	fixes   map[fix]string
}

// fix is a bound of an ordering.
type fix struct{ scheme, bound int }

// merge turns the hits on one package into matches, one per issue.
func (s *matcher) merge(pkg *boltseal.Package, yield func(Match) bool) bool {
	if s.byGroup == nil {
		s.byGroup, s.covers = map[int]int{}, map[int]int{}
		s.known, s.fixes = map[statement]*known{}, map[fix]string{}
	}
	clear(s.byGroup)
	s.issues = s.issues[:0]
	derived := false
	for _, h := range s.hits {
		k := s.about(statement{h.advisory, h.extra, s.tgt[h.t].os})
		if k.discounted {
			continue
		}
		i, ok := s.byGroup[k.rec.group]
		if !ok {
			s.byGroup[k.rec.group] = len(s.issues)
			s.issues = append(s.issues, issue{main: h, known: k})
			derived = derived || k.rec.flags&advDerived != 0
			continue
		}
		is := &s.issues[i]
		switch {
		case is.rec.index == k.rec.index:
		case k.authority < is.authority:
			is.also = append(is.also, is.rec.index)
			is.main, is.known = h, k
		default:
			is.also = append(is.also, k.rec.index)
		}
	}
	if derived {
		s.fold()
	}
	// Advisories are numbered in the order of their IDs.
	slices.SortFunc(s.issues, func(a, b issue) int { return a.rec.index - b.rec.index })
	targets := slices.Clone(s.tgt) // the matches point into it
	for i := range s.issues {
		if !yield(s.finish(pkg, &s.issues[i], &targets[s.issues[i].main.t])) {
			return false
		}
	}
	return true
}

// fold moves what a distribution's tooling says of one CVE into the advisory
// that the distribution published about it for this package.
func (s *matcher) fold() {
	clear(s.covers)
	for i := range s.issues {
		if a := &s.issues[i].rec; a.flags&advDerived == 0 {
			for _, cve := range a.upstream {
				if _, ok := s.covers[cve]; !ok {
					s.covers[cve] = i
				}
			}
		}
	}
	if len(s.covers) == 0 {
		return
	}
	folded := map[int]bool{} // indexes of advisories
	for i := range s.issues {
		if a := &s.issues[i].rec; a.flags&advDerived != 0 && len(a.upstream) == 1 {
			if j, ok := s.covers[a.upstream[0]]; ok {
				s.issues[j].also = append(s.issues[j].also, a.index)
				folded[a.index] = true
			}
		}
	}
	s.issues = slices.DeleteFunc(s.issues, func(is issue) bool { return folded[is.rec.index] })
}

// discounts says why a row is no statement about a vulnerability, or "".
func discounts(a *advRecord, status string) string {
	switch {
	case a.flags&advWithdrawn != 0:
		return "the advisory was withdrawn"
	case a.flags&advNoSecurity != 0:
		return "a bug-fix or enhancement notice that names no vulnerability"
	}
	switch key, value, _ := strings.Cut(status, "="); key {
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

// unordered says whether a range of the row was left out, because its bounds
// have no place in the order.
func (db *DB) unordered(r row) bool {
	return r.extra != 0 && strings.HasSuffix(db.strings.at(r.extra-1), unorderedExtra)
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

// finish makes the match of an issue.
func (s *matcher) finish(pkg *boltseal.Package, is *issue, t *target) Match {
	db, k := s.db, is.known
	m := Match{Package: pkg, Advisory: k.public, Ecosystem: db.meta.Ecosystems[t.eco].Name, Generation: db.meta.Generation,
		Severity: k.severity, Score: k.score, RatedBy: k.ratedBy,
		basis: basis{db: db, target: t, hit: is.main, flags: k.rec.flags}}
	c := k.chances
	if len(is.also) > 0 {
		aliases := slices.Clone(m.Advisory.Aliases)
		for _, i := range is.also {
			other := s.about(statement{advisory: i})
			m.Also = append(m.Also, other.public.ID)
			aliases = append(append(aliases, other.public.ID), other.public.Aliases...)
			c.join(db, other.rec.aliases, other.rec.upstream)
		}
		m.Advisory.Aliases = names(aliases, m.Advisory.ID)
		slices.Sort(m.Also)
	}
	m.Exploited, m.Due, m.Ransomware, m.EPSS, m.Percentile = c.exploited, c.due, c.ransomware, c.epss, c.percentile
	scheme := db.ecos[t.eco].scheme
	if f := db.fixedAfter(is.main.code, is.main.p, is.main.j.rng); f > 0 {
		m.Fixed = s.fixed(scheme, f)
		if pkg.Type == "golang" && strings.HasPrefix(pkg.Version, "v") && !strings.HasPrefix(m.Fixed, "v") {
			m.Fixed = "v" + m.Fixed // advisories write Go versions without it
		}
	}
	s.suppress(&m, k)
	return m
}

// fixed is a bound as its source wrote it.
func (s *matcher) fixed(scheme, bound int) string {
	k := fix{scheme, bound}
	v, ok := s.fixes[k]
	if !ok {
		v = s.db.bound(scheme, bound)
		s.fixes[k] = v
	}
	return v
}

// suppress says why a match does not count, if it does not.
func (s *matcher) suppress(m *Match, k *known) {
	switch {
	case isOS(m.Package.Type) && isKernel(m.Package):
		m.Suppressed = "not applicable: a container runs the host's kernel, never this one"
	case k.status == "urgency=unimportant":
		m.Suppressed = "the distribution rates it unimportant"
	case m.Package.OwnedBy != "":
		s.owned(m, &k.rec)
	}
}
