package registry

import (
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
)

// state is what is known of one issue of one component: what the monitor
// compares between two generations of advisories.
type state struct {
	rule       string
	severity   boltseal.Severity
	score      float64
	fixed      string
	exploited  string
	suppressed string
	title      string
	aliases    []string
}

// equal compares what an event could be about.
func (s state) equal(t state) bool {
	return s.rule == t.rule && s.severity == t.severity && s.fixed == t.fixed && s.exploited == t.exploited && s.suppressed == t.suppressed &&
		s.score == t.score && s.title == t.title && slices.Equal(s.aliases, t.aliases)
}

// statesOf asks the advisories about a component. The rules are in order, each
// once.
func statesOf(m Matcher, p *boltseal.Package) []state {
	found := m.Match(p)
	list := make([]state, 0, len(found))
	for i := range found {
		f := &found[i]
		list = append(list, state{f.Rule, f.Severity, f.Score, f.Fixed, f.Exploited, f.Suppressed, f.Title, f.Aliases})
	}
	slices.SortFunc(list, func(a, b state) int { return strings.Compare(a.rule, b.rule) })
	return slices.CompactFunc(list, func(a, b state) bool { return a.rule == b.rule })
}

func encodeStates(list []state) []byte {
	var e encoder
	e.uint(uint64(len(list)))
	for _, s := range list {
		e.string(s.rule)
		e.uint(uint64(s.severity))
		e.float(s.score)
		e.string(s.fixed)
		e.string(s.exploited)
		e.string(s.suppressed)
		e.string(s.title)
		e.strings(s.aliases)
	}
	return e
}

func decodeStates(b []byte) ([]state, error) {
	d := decoder{rest: b}
	list := d.states()
	return list, d.err("findings of a component")
}

const stateSize = 15 // bytes of the smallest

func (d *decoder) states() []state {
	list := make([]state, 0, d.count(stateSize))
	for range cap(list) {
		list = append(list, state{
			rule: d.string(), severity: boltseal.Severity(d.uint()), score: d.float(), fixed: d.string(),
			exploited: d.string(), suppressed: d.string(), title: d.string(), aliases: d.strings(),
		})
	}
	return list
}
