package vuln

import "strings"

// A row says which versions of a package an advisory is about, as one integer:
//
//	0            everything
//	odd,  2b+1   everything below bound b (by far the most frequent)
//	even, 2s+2   shape s of the shape table
//
// A shape is: number of ranges; per range the number of events and per event
// bound<<2 | kind, sorted as they are evaluated; number of listed versions and
// each as the difference to the one before, ascending bounds; number of listed
// versions that have no place in the order, each as a string of secStrings.
const rangeAll = 0

// eventKind orders events at the same version (OSV schema, "Evaluation").
type eventKind uint8

const (
	introduced eventKind = iota
	lastAffected
	fixed
	limit
)

var eventNames = [...]string{"introduced", "last_affected", "fixed", "limit"}

// belowAll is the bound index of "0", which sorts below every version; real
// bounds are stored one higher.
const belowAll = 0

// event is one event of a range. bound is belowAll or 1 + an index into the
// scheme's bounds.
type event struct {
	kind  eventKind
	bound int
}

// position is where a version stands among the bounds of its scheme: bounds
// below lo are less, those in [lo, hi) equal, the rest greater. All are counted
// from 1, so that 0 is belowAll.
type position struct{ lo, hi int }

// cmp compares the version with a bound.
func (p position) cmp(bound int) int {
	switch {
	case bound < p.lo:
		return 1
	case bound < p.hi:
		return 0
	}
	return -1
}

// decide evaluates one range of sorted events: the greatest event at or below
// the version decides; which is its index, or -1.
func decide(events []event, p position) (affected bool, which int) {
	which = -1
	for i, e := range events {
		c := p.cmp(e.bound)
		if c < 0 {
			if e.kind == limit {
				continue
			}
			break
		}
		switch e.kind {
		case introduced:
			affected, which = true, i
		case fixed:
			affected, which = false, i
		case lastAffected:
			affected, which = c == 0 && affected, i
		case limit:
			// At or past a limit nothing of this range holds, whatever follows.
			return false, i
		}
	}
	return affected, which
}

// shape is a decoded shape, or the equivalent of the short forms.
type shape struct {
	ranges [][]event
	listed []int    // bounds, counted from 1
	raw    []string // versions outside the order
}

// judgement is the outcome for one row.
type judgement struct {
	affected bool
	rng      int // index of the deciding range; -1 for a listed version
	event    int
}

// judge applies a row's range to a version without decoding it to the heap.
func (db *DB) judge(code int, p position, ordered bool, version string) judgement {
	switch {
	case code == rangeAll:
		return judgement{affected: true}
	case code&1 == 1:
		return judgement{affected: ordered && p.cmp(code>>1+1) < 0}
	}
	c := db.shapeAt(code/2 - 1)
	var buf [64]event
	for r := range c.count() {
		events := buf[:0]
		for range c.count() {
			v := c.uint()
			events = append(events, event{eventKind(v & 3), v >> 2})
		}
		if c.bad {
			return judgement{}
		}
		if ordered {
			if ok, which := decide(events, p); ok {
				return judgement{true, r, which}
			}
		}
	}
	bound := 0
	for range c.count() {
		bound += c.uint()
		if ordered && p.cmp(bound) == 0 && !c.bad {
			return judgement{true, -1, 0}
		}
	}
	if n := c.count(); n > 0 {
		for range n {
			if db.strings.at(c.uint()) == version && !c.bad {
				return judgement{true, -1, 0}
			}
		}
	}
	return judgement{}
}

func (db *DB) shapeAt(i int) cursor {
	if i < 0 || i >= len(db.sec[secShapesIdx])/4 {
		return cursor{bad: true}
	}
	return db.at(secShapes, u32(db.sec[secShapesIdx], i))
}

// shape decodes a row's range.
func (db *DB) shape(code int) shape {
	switch {
	case code == rangeAll:
		return shape{ranges: [][]event{{{introduced, belowAll}}}}
	case code&1 == 1:
		return shape{ranges: [][]event{{{introduced, belowAll}, {fixed, code>>1 + 1}}}}
	}
	var s shape
	c := db.shapeAt(code/2 - 1)
	for range c.count() {
		var events []event
		for range c.count() {
			v := c.uint()
			events = append(events, event{eventKind(v & 3), v >> 2})
		}
		s.ranges = append(s.ranges, events)
	}
	bound := 0
	for range c.count() {
		bound += c.uint()
		s.listed = append(s.listed, bound)
	}
	for range c.count() {
		s.raw = append(s.raw, db.strings.at(c.uint()))
	}
	return s
}

// appendShape is the inverse of shape for the general form.
func appendShape(b []byte, ranges [][]event, listed, raw []int) []byte {
	b = appendUint(b, len(ranges))
	for _, events := range ranges {
		b = appendUint(b, len(events))
		for _, e := range events {
			b = appendUint(b, e.bound<<2|int(e.kind))
		}
	}
	b = appendUint(b, len(listed))
	prev := 0
	for _, v := range listed {
		b = appendUint(b, v-prev)
		prev = v
	}
	b = appendUint(b, len(raw))
	for _, r := range raw {
		b = appendUint(b, r)
	}
	return b
}

// bound returns bound b of a scheme as its source wrote it.
func (db *DB) bound(scheme, b int) string {
	if b == belowAll {
		return "0"
	}
	s := db.schemes[scheme]
	if b > s.n {
		return ""
	}
	return db.bounds.at(s.first + b - 1)
}

// words writes a range for people: "introduced 0, fixed 1.2.3".
func (db *DB) words(scheme int, events []event) string {
	var b strings.Builder
	for i, e := range events {
		if i == 16 {
			b.WriteString(", …")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(eventNames[e.kind])
		b.WriteByte(' ')
		b.WriteString(db.bound(scheme, e.bound))
	}
	return b.String()
}

// fixedAfter returns the lowest fixed bound of a row's deciding range above the
// version, or 0.
func (db *DB) fixedAfter(code int, p position, rng int) int {
	switch {
	case code == rangeAll:
		return 0
	case code&1 == 1:
		if b := code>>1 + 1; p.cmp(b) < 0 {
			return b
		}
		return 0
	}
	return db.shape(code).fixedAfter(p, rng)
}

// fixedAfter is the general form; without a deciding range all are searched.
func (s shape) fixedAfter(p position, rng int) int {
	if rng < 0 || rng >= len(s.ranges) {
		best := 0
		for r := range s.ranges {
			if f := s.fixedAfter(p, r); f != 0 && (best == 0 || f < best) {
				best = f
			}
		}
		return best
	}
	for _, e := range s.ranges[rng] {
		if e.kind == fixed && p.cmp(e.bound) < 0 {
			return e.bound
		}
	}
	return 0
}
