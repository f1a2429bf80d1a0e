package registry

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	bolt "go.etcd.io/bbolt"

	"github.com/boltseal/boltseal"
)

// Verify recomputes everything that the store derives (the index, the set of
// images that are led to, the findings of each component) from what it was told,
// and compares. Each difference is an error that wraps [boltseal.ErrMalformed];
// they are joined, the first hundred of them. The matcher must be of the store's
// generation; nil leaves the findings out.
func (s *Store) Verify(ctx context.Context, m Matcher) error {
	v := &verifier{}
	err := s.db.View(func(tx *bolt.Tx) error {
		for err := range tx.Check() {
			v.differ("file: %v", err)
		}
		if m != nil {
			if have := string(tx.Bucket(bucketMeta).Get(metaGeneration)); have != m.Generation() {
				return fmt.Errorf("the advisories are of generation %q and the store of %q: call Evaluate first", m.Generation(), have)
			}
		}
		for _, check := range []func(context.Context, *bolt.Tx) error{v.postings, v.live, v.components, v.events} {
			if err := check(ctx, tx); err != nil {
				return err
			}
		}
		if m == nil {
			return nil
		}
		return v.findings(ctx, tx, m)
	})
	return errors.Join(append(v.errs, err)...)
}

type verifier struct{ errs []error }

func (v *verifier) differ(format string, args ...any) {
	if len(v.errs) < 100 {
		v.errs = append(v.errs, fmt.Errorf("store: %w: "+format, append([]any{boltseal.ErrMalformed}, args...)...))
	}
}

// postings inverts all images again.
func (v *verifier) postings(ctx context.Context, tx *bolt.Tx) error {
	want := map[uint32]*roaring.Bitmap{}
	pending := tx.Bucket(bucketPending)
	components := counter(tx.Bucket(bucketMeta), metaComponents)
	n := 0
	for k, raw := range each(tx.Bucket(bucketImage)) {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		m, err := decodeImage(raw)
		if err != nil {
			v.differ("image %x: %v", k, err)
			continue
		}
		if o := tx.Bucket(bucketDigest).Get([]byte(m.digest)); string(o) != string(k) {
			v.differ("image %s is number %x, and found as %x", m.digest, k, o)
		}
		if c := pending.Cursor(); func() bool { p, _ := c.Seek(k); return string(p) == string(k) }() {
			continue // not folded yet
		}
		for _, c := range m.components {
			if c >= components {
				v.differ("image %s holds component %d of %d", m.digest, c, components)
				continue
			}
			if want[c] == nil {
				want[c] = roaring.New()
			}
			want[c].Add(binary.BigEndian.Uint32(k))
		}
	}
	for k, raw := range each(tx.Bucket(bucketPosting)) {
		c := binary.BigEndian.Uint32(k)
		have := roaring.New()
		if err := have.UnmarshalBinary(raw); err != nil {
			v.differ("postings of component %d: %v", c, err)
		} else if want[c] == nil || !have.Equals(want[c]) {
			v.differ("postings of component %d are not those of the images", c)
		}
		delete(want, c)
	}
	for _, c := range sortedKeys(want) {
		v.differ("no postings of component %d", c)
	}
	return nil
}

func (v *verifier) live(ctx context.Context, tx *bolt.Tx) error {
	want := roaring.New()
	links := 0
	for k, raw := range each(tx.Bucket(bucketRef)) {
		r, err := decodeReference(raw)
		if err != nil {
			v.differ("reference %s: %v", k, err)
			continue
		}
		if r.gone {
			continue
		}
		want.AddMany(r.ordinals)
		for _, o := range r.ordinals {
			links++
			if c := tx.Bucket(bucketRefOf).Cursor(); func() bool {
				p, _ := c.Seek(refEntry(o, string(k)))
				return string(p) != string(refEntry(o, string(k)))
			}() {
				v.differ("reference %s is not noted with its image", k)
			}
		}
	}
	for range each(tx.Bucket(bucketRefOf)) {
		links--
	}
	if links != 0 {
		v.differ("%d notes of references with images too few (too many, if negative)", links)
	}
	have, err := liveImages(tx)
	if err != nil {
		v.differ("%v", err)
	} else if !have.Equals(want) {
		v.differ("the set of images that references lead to")
	}
	return ctx.Err()
}

func (v *verifier) components(ctx context.Context, tx *bolt.Tx) error {
	n, count := counter(tx.Bucket(bucketMeta), metaComponents), uint32(0)
	for k, raw := range each(tx.Bucket(bucketComponent)) {
		count++
		p, err := decodeComponent(raw)
		if err != nil {
			v.differ("component %x: %v", k, err)
			continue
		}
		if again := encodeComponent(p); string(again) != string(raw) {
			v.differ("component %x reads as another", k)
		}
		if id := tx.Bucket(bucketByHash).Get(componentKey(raw)); string(id) != string(k) {
			v.differ("component %x is found as %x", k, id)
		}
	}
	if count != n {
		v.differ("%d components, and %d counted", count, n)
	}
	return ctx.Err()
}

func (v *verifier) events(ctx context.Context, tx *bolt.Tx) error {
	next := uint64(0)
	for k, raw := range each(tx.Bucket(bucketEvent)) {
		n := binary.BigEndian.Uint64(k)
		if next != 0 && n != next {
			v.differ("events %d to %d are missing", next, n-1)
		}
		next = n + 1
		e, err := decodeEvent(n, raw)
		if err != nil {
			v.differ("event %d: %v", n, err)
			continue
		}
		if id := tx.Bucket(bucketEventID).Get([]byte(e.ID)); string(id) != string(k) {
			v.differ("event %d is found by its identity as %x", n, id)
		}
	}
	return ctx.Err()
}

// findings matches every component again.
func (v *verifier) findings(ctx context.Context, tx *bolt.Tx, m Matcher) error {
	states, n := tx.Bucket(bucketState), 0
	for k, raw := range each(tx.Bucket(bucketComponent)) {
		if n++; n%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		p, err := decodeComponent(raw)
		if err != nil {
			continue // said above
		}
		var have []state
		if b := states.Get(k); b != nil {
			if have, err = decodeStates(b); err != nil {
				v.differ("findings of %s: %v", tx.Bucket(bucketPURL).Get(k), err)
				continue
			}
		}
		if want := statesOf(m, p); !slices.EqualFunc(have, want, state.equal) {
			v.differ("%s has %d findings, and %d in the store, or others", tx.Bucket(bucketPURL).Get(k), len(want), len(have))
		}
	}
	return nil
}
