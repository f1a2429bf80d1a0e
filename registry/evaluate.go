package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	bolt "go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"

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
	out, err := s.evaluate(ctx, m)
	if err != nil {
		return Evaluation{}, fmt.Errorf("evaluate store: %w", err)
	}
	return out, nil
}

func (s *Store) evaluate(ctx context.Context, m Matcher) (Evaluation, error) {
	out := Evaluation{Generation: m.Generation()}
	since, err := s.Generation()
	if err != nil || since == m.Generation() {
		return out, err
	}
	outcomes, looked, err := s.match(ctx, m, since)
	if err != nil {
		return out, err
	}
	out.Components, out.Changed = looked, len(outcomes)
	diffs := map[groupKey]*group{}
	if since != "" {
		for _, o := range outcomes {
			compare(diffs, o.row, o.pkg, o.old, o.now)
		}
		if err := s.gather(ctx, diffs); err != nil {
			return out, err
		}
	}
	err = s.db.Update(func(tx *bolt.Tx) error {
		finding := tx.Bucket(bucketFinding)
		for _, o := range outcomes {
			var err error
			if len(o.now) == 0 {
				err = finding.Delete(o.row)
			} else {
				err = finding.Put(o.row, encodeStates(o.now))
			}
			if err != nil {
				return err
			}
		}
		meta := tx.Bucket(bucketMeta)
		epoch := counter(meta, metaEpoch)
		out.Events = 0
		if since != "" {
			activated := &Event{Type: GenerationActivated, From: since, To: m.Generation()}
			for _, e := range append(eventsOf(diffs), activated) {
				e.Time, e.Generation, e.epoch = time.Now(), m.Generation(), uint64(epoch)
				if err := emit(tx, e); err != nil {
					return err
				}
				out.Events++
			}
		}
		return errors.Join(meta.Put(metaEpoch, be32(epoch+1)), meta.Put(metaGeneration, []byte(m.Generation())))
	})
	return out, err
}

// outcome is that of one component, where it is another one than before.
type outcome struct {
	row      []byte
	pkg      *boltseal.Package
	old, now []state
}

// match asks the advisories about each component that they may say something new
// of. It returns the outcomes in the order of the file, and how many components
// it asked about.
func (s *Store) match(ctx context.Context, m Matcher, since string) ([]outcome, int, error) {
	var keys iter.Seq[string]
	if since != "" {
		keys = m.Changed(since)
	}
	var parts []func(tx *bolt.Tx) iter.Seq2[uint32, []byte]
	if keys == nil {
		bounds, err := s.bounds()
		if err != nil {
			return nil, 0, err
		}
		for i := range len(bounds) - 1 {
			parts = append(parts, func(tx *bolt.Tx) iter.Seq2[uint32, []byte] { return rowsBetween(tx, bounds[i], bounds[i+1]) })
		}
	} else {
		sorted := slices.Compact(slices.Sorted(keys)) // in the order of the file
		for part := range slices.Chunk(sorted, max(64, len(sorted)/runtime.GOMAXPROCS(0)+1)) {
			parts = append(parts, func(tx *bolt.Tx) iter.Seq2[uint32, []byte] { return rowsOf(tx, part) })
		}
	}
	looked := make([]*roaring.Bitmap, len(parts))
	found := make([][]outcome, len(parts))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, part := range parts {
		looked[i] = roaring.New()
		g.Go(func() error {
			return s.db.View(func(tx *bolt.Tx) (err error) {
				found[i], err = matchRows(ctx, m, newComponents(tx), looked[i], part(tx))
				return err
			})
		})
	}
	if err := g.Wait(); err != nil {
		return nil, 0, err
	}
	list := slices.Concat(found...)
	slices.SortFunc(list, func(a, b outcome) int { return bytes.Compare(a.row, b.row) })
	list = slices.CompactFunc(list, func(a, b outcome) bool { return bytes.Equal(a.row, b.row) }) // reached by two keys
	return list, int(roaring.FastOr(looked...).GetCardinality()), nil
}

func matchRows(ctx context.Context, m Matcher, c *components, looked *roaring.Bitmap, rows iter.Seq2[uint32, []byte]) (list []outcome, err error) {
	n := 0
	for number, row := range rows {
		if n++; n%256 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !looked.CheckedAdd(number) {
			continue
		}
		if row == nil {
			if row, _, err = address(c.row, number); err != nil {
				return nil, err
			}
		}
		p, old, err := c.at(row)
		if err != nil {
			return nil, err
		}
		if now := statesOf(m, p); !slices.EqualFunc(old, now, state.equal) {
			list = append(list, outcome{slices.Clone(row), p, old, now})
		}
	}
	return list, nil
}

// rowsOf yields the components that any of the keys speaks of, by number and
// row; nil is a row that is still to be looked up.
func rowsOf(tx *bolt.Tx, keys []string) iter.Seq2[uint32, []byte] {
	return func(yield func(uint32, []byte) bool) {
		first, further := tx.Bucket(bucketComponent).Cursor(), tx.Bucket(bucketKey).Cursor()
		var prefix []byte
		for _, key := range keys {
			prefix = append(append(prefix[:0], key...), 0)
			for row, _ := first.Seek(prefix); len(row) == len(prefix)+4 && bytes.HasPrefix(row, prefix); row, _ = first.Next() {
				if !yield(numberOf(row), row) {
					return
				}
			}
			for k, _ := further.Seek(prefix); len(k) == len(prefix)+4 && bytes.HasPrefix(k, prefix); k, _ = further.Next() {
				if !yield(numberOf(k), nil) {
					return
				}
			}
		}
	}
}

// rowsBetween yields the components from one row up to another; nil is the end.
func rowsBetween(tx *bolt.Tx, from, to []byte) iter.Seq2[uint32, []byte] {
	return func(yield func(uint32, []byte) bool) {
		c := tx.Bucket(bucketComponent).Cursor()
		for row, _ := c.Seek(from); row != nil && (to == nil || bytes.Compare(row, to) < 0); row, _ = c.Next() {
			if !yield(numberOf(row), row) {
				return
			}
		}
	}
}

// bounds cuts the components into parts of about the same size: they were
// numbered as they came, so that the rows of some of them are a fair sample.
func (s *Store) bounds() (bounds [][]byte, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		parts := uint32(4 * runtime.GOMAXPROCS(0))
		bounds = append(bounds, []byte{})
		if n := counter(tx.Bucket(bucketMeta), metaComponents); n > 64*parts {
			for i := range parts {
				row, _, err := address(tx.Bucket(bucketRow), i*(n/parts))
				if err != nil {
					return err
				}
				bounds = append(bounds, slices.Clone(row))
			}
			slices.SortFunc(bounds, bytes.Compare)
		}
		bounds = append(bounds, nil)
		return nil
	})
	return bounds, err
}
