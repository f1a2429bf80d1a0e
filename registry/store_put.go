package registry

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	bolt "go.etcd.io/bbolt"

	"github.com/boltseal/boltseal"
)

// Put adds an image, durably, and reports false if it was there already: of
// several who analysed the same digest, one is the first. The matcher must be of
// the generation that the store was last evaluated with; a new store takes any.
func (s *Store) Put(d digest.Digest, inv Inventory, m Matcher) (added bool, err error) {
	n, err := s.PutAll(context.Background(), func(yield func(digest.Digest, Inventory) bool) { yield(d, inv) }, m)
	return n == 1, err
}

// putAtOnce is how many images PutAll adds in one transaction.
const putAtOnce = 2000

// PutAll adds many images, and returns how many were new. Those before an error
// stay. An inventory is read before the next one is asked for.
func (s *Store) PutAll(ctx context.Context, images iter.Seq2[digest.Digest, Inventory], m Matcher) (added int, err error) {
	next, stop := iter.Pull2(images)
	defer stop()
	numbers := map[string]uint32{}
	for more := true; more && err == nil; {
		if len(numbers) > 1<<18 {
			clear(numbers)
		}
		n := 0
		s.mu.Lock()
		err = s.db.Update(func(tx *bolt.Tx) error {
			w := newWriter(tx, numbers)
			if err := w.generation(m); err != nil {
				return err
			}
			for range putAtOnce {
				var d digest.Digest
				var inv Inventory
				if d, inv, more = next(); !more {
					break
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := d.Validate(); err != nil {
					return fmt.Errorf("image %.100q: %w: %w", d, boltseal.ErrMalformed, err)
				}
				ok, err := w.image(d, &inv, m)
				if err != nil {
					return err
				}
				if ok {
					n++
				}
			}
			return w.finish()
		})
		s.mu.Unlock()
		if err == nil {
			added += n
		}
	}
	if err != nil {
		return added, fmt.Errorf("add image to store: %w", err)
	}
	return added, nil
}

// maxKey is how long a key is at most that is looked up; no advisory speaks of a
// name as long as that.
const maxKey = 4 << 10

// appended is how full the pages are of a bucket that only grows at its end.
const appended = 0.97

// writer adds images in one transaction.
type writer struct {
	meta, component, finding, family, row, byHash, key, img, ofDigest, pending *bolt.Bucket

	images, components, families uint32            // numbers given so far
	numbers                      map[string]uint32 // identity → number, of components met before
	identity                     []byte
}

func newWriter(tx *bolt.Tx, numbers map[string]uint32) *writer {
	w := &writer{
		meta: tx.Bucket(bucketMeta), component: tx.Bucket(bucketComponent), finding: tx.Bucket(bucketFinding), family: tx.Bucket(bucketFamily),
		row: tx.Bucket(bucketRow), byHash: tx.Bucket(bucketByHash), key: tx.Bucket(bucketKey),
		img: tx.Bucket(bucketImage), ofDigest: tx.Bucket(bucketDigest), pending: tx.Bucket(bucketPending), numbers: numbers,
	}
	for _, b := range []*bolt.Bucket{w.row, w.img, w.pending} {
		b.FillPercent = appended
	}
	w.images, w.components, w.families = counter(w.meta, metaImages), counter(w.meta, metaComponents), counter(w.meta, metaFamilies)
	return w
}

func counter(meta *bolt.Bucket, name []byte) uint32 {
	if b := meta.Get(name); len(b) == 4 {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// generation makes the matcher's the store's, if it has none yet.
func (w *writer) generation(m Matcher) error {
	switch have := w.meta.Get(metaGeneration); {
	case have == nil:
		return w.meta.Put(metaGeneration, []byte(m.Generation()))
	case string(have) != m.Generation():
		return fmt.Errorf("%w: they are of generation %q and the store of %q: call Evaluate first", errGeneration, m.Generation(), have)
	}
	return nil
}

var errGeneration = errors.New("other advisories")

func (w *writer) image(d digest.Digest, inv *Inventory, m Matcher) (bool, error) {
	key := digestKey(d)
	if w.ofDigest.Get(key) != nil {
		return false, nil
	}
	rec := &image{digest: d, added: time.Now(), platform: inv.Platform, incomplete: inv.Incomplete, team: inv.Team}
	if len(rec.team) > maxTeam {
		rec.team = strings.ToValidUTF8(rec.team[:maxTeam], "")
	}
	layers := map[string]int{}
	for i := range inv.Packages {
		p := &inv.Packages[i]
		n, err := w.number(p, m)
		if err != nil {
			return false, err
		}
		diffID := ""
		if len(p.Locations) > 0 {
			diffID = p.Locations[0].Layer
		}
		at, ok := layers[diffID]
		if !ok {
			at = len(rec.layers)
			layers[diffID] = at
			rec.layers = append(rec.layers, layer{diffID: diffID})
		}
		rec.layers[at].components = append(rec.layers[at].components, n)
	}
	ordinal := be32(w.images)
	w.images++
	return true, errors.Join(w.img.Put(ordinal, encodeImage(rec)), w.ofDigest.Put(key, ordinal), w.pending.Put(ordinal, nil))
}

// number returns a component's number. A new one is matched.
func (w *writer) number(p *boltseal.Package, m Matcher) (uint32, error) {
	w.identity = appendIdentity(w.identity[:0], p)
	if n, ok := w.numbers[string(w.identity)]; ok {
		return n, nil
	}
	hash := hashKey(w.identity)
	n := w.components
	if b := w.byHash.Get(hash); len(b) == 4 {
		n = binary.BigEndian.Uint32(b)
	} else if err := w.add(n, hash, p, statesOf(m, p), m.Keys(p)); err != nil {
		return 0, err
	}
	w.numbers[string(w.identity)] = n
	return n, nil
}

// add writes a component that is not there yet.
func (w *writer) add(n uint32, hash []byte, p *boltseal.Package, states []state, keys []string) error {
	w.components = max(w.components, n+1)
	family, err := w.familyOf(p)
	if err != nil {
		return err
	}
	keys = slices.DeleteFunc(keys, func(k string) bool { return len(k) > maxKey })
	first := ""
	for i, k := range keys {
		if i == 0 {
			first = k
		} else if err := w.key.Put(rowOf(k, n), nil); err != nil {
			return err
		}
	}
	row := rowOf(first, n)
	if len(states) > 0 {
		if err := w.finding.Put(row, encodeStates(states)); err != nil {
			return err
		}
	}
	return errors.Join(w.component.Put(row, encodeMember(family, first, p)), w.row.Put(be32(n), encodeAddress(row, p.PURL)), w.byHash.Put(hash, be32(n)))
}

func (w *writer) familyOf(p *boltseal.Package) (uint32, error) {
	encoded := encodeFamily(p)
	hash := hashKey(encoded)
	if b := w.byHash.Get(hash); len(b) == 4 {
		return binary.BigEndian.Uint32(b), nil
	}
	n := w.families
	w.families++
	return n, errors.Join(w.family.Put(be32(n), encoded), w.byHash.Put(hash, be32(n)))
}

func (w *writer) finish() error {
	return errors.Join(w.meta.Put(metaImages, be32(w.images)), w.meta.Put(metaComponents, be32(w.components)), w.meta.Put(metaFamilies, be32(w.families)))
}
