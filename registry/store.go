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
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/opencontainers/go-digest"
	bolt "go.etcd.io/bbolt"

	"github.com/boltseal/boltseal"
)

// Matcher is one generation of an advisory database, as a [Store] asks it.
type Matcher interface {
	// Generation names the database's content: equal names mean equal answers.
	Generation() string
	// Keys are the names by which advisories may speak of a package.
	Keys(p *boltseal.Package) []string
	// Match returns the package's findings, each rule once. It is called from
	// many goroutines.
	Match(p *boltseal.Package) []boltseal.Finding
	// Changed yields the keys whose matches may differ from another
	// generation's. It returns nil if it cannot tell: then every package is
	// matched again.
	Changed(since string) iter.Seq[string]
}

// Inventory is what an image holds.
type Inventory struct {
	Packages []boltseal.Package
	Platform string // os/arch[/variant]
	// Incomplete says what could not be read; empty if all was. What is not
	// known about is not clean.
	Incomplete string
}

// Store remembers what images hold and which advisories concern them, in one
// file that survives the loss of power at any moment. It answers what a new
// generation of advisories changes at a cost that follows the change, not the
// fleet: an inverted index leads from a package to the images that hold it.
//
// A Store is safe for concurrent use; one process has it at a time.
type Store struct {
	db *bolt.DB
	mu sync.Mutex // held by who writes more than one transaction's worth
}

// StoreVersion is the version of the file's layout that this package writes.
const StoreVersion = 1

var (
	bucketMeta      = []byte("meta")
	bucketComponent = []byte("component") // row → encoded component, and its findings
	bucketPosting   = []byte("posting")   // row → images that hold the component
	bucketRow       = []byte("row")       // number of a component → its row, and its package URL, for people
	bucketByHash    = []byte("byhash")    // hash of an encoded component → number
	bucketKey       = []byte("key")       // key, 0, number → nothing: for all keys of a component but the first
	bucketImage     = []byte("image")     // ordinal → encoded image
	bucketDigest    = []byte("digest")    // digest → ordinal
	bucketPending   = []byte("pending")   // ordinal → nothing: not in the postings yet
	bucketRef       = []byte("ref")       // host/repo:tag → encoded reference
	bucketRefOf     = []byte("refof")     // ordinal, name of a reference → nothing
	bucketEvent     = []byte("event")     // sequence → encoded event
	bucketCursor    = []byte("cursor")    // sink → sequence of the last event it has

	bucketManifest = []byte("manifest") // digest → digests of the images it leads to
	bucketFailed   = []byte("failed")   // digest → tries, name, reason
	bucketSource   = []byte("source")   // host → whether it is down, and how often it was

	buckets = [][]byte{bucketMeta, bucketComponent, bucketPosting, bucketRow, bucketByHash, bucketKey, bucketImage,
		bucketDigest, bucketPending, bucketRef, bucketRefOf, bucketEvent, bucketCursor, bucketManifest, bucketFailed, bucketSource}

	metaVersion    = []byte("version")
	metaGeneration = []byte("generation")
	metaLive       = []byte("live") // bitmap of the images that a reference leads to
	metaImages     = []byte("images")
	metaComponents = []byte("components")
	metaEpoch      = []byte("epoch") // evaluations that changed the generation
)

// OpenStore opens or makes a store. A file that another process has open is
// waited for until the context ends. A file of a newer version of this package
// is refused with [errors.ErrUnsupported].
func OpenStore(ctx context.Context, path string) (*Store, error) {
	timeout := 365 * 24 * time.Hour
	if deadline, ok := ctx.Deadline(); ok {
		timeout = time.Until(deadline)
	}
	if err := checkFile(path); err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: max(timeout, time.Millisecond), FreelistType: bolt.FreelistMapType})
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	s := &Store{db: db}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, err), db.Close())
	}
	return s, nil
}

// prepare checks the file's version, and makes what a new file lacks.
func (s *Store) prepare() error {
	ready := false
	err := s.db.View(func(tx *bolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if meta == nil {
			return nil
		}
		v := meta.Get(metaVersion)
		if len(v) != 4 {
			return fmt.Errorf("%w: no version: not a store of this package", boltseal.ErrMalformed)
		}
		if n := binary.BigEndian.Uint32(v); n != StoreVersion {
			return fmt.Errorf("version %d, and this program knows %d: %w: use the program that wrote it, or a new file", n, StoreVersion, errors.ErrUnsupported)
		}
		ready = true
		return nil
	})
	if err != nil || ready {
		return err
	}
	return s.db.Update(func(tx *bolt.Tx) error {
		for _, name := range buckets {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketMeta).Put(metaVersion, be32(StoreVersion))
	})
}

// Close closes the file. No other call may be under way.
func (s *Store) Close() error { return s.db.Close() }

// Generation is that of the advisories the store was last evaluated with; empty
// before the first.
func (s *Store) Generation() (g string, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		g = string(tx.Bucket(bucketMeta).Get(metaGeneration))
		return nil
	})
	return g, err
}

// image is what the store has of one.
type image struct {
	digest     digest.Digest
	added      time.Time
	platform   string
	incomplete string
	components []uint32 // ascending
}

func encodeImage(m *image) []byte {
	var e encoder
	e.string(string(m.digest))
	e.uint(uint64(m.added.Unix()))
	e.string(m.platform)
	e.string(m.incomplete)
	e.ascending(m.components)
	return e
}

func decodeImage(b []byte) (*image, error) {
	d := decoder{rest: b}
	m := &image{digest: digest.Digest(d.string()), added: time.Unix(int64(d.uint()), 0).UTC(), platform: d.string(), incomplete: d.string(), components: d.ascending()}
	return m, d.err("image")
}

// Has reports whether an image is in the store.
func (s *Store) Has(d digest.Digest) (has bool, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		has = tx.Bucket(bucketDigest).Get([]byte(d)) != nil
		return nil
	})
	return has, err
}

// Put adds an image, durably, and reports false if it was there already: of
// several who analysed the same digest, one is the first. The matcher must be of
// the generation that the store was last evaluated with; a new store takes any.
func (s *Store) Put(d digest.Digest, inv Inventory, m Matcher) (added bool, err error) {
	n, err := s.PutAll([]digest.Digest{d}, []Inventory{inv}, m)
	return n == 1, err
}

// PutAll adds many images in one transaction, and returns how many were new.
func (s *Store) PutAll(digests []digest.Digest, invs []Inventory, m Matcher) (added int, err error) {
	if len(digests) != len(invs) {
		return 0, fmt.Errorf("%d digests and %d inventories: %w", len(digests), len(invs), boltseal.ErrMalformed)
	}
	for _, d := range digests {
		if err := d.Validate(); err != nil {
			return 0, fmt.Errorf("image %.100q: %w: %w", d, boltseal.ErrMalformed, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.db.Update(func(tx *bolt.Tx) error {
		w := newWriter(tx)
		if err := w.generation(m); err != nil {
			return err
		}
		added = 0
		for i, d := range digests {
			ok, err := w.image(d, &invs[i], m)
			if err != nil {
				return err
			}
			if ok {
				added++
			}
		}
		return w.finish()
	})
	if err != nil {
		return 0, fmt.Errorf("add image to store: %w", err)
	}
	return added, nil
}

// writer adds images in one transaction.
type writer struct {
	meta, component, row, byHash, key, img, ofDigest, pending *bolt.Bucket
	images, components                                        uint32 // numbers given so far
}

func newWriter(tx *bolt.Tx) *writer {
	w := &writer{
		meta: tx.Bucket(bucketMeta), component: tx.Bucket(bucketComponent), row: tx.Bucket(bucketRow), byHash: tx.Bucket(bucketByHash),
		key: tx.Bucket(bucketKey), img: tx.Bucket(bucketImage), ofDigest: tx.Bucket(bucketDigest), pending: tx.Bucket(bucketPending),
	}
	w.images, w.components = counter(w.meta, metaImages), counter(w.meta, metaComponents)
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
	if w.ofDigest.Get([]byte(d)) != nil {
		return false, nil
	}
	rec := &image{digest: d, added: time.Now(), platform: inv.Platform, incomplete: inv.Incomplete}
	for i := range inv.Packages {
		n, err := w.number(&inv.Packages[i], m)
		if err != nil {
			return false, err
		}
		rec.components = append(rec.components, n)
	}
	slices.Sort(rec.components)
	rec.components = slices.Compact(rec.components)
	ordinal := be32(w.images)
	w.images++
	return true, errors.Join(w.img.Put(ordinal, encodeImage(rec)), w.ofDigest.Put([]byte(d), ordinal), w.pending.Put(ordinal, nil))
}

// number returns a component's number. A new one is matched.
func (w *writer) number(p *boltseal.Package, m Matcher) (uint32, error) {
	encoded := encodeComponent(p)
	hash := componentKey(encoded)
	if b := w.byHash.Get(hash); len(b) == 4 {
		return binary.BigEndian.Uint32(b), nil
	}
	n := w.components
	w.components++
	first := ""
	for i, k := range m.Keys(p) {
		if i == 0 {
			first = k
		} else if err := w.key.Put(rowOf(k, n), nil); err != nil {
			return 0, err
		}
	}
	row := rowOf(first, n)
	return n, errors.Join(w.component.Put(row, encodeRow(encoded, statesOf(m, p))), w.row.Put(be32(n), encodeAddress(row, p.PURL)), w.byHash.Put(hash, be32(n)))
}

// rowOf is where a component stands: all versions of a package next to each
// other, so that what one advisory speaks of lies on few pages of the file.
func rowOf(key string, n uint32) []byte {
	b := append(make([]byte, 0, len(key)+5), key...)
	return binary.BigEndian.AppendUint32(append(b, 0), n)
}

func numberOf(row []byte) uint32 { return binary.BigEndian.Uint32(row[len(row)-4:]) }

// encodeAddress is what leads from a component's number to its row.
func encodeAddress(row []byte, purl string) []byte {
	var e encoder
	e.string(string(row))
	e.string(purl)
	return e
}

// address returns a component's row, and its package URL. Both are valid as long
// as the transaction.
func address(rows *bolt.Bucket, n uint32) (row, purl []byte, err error) {
	d := decoder{rest: rows.Get(be32(n))}
	row, purl = d.bytes(), d.bytes()
	if len(row) < 5 {
		d.bad = true
	}
	return row, purl, d.err(fmt.Sprintf("component %d", n))
}

func statesOf(m Matcher, p *boltseal.Package) []state {
	found := m.Match(p)
	list := make([]state, 0, len(found))
	for i := range found {
		list = append(list, stateOf(&found[i]))
	}
	slices.SortFunc(list, func(a, b state) int { return strings.Compare(a.rule, b.rule) })
	return slices.CompactFunc(list, func(a, b state) bool { return a.rule == b.rule })
}

func (w *writer) finish() error {
	return errors.Join(w.meta.Put(metaImages, be32(w.images)), w.meta.Put(metaComponents, be32(w.components)))
}

// foldAt is how many images wait at most for the postings to be rewritten.
const foldAt = 1000

// Fold brings the images added last into the inverted index. Until then an
// evaluation looks at each of them, so it is called now and then, when little
// else is to be done: a [Monitor] does so. It returns how many there were.
func (s *Store) Fold(ctx context.Context) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := 0
	for {
		n := 0
		err := s.db.Update(func(tx *bolt.Tx) error {
			holders := map[uint32][]uint32{} // component → ordinals
			pending, images := tx.Bucket(bucketPending), tx.Bucket(bucketImage)
			var done [][]byte
			for k := range each(pending) {
				if n == foldAt {
					break
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				ordinal := binary.BigEndian.Uint32(k)
				if raw := images.Get(k); raw != nil {
					m, err := decodeImage(raw)
					if err != nil {
						return err
					}
					for _, c := range m.components {
						holders[c] = append(holders[c], ordinal)
					}
				}
				done = append(done, slices.Clone(k))
				n++
			}
			if err := addPostings(tx, holders); err != nil {
				return err
			}
			for _, k := range done {
				if err := pending.Delete(k); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return total, fmt.Errorf("fold store: %w", err)
		}
		total += n
		if n < foldAt {
			return total, nil
		}
	}
}

// addPostings adds images to the postings of components.
func addPostings(tx *bolt.Tx, holders map[uint32][]uint32) error {
	return changePostings(tx, holders, func(set *roaring.Bitmap, images []uint32) { set.AddMany(images) })
}

// changePostings changes the postings of components, in the order of their rows,
// as bbolt likes it.
func changePostings(tx *bolt.Tx, holders map[uint32][]uint32, change func(*roaring.Bitmap, []uint32)) error {
	type one struct {
		row    []byte
		images []uint32
	}
	list := make([]one, 0, len(holders))
	rows, postings := tx.Bucket(bucketRow), tx.Bucket(bucketPosting)
	for c, images := range holders {
		row, _, err := address(rows, c)
		if err != nil {
			return err
		}
		list = append(list, one{row, images})
	}
	slices.SortFunc(list, func(a, b one) int { return bytes.Compare(a.row, b.row) })
	for _, o := range list {
		set, err := posting(postings, o.row)
		if err != nil {
			return err
		}
		change(set, o.images)
		if set.IsEmpty() {
			err = postings.Delete(o.row)
		} else {
			set.RunOptimize()
			var raw []byte
			if raw, err = set.MarshalBinary(); err == nil {
				err = postings.Put(o.row, raw)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// posting reads the images that hold a component. The set is the caller's own.
func posting(postings *bolt.Bucket, row []byte) (*roaring.Bitmap, error) {
	set := roaring.New()
	raw := postings.Get(row)
	if raw == nil {
		return set, nil
	}
	if err := set.UnmarshalBinary(raw); err != nil {
		return nil, fmt.Errorf("postings of component %d: %w: %w", numberOf(row), boltseal.ErrMalformed, err)
	}
	return set, nil
}
