package secrets

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/boltseal/boltseal"
)

const (
	// mostMatches is how many different secrets of one file are reported.
	mostMatches = 10_000
	// mostLocations is how many places of one secret are listed.
	mostLocations = 100
)

// grouped holds the matches of a file, one per secret.
type grouped struct {
	byKey map[fingerprint]*Match
	order []*Match
	ask   map[string]*Verifiable // by fingerprint
}

// add notes a match, or another place of one.
func (g *grouped) add(v *view, f *found) {
	m := g.byKey[f.key]
	switch {
	case m == nil && len(g.order) >= min(mostMatches, v.bound.FileResults):
		v.skip(v.content, fmt.Sprintf("more than %d different secrets: the others are not listed: %v", len(g.order), boltseal.ErrLimit))
		return
	case m == nil:
		if g.byKey == nil {
			g.byKey = map[fingerprint]*Match{}
		}
		one := f.match
		one.Fingerprint = f.key.String()
		m = &one
		g.byKey[f.key] = m
		g.order = append(g.order, m)
		if f.ask != nil {
			if g.ask == nil {
				g.ask = map[string]*Verifiable{}
			}
			g.ask[m.Fingerprint] = f.ask
		}
	default:
		m.merge(&f.match)
	}
	if len(m.Locations) < mostLocations {
		m.Locations = append(m.Locations, f.loc)
	} else {
		m.More++
	}
}

// merge takes what another place of the same secret adds. The place that says
// the worst counts.
func (m *Match) merge(o *Match) {
	m.Confidence = min(m.Confidence, o.Confidence)
	m.Severity = max(m.Severity, o.Severity)
	if o.Suppressed == "" {
		m.Suppressed = ""
	}
	if m.Name == "" {
		m.Name = o.Name
	}
	for _, n := range o.Notes {
		if len(m.Notes) < 16 && !slices.Contains(m.Notes, n) {
			m.Notes = append(slices.Clip(m.Notes), n)
		}
	}
}

// Group joins matches of the same secret, of many files or images: one match
// per rule and fingerprint, with all locations, in order of severity, rule and
// fingerprint. Matches of scans with different salts do not meet.
func Group(matches []Match) []Match {
	byKey := map[string]int{}
	var out []Match
	for _, m := range matches {
		key := m.Rule + "\x00" + m.Fingerprint
		i, ok := byKey[key]
		if !ok {
			byKey[key] = len(out)
			m.Locations = slices.Clip(m.Locations)
			out = append(out, m)
			continue
		}
		first := &out[i]
		first.merge(&m)
		room := max(0, mostLocations-len(first.Locations))
		n := min(room, len(m.Locations))
		first.Locations = append(first.Locations, m.Locations[:n]...)
		first.More += m.More + len(m.Locations) - n
	}
	slices.SortStableFunc(out, func(a, b Match) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	return out
}
