package registry

import (
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
	bolt "go.etcd.io/bbolt"

	"github.com/boltseal/boltseal"
)

// Inventory is what an image holds.
type Inventory struct {
	// Packages are those of the image. Of their locations, the layer of the first
	// is kept.
	Packages []boltseal.Package
	Platform string // os/arch[/variant]
	// Incomplete says what could not be read; empty if all was. What is not
	// known about is not clean.
	Incomplete string
	// Team is who answers for the image, as a label of its configuration may
	// say; empty if nobody is known to. Of a long one, the first 200 bytes are
	// kept.
	Team string
}

const maxTeam = 200

// image is what the store has of one.
type image struct {
	digest     digest.Digest
	added      time.Time
	platform   string
	incomplete string
	team       string
	layers     []layer
}

// layer is what one layer of an image brought.
type layer struct {
	diffID     string   // empty if it is not known
	components []uint32 // ascending
}

// components returns the numbers of all, ascending.
func (m *image) components() []uint32 {
	if len(m.layers) == 1 {
		return m.layers[0].components
	}
	var list []uint32
	for _, l := range m.layers {
		list = append(list, l.components...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// encodeImage writes an image, and sorts what its layers hold.
func encodeImage(m *image) []byte {
	var e encoder
	e.digest(string(m.digest))
	e.uint(uint64(m.added.Unix()))
	e.string(m.platform)
	e.string(m.incomplete)
	e.string(m.team)
	e.uint(uint64(len(m.layers)))
	for i := range m.layers {
		l := &m.layers[i]
		slices.Sort(l.components)
		l.components = slices.Compact(l.components)
		e.digest(l.diffID)
		e.ascending(l.components)
	}
	return e
}

// decodeImageHead reads all of an image but what it holds.
func decodeImageHead(b []byte) (*image, decoder, error) {
	d := decoder{rest: b}
	m := &image{digest: digest.Digest(d.digest()), added: time.Unix(int64(d.uint()), 0).UTC(), platform: d.string(), incomplete: d.string(), team: d.string()}
	return m, d, d.err("image")
}

func decodeImage(b []byte) (*image, error) {
	m, d, err := decodeImageHead(b)
	if err != nil {
		return nil, err
	}
	m.layers = make([]layer, 0, d.count(2))
	for range cap(m.layers) {
		m.layers = append(m.layers, layer{diffID: d.digest(), components: d.ascending()})
	}
	return m, d.err("image")
}

// imageAt returns the image of an ordinal, nil if it was forgotten.
func imageAt(images *bolt.Bucket, ordinal []byte) (*image, error) {
	raw := images.Get(ordinal)
	if raw == nil {
		return nil, nil
	}
	return decodeImage(raw)
}

// Has reports whether an image is in the store.
func (s *Store) Has(d digest.Digest) (has bool, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		has = tx.Bucket(bucketDigest).Get(digestKey(d)) != nil
		return nil
	})
	return has, err
}

// digestKey is what an image is looked up by.
func digestKey(d digest.Digest) []byte {
	var e encoder
	e.digest(string(d))
	return e
}
