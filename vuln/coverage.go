package vuln

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/boltseal/boltseal"
)

// stale is how old the newest advisory of an ecosystem may be before the
// absence of matches says nothing any more.
const stale = 180 * 24 * time.Hour

// Coverage says, for a distribution release and a set of packages, whether the
// absence of matches means anything at the given time. Each check passes or is
// unknown with the reason; none ever fails, for a gap in the database is no
// vulnerability. The checks are:
//
//   - vuln/database: the file is what its builder wrote;
//   - vuln/os: the database covers the distribution release, its newest
//     advisory is not older than 180 days, and the release is still maintained;
//   - vuln/TYPE for each purl type: the database covers it;
//   - vuln/versions: every package has a version that can be compared, with
//     every range of the advisories about it.
func (db *DB) Coverage(at time.Time, d *boltseal.Distro, pkgs []boltseal.Package) []boltseal.Check {
	checks := []boltseal.Check{{Rule: "vuln/database", Title: "the advisory database is intact", Verdict: boltseal.VerdictPass}}
	if err := db.intact(); err != nil {
		checks[0].Verdict, checks[0].Reason = boltseal.VerdictUnknown, err.Error()+"; fetch or build the database again"
	}
	types := map[string]int{}
	hasOS := false
	var unversioned, unordered, ranges []string
	m := matcher{db: db}
	for i := range pkgs {
		p := &pkgs[i]
		if p.State == boltseal.StateDeclared {
			continue
		}
		if isOS(p.Type) {
			hasOS = true
		} else {
			types[p.Type]++
		}
		switch {
		case p.Version == "":
			unversioned = append(unversioned, p.Name)
		case !db.comparable(p):
			unordered = append(unordered, p.Name+" "+p.Version)
		default:
			if id := m.leftOut(p); id != "" {
				ranges = append(ranges, p.Name+" ("+id+")")
			}
		}
	}
	if d != nil || hasOS {
		checks = append(checks, db.osCoverage(at, d))
	}
	for _, t := range slices.Sorted(maps.Keys(types)) {
		c := boltseal.Check{Rule: "vuln/" + t, Title: "advisories for " + t + " packages", Verdict: boltseal.VerdictPass}
		eco, kind := languageEcosystem(t)
		i, ok := db.ecosystem(eco)
		switch {
		case eco == "":
			c.Verdict, c.Reason = boltseal.VerdictUnknown, fmt.Sprintf("no advisory source covers the %d packages of this type", types[t])
		case !ok:
			c.Verdict, c.Reason = boltseal.VerdictUnknown, fmt.Sprintf("the database holds nothing for %s; %d packages were not judged. Build it with that ecosystem", eco, types[t])
		default:
			if c.Reason = db.tooOld(i, at); c.Reason != "" {
				c.Verdict = boltseal.VerdictUnknown
			} else if kind == kindDerived {
				c.Verdict, c.Reason = boltseal.VerdictUnknown, fmt.Sprintf("only products that Bitnami packages are covered; %d packages were looked up there", types[t])
			}
		}
		checks = append(checks, c)
	}
	c := boltseal.Check{Rule: "vuln/versions", Title: "every package has a version that can be compared", Verdict: boltseal.VerdictPass}
	if n := len(unversioned) + len(unordered); n > 0 {
		c.Verdict = boltseal.VerdictUnknown
		c.Reason = fmt.Sprintf("%d without: %s", n, sample(append(unversioned, unordered...)))
	}
	if len(ranges) > 0 {
		c.Verdict = boltseal.VerdictUnknown
		if c.Reason != "" {
			c.Reason += "; "
		}
		c.Reason += fmt.Sprintf("%d with advisories whose ranges cannot be ordered: %s", len(ranges), sample(ranges))
	}
	return append(checks, c)
}

// leftOut names an advisory about the package that has a range which cannot be
// ordered, if there is one.
func (s *matcher) leftOut(pkg *boltseal.Package) string {
	s.tgt = s.targets(s.tgt[:0], pkg)
	for i := range s.tgt {
		rows := s.db.rows(s.tgt[i].pkg)
		for r, ok := rows.next(); ok; r, ok = rows.next() {
			if r.extra == 0 || !s.db.unordered(r) {
				continue
			}
			if a := s.db.advisory(r.advisory); discounts(&a, s.db.extra(r)) == "" {
				return s.db.ids.at(a.id)
			}
		}
	}
	return ""
}

// comparable says whether the package's version has a place in the order of its
// ecosystem.
func (db *DB) comparable(p *boltseal.Package) bool {
	name := ""
	if isOS(p.Type) {
		names, _ := distroEcosystems(p.Distro)
		if len(names) == 0 {
			return true // vuln/os says what there is to say
		}
		name = names[0]
	} else if name, _ = languageEcosystem(p.Type); name == "" {
		return true
	}
	i, ok := db.ecosystem(name)
	return !ok || db.schemes[db.ecos[i].scheme].scheme.Valid(p.Version)
}

func (db *DB) osCoverage(at time.Time, d *boltseal.Distro) boltseal.Check {
	c := boltseal.Check{Rule: "vuln/os", Title: "advisories for the operating system's packages"}
	names, _ := distroEcosystems(d)
	var held []int
	for _, n := range names {
		if i, ok := db.ecosystem(n); ok {
			held = append(held, i)
		}
	}
	switch {
	case d == nil:
		c.Reason = "the distribution is not known: there is no os-release file"
	case len(names) == 0:
		c.Reason = fmt.Sprintf("no OSV ecosystem covers %s; its packages were not judged", d)
	case len(held) == 0:
		c.Reason = fmt.Sprintf("the database holds nothing for %s; its packages were not judged. Build the database with %s", d, names[0])
	default:
		var why []string
		if r := db.tooOld(held[0], at); r != "" {
			why = append(why, r)
		}
		if end, known := endOfLife(names[0]); !known {
			why = append(why, fmt.Sprintf("whether %s is still maintained is not known", names[0]))
		} else if at.After(end) {
			why = append(why, fmt.Sprintf("%s has had no security support since %s: issues found later appear in no advisory", names[0], end.Format("2006-01-02")))
		}
		if c.Reason = strings.Join(why, "; "); c.Reason == "" {
			c.Verdict = boltseal.VerdictPass
			c.Title += " (" + db.meta.Ecosystems[held[0]].Name + ")"
		}
	}
	return c
}

// tooOld says how old an ecosystem's advisories are, if they are too old.
func (db *DB) tooOld(eco int, at time.Time) string {
	e := db.meta.Ecosystems[eco]
	newest := time.Unix(e.Newest, 0).UTC()
	if e.Undated > 0 && e.Undated >= newest.Year() {
		// The source dates none of its latest advisories; their IDs tell the year.
		if at.Year()-e.Undated <= 1 {
			return ""
		}
		return fmt.Sprintf("the newest advisories for %s are of %d; what was published since is missing. Build the database from a newer export", e.Name, e.Undated)
	}
	if e.Newest == 0 || at.Sub(newest) <= stale {
		return ""
	}
	return fmt.Sprintf("the newest advisory for %s is of %s; what was published since is missing. Build the database from a newer export", e.Name, newest.Format("2006-01-02"))
}

func sample(list []string) string {
	if len(list) > 5 {
		return strings.Join(list[:5], ", ") + ", …"
	}
	return strings.Join(list, ", ")
}
