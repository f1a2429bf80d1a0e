package vuln

import (
	"iter"
	"slices"
	"time"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/vuln/version"
)

// Advisory is what the database holds of one advisory: the facts and a title,
// not the description.
type Advisory struct {
	ID        string
	Title     string   // the source's, in a line; empty if it has none or titles were left out
	Aliases   []string // other names of the same issue, transitively (OSV aliases)
	Upstream  []string // issues that this advisory is about (OSV upstream): a DSA's CVEs
	Related   []string // issues that its source calls related; AlmaLinux lists its CVEs here
	Source    string   // who published it; see [boltseal.ReportSource]
	Derived   bool     // inferred by tooling from other data, not stated by the source
	Published time.Time
	Modified  time.Time
	Withdrawn time.Time // zero: it holds
	Ratings   []Rating  // the most telling first
}

// Rating is one statement of severity. Type is the OSV severity type
// (CVSS_V2, CVSS_V3, CVSS_V4, Ubuntu) or "source" for a word of the advisory's
// own publisher; Value is a CVSS vector or that word.
type Rating struct {
	Type  string
	Value string
}

// Match is one package affected by one issue. Advisories that are aliases of
// each other make one match: Advisory is the most authoritative of them and
// Also names the rest. Matches of one sequence may share their slices: copy one
// before changing it.
type Match struct {
	Package   *boltseal.Package
	Advisory  Advisory
	Also      []string // advisories merged into this one
	Ecosystem string   // as OSV names it: "Debian:12", "Go"
	Severity  boltseal.Severity
	Score     float64 // CVSS base score, 0 to 10; 0 with SeverityUnknown is none
	RatedBy   string  // which rating gave Severity
	// Fixed is the lowest fixed version above the package's own, in the terms
	// of the package that was looked up (the source package's version for most
	// distributions). Empty: none is known.
	Fixed string
	// Exploited is the date CISA listed it as exploited in the wild; zero: not listed.
	Exploited time.Time
	// Due is when CISA wants it remedied; Ransomware, whether ransomware uses it.
	Due        time.Time
	Ransomware bool
	// EPSS is the probability of exploitation in the next 30 days, and
	// Percentile its rank among all; both 0 to 1, zero where not known.
	EPSS, Percentile float64
	Generation       string // of the database
	// Suppressed says why the match does not count. It is listed all the same.
	Suppressed string

	basis basis // what [Match.Why] is made of
}

// Match yields the matches of all packages, package by package in the given
// order, then by advisory ID. Packages are installed or embedded ones; those
// that are only declared are passed over. The slice and its packages must not
// change while the sequence is being read; it may be read again.
//
// A damaged database may yield fewer matches: see [DB.Coverage].
func (db *DB) Match(pkgs []boltseal.Package) iter.Seq[Match] {
	return func(yield func(Match) bool) {
		m := matcher{db: db, pkgs: pkgs}
		for i := range pkgs {
			if pkgs[i].State == boltseal.StateDeclared {
				continue
			}
			if !m.match(&pkgs[i], yield) {
				return
			}
		}
	}
}

// MatchOne yields the matches of one package. It knows no other packages, and
// so not the distribution's word on a package that one of its own brought.
func (db *DB) MatchOne(pkg *boltseal.Package) iter.Seq[Match] {
	return func(yield func(Match) bool) {
		m := matcher{db: db}
		m.match(pkg, yield)
	}
}

// matcher is the state of one reading of [DB.Match].
type matcher struct {
	db *DB
	scratch
	view  distroView
	pkgs  []boltseal.Package
	tgt   []target
	hits  []hit
	seen  []int // advisories that an earlier target of the package speaks of
	group []row
	merger
	owners
}

// hit is one affected row.
type hit struct {
	row
	t    int // target
	p    position
	j    judgement
	note string // caveat found on the way
}

// match finds and yields the matches of one package.
func (s *matcher) match(pkg *boltseal.Package, yield func(Match) bool) bool {
	s.tgt = s.targets(s.tgt[:0], pkg)
	if len(s.tgt) == 0 {
		return true
	}
	s.hits, s.seen = s.hits[:0], s.seen[:0]
	for t := range s.tgt {
		s.collect(pkg, t)
	}
	if len(s.hits) == 0 {
		return true
	}
	return s.merge(pkg, yield)
}

// collect appends the affected rows of one target to s.hits. Where targets
// overlap (an Ubuntu release and its Pro archive) the earlier one decides.
func (s *matcher) collect(pkg *boltseal.Package, ti int) {
	db, t := s.db, &s.tgt[ti]
	scheme := db.ecos[t.eco].scheme
	p, ordered := db.position(scheme, t.version, &s.scratch)
	bare := p
	if t.bareVersion != "" {
		bare, _ = db.position(scheme, t.bareVersion, &s.scratch)
	}
	rpm := db.schemes[scheme].scheme == version.RPM
	modular := rpm && (pkg.Module != "" || isModular(t.version))
	earlier := len(s.seen)
	rows := db.rows(t.pkg)
	r, more := rows.next()
	for more {
		// All rows of one advisory together: they are alternatives.
		s.group = append(s.group[:0], r)
		for {
			var next row
			if next, more = rows.next(); !more || next.advisory != r.advisory {
				r = next
				break
			}
			s.group = append(s.group, next)
		}
		adv := s.group[0].advisory
		if earlier > 0 {
			if _, ok := slices.BinarySearch(s.seen[:earlier], adv); ok {
				continue
			}
		}
		if ti+1 < len(s.tgt) {
			s.seen = append(s.seen, adv)
		}
		for i := 0; i < len(s.group); i++ {
			if rpm && (s.group[i].extra == db.modular) != modular {
				s.group = slices.Delete(s.group, i, i+1) // a module's build never meets another's
				i--
			}
		}
		h := hit{t: ti, p: p}
		found := -1
		for i, g := range s.group {
			at := p
			if t.bareVersion != "" && !db.hasEpoch(scheme, g.code) {
				at = bare
			}
			if j := db.judge(g.code, at, ordered, t.version); j.affected {
				found, h.row, h.j, h.p = i, g, j, at
				break
			}
		}
		if found < 0 {
			continue
		}
		if rpm && (modular || len(s.group) > 1) {
			var ok bool
			if h.row, h.note, ok = s.ownBuild(pkg, t, h.p); !ok {
				continue
			}
			h.j = db.judge(h.code, h.p, ordered, t.version)
		}
		s.hits = append(s.hits, h)
	}
	if earlier > 0 {
		slices.Sort(s.seen)
	}
}
