package vuln

import (
	"fmt"
	"strings"

	"github.com/boltseal/boltseal"
)

// Why is how a decision came about.
type Why struct {
	Name      string   // what was looked up
	NameKind  string   // binary, source, origin, module, derived
	NameField string   // the field of boltseal.Package that gave Name
	Version   string   // what was compared
	Scheme    string   // ordering: deb, rpm, apk, semver, …
	Range     string   // the range in words: "introduced 0, fixed 1.2.3"; "versions" for a listed version
	Event     string   // the event that decided: "introduced 0"
	Status    string   // the source's own status, where it states one
	Caveats   []string // what may be wrong with it
}

// basis is what a match was decided on.
type basis struct {
	db     *DB
	target *target
	hit    hit
	flags  advFlags
	owned  bool // a package of the distribution owns the files, and nothing is known of its word
}

// Why tells how the match came about. It reads the database, which must not
// have been closed, each time it is called. A match that no database made has
// none.
func (m *Match) Why() Why {
	db, t, h := m.basis.db, m.basis.target, &m.basis.hit
	if db == nil {
		return Why{}
	}
	scheme := db.ecos[t.eco].scheme
	w := Why{Name: t.name, NameKind: kindNames[t.kind], NameField: t.field, Version: t.version, Scheme: db.schemes[scheme].name, Status: db.extra(h.row)}
	if t.kind == kindDerived {
		w.Name = bitnamiName(t.name)
	}
	sh := db.shape(h.code)
	if h.j.rng < 0 {
		w.Range, w.Event = "versions", "listed "+t.version
	} else if h.j.rng < len(sh.ranges) && h.j.event < len(sh.ranges[h.j.rng]) {
		events := sh.ranges[h.j.rng]
		w.Range = db.words(scheme, events)
		w.Event = db.words(scheme, events[h.j.event:h.j.event+1])
	}
	w.Caveats = m.caveats(&w)
	return w
}

// caveats lists what may be wrong with a match.
func (m *Match) caveats(w *Why) (list []string) {
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	b := &m.basis
	if b.hit.note != "" {
		add("%s", b.hit.note)
	}
	if b.flags&advDerived != 0 {
		add("derived from other data by tooling, not stated by the distribution")
	}
	if b.target.kind == kindDerived {
		add("the program was recognised by its contents; its name was mapped to the product %s", w.Name)
	}
	if b.db.unordered(b.hit.row) {
		add("the advisory has a further range with a version that has no place in %s order", w.Scheme)
	}
	switch w.Status {
	case "custom=1":
		add("the source states ranges that its ecosystem cannot order; the range used may be too wide")
	case "needs-triage":
		add("the distribution has not examined this yet")
	case "ignored", "deferred":
		add("the distribution will not fix this, or not soon (%s)", w.Status)
	}
	if strings.HasPrefix(m.Ecosystem, "Ubuntu:Pro:") && !isPro(m.Package.Distro) && m.Fixed != "" {
		add("the fix needs Ubuntu Pro, which is not set up here")
	}
	if v := m.Package.Vendor; b.target.os && v != "" && m.Package.Distro != nil && foreign(v, m.Package.Distro) {
		add("built by %s: a third-party rebuild may be numbered differently", v)
	}
	if b.owned {
		add("the files belong to %s, whose distribution may have backported the fix", m.Package.OwnedBy)
	}
	return list
}

// foreign says whether a package's vendor is plainly not its distribution.
func foreign(vendor string, d *boltseal.Distro) bool {
	v := strings.ToLower(vendor)
	word, _, _ := strings.Cut(strings.ToLower(d.Name), " ")
	return !strings.Contains(v, strings.ToLower(d.ID)) && (word == "" || !strings.Contains(v, word)) &&
		!strings.Contains(v, "cbl-mariner") && !strings.Contains(v, "microsoft") && !strings.Contains(v, "suse")
}
