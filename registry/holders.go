package registry

import (
	"encoding/binary"
	"fmt"
	"iter"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	bolt "go.etcd.io/bbolt"

	"github.com/boltseal/boltseal"
)

// holders tells which images hold components, as far as a reference leads to
// them, in one transaction: those of the postings, and those too new to be in
// them.
type holders struct {
	postings postings
	live     *roaring.Bitmap
	recent   map[uint32][]uint32
}

// newHolders prepares for questions about components with these numbers.
func newHolders(tx *bolt.Tx, numbers iter.Seq[uint32]) (*holders, error) {
	live, err := liveImages(tx)
	if err != nil {
		return nil, err
	}
	h := &holders{postings: newPostings(tx), live: live, recent: map[uint32][]uint32{}}
	about := make([]bool, counter(tx.Bucket(bucketMeta), metaComponents))
	for n := range numbers {
		if int(n) < len(about) {
			about[n] = true
		}
	}
	images := tx.Bucket(bucketImage)
	for k := range each(tx.Bucket(bucketPending)) {
		m, err := imageAt(images, k)
		if err != nil {
			return nil, err
		}
		if m == nil {
			continue
		}
		for _, l := range m.layers {
			for _, c := range l.components {
				if int(c) < len(about) && about[c] {
					h.recent[c] = append(h.recent[c], binary.BigEndian.Uint32(k))
				}
			}
		}
	}
	return h, nil
}

// in asks the same in another transaction, which may be in use at the same time.
func (h *holders) in(tx *bolt.Tx) *holders {
	return &holders{postings: newPostings(tx), live: h.live, recent: h.recent}
}

// of returns the images that hold any of the components with these rows. It is
// the caller's.
func (h *holders) of(rows [][]byte) (*roaring.Bitmap, error) {
	all := roaring.New()
	for _, row := range rows {
		set, err := h.postings.view(row)
		if err != nil {
			return nil, err
		}
		all.Or(set)
		all.AddMany(h.recent[numberOf(row)])
	}
	all.And(h.live)
	all.RunOptimize()
	return all.Clone(), nil // no part of the mapped file
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

// numbersOf returns the numbers of components with these rows, ascending.
func numbersOf(rows [][]byte) []uint32 {
	list := make([]uint32, 0, len(rows))
	for _, row := range rows {
		list = append(list, numberOf(row))
	}
	slices.Sort(list)
	return slices.Compact(list)
}
