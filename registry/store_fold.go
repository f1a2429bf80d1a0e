package registry

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	bolt "go.etcd.io/bbolt"

	"github.com/boltseal/boltseal"
)

// How much Fold has in memory at once.
const (
	foldPostings = 8 << 20 // numbers of images, of four bytes
	foldBytes    = 8 << 20 // of postings, written in one transaction
)

// Fold brings the images added last into the inverted index. Until then an
// evaluation looks at each of them, so it is called now and then, when little
// else is to be done: a [Monitor] does so. It returns how many there were. Others
// may use the store meanwhile.
func (s *Store) Fold(ctx context.Context) (int, error) {
	total := 0
	for {
		n, err := s.foldSome(ctx)
		total += n
		if err != nil {
			return total, fmt.Errorf("fold store: %w", err)
		}
		if n == 0 {
			return total, nil
		}
	}
}

// foldSome folds some images. Their postings are written in several
// transactions, and only then do the images stop being pending: what is added
// twice is there once.
func (s *Store) foldSome(ctx context.Context) (int, error) {
	var images *roaring.Bitmap
	var list []holding
	err := s.db.View(func(tx *bolt.Tx) (err error) {
		images, list, err = pendingHoldings(ctx, tx)
		return err
	})
	if err != nil {
		return 0, err
	}
	for len(list) > 0 {
		if list, err = s.addPostings(ctx, list); err != nil {
			return 0, err
		}
	}
	if images.IsEmpty() {
		return 0, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.db.Update(func(tx *bolt.Tx) error {
		pending := tx.Bucket(bucketPending)
		for o := range roaring.Values(images) {
			if err := pending.Delete(be32(o)); err != nil {
				return err
			}
		}
		return nil
	})
	return int(images.GetCardinality()), err
}

// pendingImages are those that are not in the postings yet.
func pendingImages(tx *bolt.Tx) *roaring.Bitmap {
	pending := roaring.New()
	for k := range each(tx.Bucket(bucketPending)) {
		pending.Add(binary.BigEndian.Uint32(k))
	}
	return pending
}

// holding is a component, and images that hold it.
type holding struct {
	row    []byte
	images []uint32
}

// pendingHoldings inverts some of the images that are not in the postings yet.
// The holdings are in the order of the file.
func pendingHoldings(ctx context.Context, tx *bolt.Tx) (*roaring.Bitmap, []holding, error) {
	images := roaring.New()
	counts := map[uint32]int{}
	total := 0
	stored := tx.Bucket(bucketImage)
	for k := range each(tx.Bucket(bucketPending)) {
		if total > foldPostings {
			break
		}
		images.Add(binary.BigEndian.Uint32(k))
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		m, err := imageAt(stored, k)
		if err != nil {
			return nil, nil, err
		}
		if m == nil {
			continue
		}
		for _, c := range m.components() {
			counts[c]++
			total++
		}
	}
	rows := tx.Bucket(bucketRow)
	list := make([]holding, 0, len(counts))
	index := make(map[uint32]int, len(counts))
	room := make([]uint32, total)
	for c, n := range counts {
		row, _, err := address(rows, c)
		if err != nil {
			return nil, nil, err
		}
		index[c] = len(list)
		list = append(list, holding{slices.Clone(row), room[:0:n]})
		room = room[n:]
	}
	for o := range roaring.Values(images) {
		m, err := imageAt(stored, be32(o))
		if err != nil {
			return nil, nil, err
		}
		if m == nil {
			continue
		}
		for _, c := range m.components() {
			h := &list[index[c]]
			h.images = append(h.images, o)
		}
	}
	slices.SortFunc(list, func(a, b holding) int { return bytes.Compare(a.row, b.row) })
	return images, list, nil
}

// addPostings writes some holdings, and returns the others. An image that was
// forgotten since is left out.
func (s *Store) addPostings(ctx context.Context, list []holding) (rest []holding, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.db.Update(func(tx *bolt.Tx) error {
		pending := pendingImages(tx)
		p := newPostings(tx)
		written := 0
		for rest = list; len(rest) > 0 && written < foldBytes; rest = rest[1:] {
			if err := ctx.Err(); err != nil {
				return err
			}
			set, err := p.own(rest[0].row)
			if err != nil {
				return err
			}
			fresh := roaring.BitmapOf(rest[0].images...)
			fresh.And(pending)
			set.Or(fresh)
			n, err := p.put(rest[0].row, set)
			if err != nil {
				return err
			}
			written += n
		}
		return nil
	})
	return rest, err
}

// postings lead from a component to the images that hold it. Small sets stand
// apart from the large ones, so that those of the many rare packages lie close
// together.
type postings struct{ small, large *bolt.Bucket }

const largePosting = 1 << 10 // bytes

func newPostings(tx *bolt.Tx) postings {
	return postings{tx.Bucket(bucketPosting), tx.Bucket(bucketLarge)}
}

// raw returns the stored set, nil if there is none. It is valid as long as the
// transaction.
func (p postings) raw(row []byte) []byte {
	if raw := p.small.Get(row); raw != nil {
		return raw
	}
	return p.large.Get(row)
}

// view returns the set. It is valid as long as the transaction, and must not be
// changed.
func (p postings) view(row []byte) (*roaring.Bitmap, error) {
	set := roaring.New()
	if raw := p.raw(row); raw != nil {
		if _, err := set.FromBuffer(raw); err != nil {
			return nil, fmt.Errorf("postings of component %d: %w: %w", numberOf(row), boltseal.ErrMalformed, err)
		}
	}
	return set, nil
}

// own returns the set. It is the caller's.
func (p postings) own(row []byte) (*roaring.Bitmap, error) {
	set := roaring.New()
	if raw := p.raw(row); raw != nil {
		if err := set.UnmarshalBinary(raw); err != nil {
			return nil, fmt.Errorf("postings of component %d: %w: %w", numberOf(row), boltseal.ErrMalformed, err)
		}
	}
	return set, nil
}

// put stores a set, and returns how many bytes that took.
func (p postings) put(row []byte, set *roaring.Bitmap) (int, error) {
	if set.IsEmpty() {
		if err := p.small.Delete(row); err != nil {
			return 0, err
		}
		return 0, p.large.Delete(row)
	}
	set.RunOptimize()
	raw, err := set.MarshalBinary()
	if err != nil {
		return 0, err
	}
	to, other := p.small, p.large
	if len(raw) > largePosting {
		to, other = other, to
	}
	if other.Get(row) != nil {
		if err := other.Delete(row); err != nil {
			return 0, err
		}
	}
	return len(raw), to.Put(row, raw)
}
