// Package registrytest makes what a registry monitor is tried on: fleets of
// images, and generations of advisories whose outcome a test can compute by
// hand.
//
//	fleet := registrytest.Fleet{Seed: 1, Images: 100_000, Packages: 250}
//	for d, inv := range fleet.All() { store.Put(d, inv, advisories) }
package registrytest

import (
	"iter"
	"maps"
	"strconv"

	"github.com/boltseal/boltseal"
)

// Advisories is one generation, and a registry.Matcher. A package is affected
// by an advisory if its version, a number, is below the fixed one. It must not
// be changed once it is in use.
type Advisories struct {
	Name       string                    // of the generation
	Fixed      map[string]map[string]int // package name → advisory → first version that is not affected
	Severity   map[string]boltseal.Severity
	Exploited  map[string]string // advisory → date
	Suppressed map[string]string // advisory → why it does not count
	// Previous is the generation before; nil if it is not known what changed.
	Previous *Advisories
}

// Generation implements registry.Matcher.
func (a *Advisories) Generation() string { return a.Name }

// Keys implements registry.Matcher.
func (a *Advisories) Keys(p *boltseal.Package) []string { return []string{p.Name} }

// Match implements registry.Matcher.
func (a *Advisories) Match(p *boltseal.Package) (list []boltseal.Finding) {
	ids := a.Fixed[p.Name]
	if len(ids) == 0 {
		return nil
	}
	version, err := strconv.Atoi(p.Version)
	if err != nil {
		return nil
	}
	for id, fixed := range ids {
		if version < fixed {
			list = append(list, boltseal.Finding{
				Kind: boltseal.KindVulnerability, Rule: id, Severity: a.Severity[id], Fixed: strconv.Itoa(fixed),
				Exploited: a.Exploited[id], Suppressed: a.Suppressed[id],
			})
		}
	}
	return list
}

// Changed implements registry.Matcher.
func (a *Advisories) Changed(since string) iter.Seq[string] {
	b := a.Previous
	if b == nil || b.Name != since {
		return nil
	}
	changed := map[string]bool{}
	for _, g := range []*Advisories{a, b} {
		for name, ids := range g.Fixed {
			for id := range ids {
				x, inA := a.Fixed[name][id]
				y, inB := b.Fixed[name][id]
				if inA != inB || x != y || a.Severity[id] != b.Severity[id] || a.Exploited[id] != b.Exploited[id] || a.Suppressed[id] != b.Suppressed[id] {
					changed[name] = true
				}
			}
		}
	}
	return maps.Keys(changed)
}

// Next returns a generation that differs from this one in the given way.
func (a *Advisories) Next(name string, change func(next *Advisories)) *Advisories {
	next := &Advisories{Name: name, Previous: a, Fixed: make(map[string]map[string]int, len(a.Fixed)),
		Severity: cloned(a.Severity), Exploited: cloned(a.Exploited), Suppressed: cloned(a.Suppressed)}
	for pkg, ids := range a.Fixed {
		next.Fixed[pkg] = maps.Clone(ids)
	}
	change(next)
	return next
}

func cloned[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return maps.Clone(m)
}

// Fix says that a package is affected by an advisory below a version.
func (a *Advisories) Fix(pkg, id string, version int) {
	if a.Fixed == nil {
		a.Fixed = map[string]map[string]int{}
	}
	if a.Fixed[pkg] == nil {
		a.Fixed[pkg] = map[string]int{}
	}
	a.Fixed[pkg][id] = version
}
