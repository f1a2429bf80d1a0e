package vuln

import (
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/vuln/version"
)

// hasEpoch says whether any bound of a range states an epoch.
func (db *DB) hasEpoch(scheme, code int) bool {
	if code&1 == 1 {
		return version.HasEpoch(db.bound(scheme, code>>1+1))
	}
	for _, events := range db.shape(code).ranges {
		for _, e := range events {
			if version.HasEpoch(db.bound(scheme, e.bound)) {
				return true
			}
		}
	}
	return false
}

// ownBuild chooses, among the builds that one advisory lists for one package,
// the one that the installed package must be judged by. An advisory lists a
// build per minor release, and per module stream: an installed build is
// compared with its own minor's, and where there is none with the lowest, which
// is the one that says least. s.group holds the builds.
func (s *matcher) ownBuild(pkg *boltseal.Package, t *target, p position) (r row, note string, affected bool) {
	db := s.db
	scheme := db.ecos[t.eco].scheme
	if pkg.Module != "" || isModular(t.version) {
		streams := db.advisory(s.group[0].advisory).modules
		label := stream(pkg.Module)
		switch {
		case label != "" && len(streams) > 0:
			own := false
			for _, i := range streams {
				own = own || db.strings.at(i) == label
			}
			if !own {
				return r, "", false
			}
		default:
			// One side does not name its stream. Streams differ in the upstream
			// version, and only builds of the same one are comparable.
			note = "the module stream is not stated by " + either(label == "", "the package", "the advisory") + "; compared because the upstream versions are alike"
		}
	}
	tag := minorTag(t.version)
	own, lowest := -1, -1
	var ownRow, lowestRow row
	for _, g := range s.group {
		if g.code == rangeAll || g.code&1 == 0 {
			if j := db.judge(g.code, p, true, t.version); j.affected {
				return g, note, true
			}
			continue
		}
		b := g.code>>1 + 1
		bound := db.bound(scheme, b)
		if note != "" && !alike(bound, t.version) {
			continue
		}
		if minorTag(bound) == tag && (own < 0 || b < own) {
			own, ownRow = b, g
		}
		if lowest < 0 || b < lowest {
			lowest, lowestRow = b, g
		}
	}
	switch {
	case own >= 0:
		return ownRow, note, p.cmp(own) < 0
	case lowest >= 0:
		return lowestRow, note, p.cmp(lowest) < 0
	}
	return r, note, false
}

func either(cond bool, yes, no string) string {
	if cond {
		return yes
	}
	return no
}

// stream cuts name:stream out of a modularity label.
func stream(label string) string {
	name, rest, ok := strings.Cut(label, ":")
	if !ok {
		return ""
	}
	s, _, _ := strings.Cut(rest, ":")
	return name + ":" + s
}

// minorTag is the part of a release that names the minor release of the
// distribution: 8.4 of .el8_4 and of .module_el8.4.0+2266, 8 of .el8.
func minorTag(v string) string {
	i := strings.LastIndex(v, "el")
	if i < 0 || i+2 >= len(v) || v[i+2] < '0' || v[i+2] > '9' {
		return ""
	}
	tag := v[i+2:]
	end := 0
	for end < len(tag) && ('0' <= tag[end] && tag[end] <= '9' || tag[end] == '.' || tag[end] == '_') {
		end++
	}
	parts := strings.FieldsFunc(tag[:end], func(r rune) bool { return r == '.' || r == '_' })
	if len(parts) > 1 && len(tag) > len(parts[0]) && (tag[len(parts[0])] == '_' || isModular(v)) {
		return parts[0] + "." + parts[1]
	}
	return parts[0]
}

// alike says whether two RPM versions have the first two numbers of the
// upstream version in common.
func alike(a, b string) bool {
	cut := func(v string) string {
		if _, rest, ok := strings.Cut(v, ":"); ok {
			v = rest
		}
		v, _, _ = strings.Cut(v, "-")
		if parts := strings.SplitN(v, ".", 3); len(parts) > 2 {
			return parts[0] + "." + parts[1]
		}
		return v
	}
	return cut(a) == cut(b)
}
