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
	pending := pendingImages(tx)
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
		if o := tx.Bucket(bucketDigest).Get(digestKey(m.digest)); string(o) != string(k) {
			v.differ("image %s is number %x, and found as %x", m.digest, k, o)
		}
		for _, c := range m.components() {
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
	for _, name := range [][]byte{bucketPosting, bucketLarge} {
		for row, raw := range each(tx.Bucket(name)) {
			if len(row) < 5 {
				v.differ("postings at %x", row)
				continue
			}
			c := numberOf(row)
			have := roaring.New()
			if err := have.UnmarshalBinary(raw); err != nil {
				v.differ("postings of component %d: %v", c, err)
				continue
			}
			all := want[c]
			if all == nil {
				all = roaring.New()
			}
			// A fold that was broken off left some of those that are pending.
			if extra := roaring.AndNot(have, all); !extra.IsEmpty() {
				v.differ("postings of component %d have %d images that do not hold it", c, extra.GetCardinality())
			}
			all.AndNot(have)
			want[c] = all
		}
	}
	for _, c := range sortedKeys(want) {
		if want[c].AndNot(pending); !want[c].IsEmpty() {
			v.differ("postings of component %d lack %d images", c, want[c].GetCardinality())
		}
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
	read := newComponents(tx)
	for row, raw := range each(read.member) {
		count++
		if len(row) < 5 {
			v.differ("component at %x", row)
			continue
		}
		p, err := read.decode(row, raw)
		if err != nil {
			v.differ("component %x: %v", row, err)
			continue
		}
		if at, _, err := address(tx.Bucket(bucketRow), numberOf(row)); err != nil || string(at) != string(row) {
			v.differ("component %x is found at %x", row, at)
		}
		if id := tx.Bucket(bucketByHash).Get(hashKey(appendIdentity(nil, p))); string(id) != string(be32(numberOf(row))) {
			v.differ("component %x is found as %x", row, id)
		}
	}
	if count != n {
		v.differ("%d components, and %d counted", count, n)
	}
	for row, raw := range each(read.finding) {
		if read.member.Get(row) == nil {
			v.differ("findings of component %x, which is not there", row)
		}
		if _, err := decodeStates(raw); err != nil {
			v.differ("component %x: %v", row, err)
		}
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
		if _, err := decodeEvent(n, raw); err != nil {
			v.differ("event %d: %v", n, err)
		}
	}
	return ctx.Err()
}

// findings matches every component again.
func (v *verifier) findings(ctx context.Context, tx *bolt.Tx, m Matcher) error {
	n := 0
	read := newComponents(tx)
	for row := range each(read.member) {
		if n++; n%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		p, have, err := read.at(row)
		if err != nil {
			continue // said above, or of the findings
		}
		if want := statesOf(m, p); !slices.EqualFunc(have, want, state.equal) {
			_, purl, _ := address(tx.Bucket(bucketRow), numberOf(row)) // said above
			v.differ("%s has %d findings, and %d in the store, or others", purl, len(want), len(have))
		}
	}
	return nil
}
