package vuln

import (
	"cmp"
	"slices"
	"strings"
)

// RankOptions are what a caller knows of a match and no advisory can tell. A
// nil function stands for one that always answers no.
type RankOptions struct {
	// InUse reports whether the package was seen running or loaded.
	InUse func(*Match) bool
	// Reachable reports whether the vulnerable code can be called.
	Reachable func(*Match) bool
}

// Rank sorts matches by what to do first: those that count before suppressed
// ones, then known exploited (KEV), in use, reachable, fixable, likely to be
// exploited (EPSS), severe. A criterion decides only between matches that are
// equal in all before it; the last are severity, score, advisory and package,
// so that the order is the same in every run. O may be nil.
func Rank(matches []Match, o *RankOptions) {
	type ranked struct {
		keys [5]bool // true first
		m    Match
	}
	all := make([]ranked, len(matches))
	for i := range matches {
		m := &matches[i]
		all[i] = ranked{[5]bool{
			m.Suppressed == "",
			!m.Exploited.IsZero(),
			o != nil && o.InUse != nil && o.InUse(m),
			o != nil && o.Reachable != nil && o.Reachable(m),
			m.Fixed != "",
		}, *m}
	}
	slices.SortStableFunc(all, func(a, b ranked) int {
		for i := range a.keys {
			if a.keys[i] != b.keys[i] {
				if a.keys[i] {
					return -1
				}
				return 1
			}
		}
		return cmp.Or(
			cmp.Compare(b.m.EPSS, a.m.EPSS),
			cmp.Compare(b.m.Severity, a.m.Severity),
			cmp.Compare(b.m.Score, a.m.Score),
			strings.Compare(a.m.Advisory.ID, b.m.Advisory.ID),
			strings.Compare(purlOf(&a.m), purlOf(&b.m)),
		)
	})
	for i := range all {
		matches[i] = all[i].m
	}
}

func purlOf(m *Match) string {
	if m.Package == nil {
		return ""
	}
	return m.Package.PURL
}
