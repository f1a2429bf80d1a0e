package vuln

import (
	"fmt"
	"slices"

	"github.com/boltseal/boltseal"
)

// Explanation is why one advisory does or does not match a package.
type Explanation struct {
	Advisory string // ID
	Matches  bool
	Reason   string
	Ranges   []string // in words, as far as the advisory lists the package
}

// Explain says why the advisories known by an ID (their own, an alias or an
// upstream one, such as a CVE) match a package or not: one explanation per
// advisory, and at least one.
func (db *DB) Explain(pkg *boltseal.Package, id string) []Explanation {
	one := func(format string, args ...any) []Explanation {
		return []Explanation{{Advisory: id, Reason: fmt.Sprintf(format, args...)}}
	}
	if pkg.Version == "" {
		return one("the version of %s is not known: nothing can be said", pkg.Name)
	}
	if isOS(pkg.Type) {
		if names := EcosystemsOf(pkg.Distro); len(names) == 0 {
			return one("no OSV ecosystem covers %s: nothing can be said", either(pkg.Distro == nil, "a package without a distribution", pkg.Distro.String()))
		} else if len(db.view(pkg.Distro).ecos) == 0 {
			return one("the database holds nothing for %s: nothing can be said", names[0])
		}
	}
	m := matcher{db: db}
	m.tgt = m.targets(nil, pkg)
	var out []Explanation
	matched := map[int]bool{}
	for t := range m.tgt {
		m.hits = m.hits[:0]
		m.collect(pkg, t)
		for _, h := range m.hits {
			matched[h.advisory] = true
		}
	}
	at := map[int]int{} // advisory to its explanation
	for i := range m.tgt {
		t := &m.tgt[i]
		scheme := db.ecos[t.eco].scheme
		rows := db.rows(t.pkg)
		for r, ok := rows.next(); ok; r, ok = rows.next() {
			a := db.advisory(r.advisory)
			if !db.named(&a, id) {
				continue
			}
			j, seen := at[r.advisory]
			if !seen {
				j = len(out)
				at[r.advisory] = j
				e := Explanation{Advisory: db.ids.at(a.id), Matches: matched[r.advisory]}
				switch why := discounts(&a, db.extra(r)); {
				case why != "":
					e.Matches, e.Reason = false, why
				case e.Matches:
					e.Reason = fmt.Sprintf("%s %s lies in a range", t.name, t.version)
				case db.unordered(r):
					e.Reason = fmt.Sprintf("a range of the advisory has a version without a place in %s order: unknown", db.schemes[scheme].name)
				case !db.schemes[scheme].scheme.Valid(t.version):
					e.Reason = fmt.Sprintf("%q has no place in %s order and is not listed: unknown", t.version, db.schemes[scheme].name)
				case db.schemes[scheme].name == "rpm" && (r.extra == db.modular) != (pkg.Module != "" || isModular(t.version)):
					e.Reason = "one is a build of a module, the other is not"
				default:
					e.Reason = fmt.Sprintf("%s %s lies in none of the ranges, by %s order", t.name, t.version, db.schemes[scheme].name)
				}
				out = append(out, e)
			}
			sh := db.shape(r.code)
			for _, events := range sh.ranges {
				out[j].Ranges = append(out[j].Ranges, db.words(scheme, events))
			}
			if n := len(sh.listed) + len(sh.raw); n > 0 {
				out[j].Ranges = append(out[j].Ranges, fmt.Sprintf("%d listed versions", n))
			}
		}
	}
	if len(out) > 0 {
		return out
	}
	for i := range db.meta.Advisories {
		if a := db.advisory(i); db.named(&a, id) {
			return one("%s is in the database, but lists no package that %s would be found as", db.ids.at(a.id), pkg.Name)
		}
	}
	return one("the database knows no advisory by that name")
}

// named says whether an advisory is known by an ID.
func (db *DB) named(a *advRecord, id string) bool {
	lo, hi, _ := db.ids.search(0, db.ids.n, []byte(id), nil)
	if lo == hi {
		return false
	}
	return a.id == lo || slices.Contains(a.aliases, lo) || slices.Contains(a.upstream, lo)
}
