package registry

import (
	"bytes"
	"context"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	bolt "go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"

	"github.com/boltseal/boltseal"
)

// groupKey is what makes changes of several components one event.
type groupKey struct {
	kind       EventType
	rule, name string
	from, to   string
}

type group struct {
	state    // the later one
	versions map[string]bool
	holders  [][]byte // rows of components, in order
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
		g.holders = append(g.holders, row)
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

// gather finds the images that each group concerns, as far as a reference leads
// to them.
func (s *Store) gather(ctx context.Context, diffs map[groupKey]*group) error {
	list := slices.SortedFunc(maps.Values(diffs), func(a, b *group) int { return bytes.Compare(a.holders[0], b.holders[0]) }) // in the order of the file
	var h *holders
	err := s.db.View(func(tx *bolt.Tx) (err error) {
		h, err = newHolders(tx, func(yield func(uint32) bool) {
			for _, g := range list {
				for _, row := range g.holders {
					if !yield(numberOf(row)) {
						return
					}
				}
			}
		})
		return err
	})
	if err != nil {
		return err
	}
	work, ctx := errgroup.WithContext(ctx)
	for part := range slices.Chunk(list, max(64, len(list)/runtime.GOMAXPROCS(0)+1)) {
		work.Go(func() error {
			return s.db.View(func(tx *bolt.Tx) (err error) {
				h := h.in(tx)
				for _, g := range part {
					if g.images, err = h.of(g.holders); err != nil {
						return err
					}
				}
				return ctx.Err()
			})
		})
	}
	return work.Wait()
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
			components: numbersOf(g.holders),
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
