package registry

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	bolt "go.etcd.io/bbolt"

	"github.com/boltseal/boltseal"
)

// Evaluation is what a new generation of advisories came to.
type Evaluation struct {
	Generation string
	Components int // packages that were matched again
	Changed    int // of them, with another outcome
	Events     int
}

// Evaluate brings the store to a matcher's generation, and leaves an event for
// each change of an issue. It is done completely or not at all; calling it with
// the generation that the store has costs nothing. The work follows the
// packages whose advisories changed, not the number of images.
func (s *Store) Evaluate(ctx context.Context, m Matcher) (Evaluation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Evaluation{Generation: m.Generation()}
	var since string
	diffs := map[groupKey]*group{}
	updates := map[string][]byte{} // row → component and findings
	err := s.db.View(func(tx *bolt.Tx) error {
		since = string(tx.Bucket(bucketMeta).Get(metaGeneration))
		if since == m.Generation() {
			return nil
		}
		var keys iter.Seq[string]
		if since != "" {
			keys = m.Changed(since)
		}
		return concerned(tx, keys, func(row, raw []byte) error {
			if out.Components++; out.Components%256 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			p, old, err := decodeRow(raw)
			if err != nil {
				return err
			}
			now := statesOf(m, p)
			if slices.EqualFunc(old, now, state.equal) {
				return nil
			}
			updates[string(row)] = encodeRow(encodeComponent(p), now)
			compare(diffs, row, p, old, now)
			return nil
		})
	})
	if err == nil && len(diffs) > 0 {
		out.Changed = len(updates)
		err = s.db.View(func(tx *bolt.Tx) error { return gather(tx, diffs) })
	}
	if err != nil {
		return Evaluation{}, fmt.Errorf("evaluate store: %w", err)
	}
	if since == m.Generation() {
		return out, nil
	}
	err = s.db.Update(func(tx *bolt.Tx) error {
		component := tx.Bucket(bucketComponent)
		for _, row := range sortedKeys(updates) {
			if err := component.Put([]byte(row), updates[row]); err != nil {
				return err
			}
		}
		meta := tx.Bucket(bucketMeta)
		epoch := counter(meta, metaEpoch)
		now := time.Now()
		events := 0
		if since != "" {
			for _, e := range eventsOf(diffs) {
				e.Time, e.Generation, e.epoch = now, m.Generation(), uint64(epoch)
				if err := emit(tx, e); err != nil {
					return err
				}
				events++
			}
			if err := emit(tx, &Event{Type: GenerationActivated, Time: now, From: since, To: m.Generation(), Generation: m.Generation(), epoch: uint64(epoch)}); err != nil {
				return err
			}
			events++
		}
		out.Events = events
		return errors.Join(meta.Put(metaEpoch, be32(epoch+1)), meta.Put(metaGeneration, []byte(m.Generation())))
	})
	if err != nil {
		return Evaluation{}, fmt.Errorf("evaluate store: %w", err)
	}
	return out, nil
}

// equal compares what an event could be about.
func (s state) equal(t state) bool {
	return s.rule == t.rule && s.severity == t.severity && s.fixed == t.fixed && s.exploited == t.exploited && s.suppressed == t.suppressed &&
		s.score == t.score && s.title == t.title && slices.Equal(s.aliases, t.aliases)
}

// concerned calls look for each component that any of the keys speaks of, for all
// if keys is nil; for none twice.
func concerned(tx *bolt.Tx, keys iter.Seq[string], look func(row, raw []byte) error) error {
	component := tx.Bucket(bucketComponent)
	if keys == nil {
		for row, raw := range each(component) {
			if err := look(row, raw); err != nil {
				return err
			}
		}
		return nil
	}
	seen := roaring.New()
	first, further, rows := component.Cursor(), tx.Bucket(bucketKey).Cursor(), tx.Bucket(bucketRow)
	for _, key := range slices.Sorted(keys) { // in the order of the file
		prefix := append([]byte(key), 0)
		for row, raw := first.Seek(prefix); len(row) == len(prefix)+4 && bytes.HasPrefix(row, prefix); row, raw = first.Next() {
			if seen.CheckedAdd(numberOf(row)) {
				if err := look(row, raw); err != nil {
					return err
				}
			}
		}
		for k, _ := further.Seek(prefix); len(k) == len(prefix)+4 && bytes.HasPrefix(k, prefix); k, _ = further.Next() {
			if !seen.CheckedAdd(numberOf(k)) {
				continue
			}
			row, _, err := address(rows, numberOf(k))
			if err != nil {
				return err
			}
			if err := look(row, component.Get(row)); err != nil {
				return err
			}
		}
	}
	return nil
}

// groupKey is what makes changes of several components one event.
type groupKey struct {
	kind       EventType
	rule, name string
	from, to   string
}

type group struct {
	state    // the later one
	versions map[string]bool
	holders  []string // rows of components
	images   *roaring.Bitmap
	why      string
}

// compare notes what differs between two outcomes of one component, both in
// order of the rules.
func compare(diffs map[groupKey]*group, row []byte, p *boltseal.Package, old, now []state) {
	name := packageName(p)
	note := func(kind EventType, s state, from, to, why string) {
		key := groupKey{kind, s.rule, name, from, to}
		g := diffs[key]
		if g == nil {
			g = &group{state: s, versions: map[string]bool{}, why: why}
			diffs[key] = g
		}
		g.versions[p.Version] = true
		g.holders = append(g.holders, string(row))
	}
	for len(old) > 0 || len(now) > 0 {
		switch {
		case len(now) == 0 || len(old) > 0 && old[0].rule < now[0].rule:
			if old[0].suppressed == "" {
				note(VulnerabilityClosed, old[0], "", "", "the advisories no longer say that this version is affected")
			}
			old = old[1:]
		case len(old) == 0 || now[0].rule < old[0].rule:
			if now[0].suppressed == "" {
				note(VulnerabilityOpened, now[0], "", "", "the advisories now say that this version is affected")
			}
			now = now[1:]
		default:
			a, b := old[0], now[0]
			old, now = old[1:], now[1:]
			if a.suppressed != b.suppressed {
				note(VulnerabilityVEX, b, a.suppressed, b.suppressed, "another statement on whether it counts")
				continue
			}
			if b.suppressed != "" {
				continue
			}
			if a.severity != b.severity {
				note(VulnerabilitySeverity, b, a.severity.String(), b.severity.String(), "another rating")
			}
			if a.fixed != b.fixed {
				note(VulnerabilityFix, b, a.fixed, b.fixed, "another fixed version")
			}
			if a.exploited == "" && b.exploited != "" {
				note(VulnerabilityExploited, b, "", b.exploited, "listed as exploited in the wild")
			}
		}
	}
}

// gather finds the images that each group concerns: those of the postings, and
// those too new to be in them, as far as a reference leads to them.
func gather(tx *bolt.Tx, diffs map[groupKey]*group) error {
	if len(diffs) == 0 {
		return nil
	}
	live, err := liveImages(tx)
	if err != nil {
		return err
	}
	of := map[uint32]*roaring.Bitmap{}
	var rows []string
	for _, g := range diffs {
		rows = append(rows, g.holders...)
	}
	slices.Sort(rows) // in the order of the file
	postings := tx.Bucket(bucketPosting)
	for _, row := range slices.Compact(rows) {
		set := roaring.New()
		if raw := postings.Get([]byte(row)); raw != nil {
			if _, err := set.FromBuffer(raw); err != nil { // valid as long as the transaction
				return fmt.Errorf("postings of component %d: %w: %w", numberOf([]byte(row)), boltseal.ErrMalformed, err)
			}
		}
		of[numberOf([]byte(row))] = set
	}
	recent := map[uint32][]uint32{}
	images := tx.Bucket(bucketImage)
	for k, _ := range each(tx.Bucket(bucketPending)) {
		raw := images.Get(k)
		if raw == nil {
			continue
		}
		m, err := decodeImage(raw)
		if err != nil {
			return err
		}
		for _, c := range m.components {
			if of[c] != nil {
				recent[c] = append(recent[c], binary.BigEndian.Uint32(k))
			}
		}
	}
	for _, g := range diffs {
		sets := make([]*roaring.Bitmap, 0, len(g.holders))
		fresh := roaring.New()
		for _, row := range g.holders {
			n := numberOf([]byte(row))
			sets = append(sets, of[n])
			fresh.AddMany(recent[n])
		}
		g.images = roaring.FastOr(append(sets, fresh)...)
		g.images.And(live)
		g.images.RunOptimize()
		g.images = g.images.Clone() // no part of the mapped file
	}
	return nil
}

func liveImages(tx *bolt.Tx) (*roaring.Bitmap, error) {
	live := roaring.New()
	if raw := tx.Bucket(bucketMeta).Get(metaLive); raw != nil {
		if err := live.UnmarshalBinary(raw); err != nil {
			return nil, fmt.Errorf("live images: %w: %w", boltseal.ErrMalformed, err)
		}
	}
	return live, nil
}

// each yields the entries of a bucket.
func each(b *bolt.Bucket) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		c := b.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if !yield(k, v) {
				return
			}
		}
	}
}

// eventsOf makes the groups that concern an image events, in an order that does
// not depend on anything else.
func eventsOf(diffs map[groupKey]*group) []*Event {
	var list []*Event
	for key, g := range diffs {
		if g.images.IsEmpty() {
			continue
		}
		list = append(list, &Event{
			Type: key.kind, Rule: key.rule, Title: g.title, Severity: g.severity, Fixed: g.fixed, Package: key.name,
			Versions: sortedKeys(g.versions), From: key.from, To: key.to, Why: g.why, images: g.images,
		})
	}
	slices.SortFunc(list, func(a, b *Event) int {
		if a.Severity != b.Severity {
			return int(b.Severity) - int(a.Severity) // the worst first
		}
		for _, c := range [][2]string{{a.Rule, b.Rule}, {string(a.Type), string(b.Type)}, {a.Package, b.Package}, {a.From, b.From}, {a.To, b.To}} {
			if n := strings.Compare(c[0], c[1]); n != 0 {
				return n
			}
		}
		return 0
	})
	return list
}

func sortedKeys[K string | uint32, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
