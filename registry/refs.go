package registry

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	bolt "go.etcd.io/bbolt"

	"github.com/boltseal/boltseal"
)

// Reference is a tag, and where it leads.
type Reference struct {
	Name   string // host/repository:tag
	Digest digest.Digest
	// Images are the digests of what can run: the image itself, or the children
	// of an index, one for each platform. Empty if it is neither, or could not
	// be analysed.
	Images []digest.Digest
	// FirstSeen is when the tag was first seen to lead here, Seen when last.
	FirstSeen, Seen time.Time
	// Gone is set once two complete listings did not have it.
	Gone bool
}

// reference is the stored form.
type reference struct {
	digest    digest.Digest
	ordinals  []uint32
	firstSeen time.Time
	seen      time.Time
	missed    uint64 // complete listings without it, in a row
	changes   uint64 // how often it led elsewhere, went or came back
	gone      bool
}

const missesToGo = 2

func encodeReference(r *reference) []byte {
	var e encoder
	e.string(string(r.digest))
	e.ascending(r.ordinals)
	e.uint(uint64(r.firstSeen.Unix()))
	e.uint(uint64(r.seen.Unix()))
	e.uint(r.missed)
	e.uint(r.changes)
	gone := uint64(0)
	if r.gone {
		gone = 1
	}
	e.uint(gone)
	return e
}

func decodeReference(b []byte) (*reference, error) {
	d := decoder{rest: b}
	r := &reference{digest: digest.Digest(d.string()), ordinals: d.ascending(), firstSeen: time.Unix(int64(d.uint()), 0).UTC(), seen: time.Unix(int64(d.uint()), 0).UTC(), missed: d.uint(), changes: d.uint(), gone: d.uint() == 1}
	return r, d.err("reference")
}

// Listing is what a registry said of one repository.
type Listing struct {
	Repository string // host/repository
	// Tags are those found, by name. Their images must be in the store, or be
	// left out.
	Tags map[string]Listed
	// Complete is set if the registry was heard to the end: only then is a tag
	// that is not in it counted as missing.
	Complete bool
	At       time.Time
}

// Listed is one tag of a [Listing].
type Listed struct {
	Digest digest.Digest
	Images []digest.Digest
}

// Apply takes in a listing of a repository, and leaves an event for each
// reference that is new, leads elsewhere, came back or is gone. It is done
// completely or not at all. What a listing repeats costs little.
func (s *Store) Apply(l Listing) (events int, err error) {
	if l.Repository == "" || strings.ContainsAny(l.Repository, ":@") && !strings.Contains(l.Repository, "/") {
		return 0, fmt.Errorf("listing of %q: %w: host/repository is meant", l.Repository, boltseal.ErrMalformed)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.db.Update(func(tx *bolt.Tx) error {
		a := &applier{tx: tx, refs: tx.Bucket(bucketRef), refOf: tx.Bucket(bucketRefOf), digests: tx.Bucket(bucketDigest), at: l.At}
		for _, tag := range sortedKeys(l.Tags) {
			if err := a.seen(l.Repository+":"+tag, l.Tags[tag]); err != nil {
				return err
			}
		}
		if l.Complete {
			if err := a.missing(l.Repository+":", l.Tags); err != nil {
				return err
			}
		}
		events = a.events
		if !a.wrote {
			return errUnchanged
		}
		return a.live()
	})
	if err != nil && err != errUnchanged {
		return 0, fmt.Errorf("apply listing of %s: %w", l.Repository, err)
	}
	return events, nil
}

// errUnchanged ends a transaction that has nothing to keep: it costs no sync.
var errUnchanged = errors.New("unchanged")

// applier changes references in one transaction.
type applier struct {
	tx                   *bolt.Tx
	refs, refOf, digests *bolt.Bucket
	at                   time.Time
	events               int
	wrote                bool
	touched              map[uint32]bool // images that a reference was added to or taken from
}

func (a *applier) emit(e *Event) error {
	a.events++
	e.Time, e.Generation = a.at, string(a.tx.Bucket(bucketMeta).Get(metaGeneration))
	return emit(a.tx, e)
}

func (a *applier) put(name string, r *reference) error {
	a.wrote = true
	return a.refs.Put([]byte(name), encodeReference(r))
}

func (a *applier) seen(name string, l Listed) error {
	var ordinals []uint32
	for _, d := range l.Images {
		if b := a.digests.Get(digestKey(d)); len(b) == 4 {
			ordinals = append(ordinals, binary.BigEndian.Uint32(b))
		}
	}
	slices.Sort(ordinals)
	ordinals = slices.Compact(ordinals)
	raw := a.refs.Get([]byte(name))
	if raw == nil {
		r := &reference{digest: l.Digest, ordinals: ordinals, firstSeen: a.at, seen: a.at}
		if err := a.link(name, nil, ordinals); err != nil {
			return err
		}
		if err := a.emit(&Event{Type: ImageNew, Reference: name, Digest: l.Digest}); err != nil {
			return err
		}
		return a.put(name, r)
	}
	r, err := decodeReference(raw)
	if err != nil {
		return err
	}
	moved := r.digest != l.Digest
	switch {
	case r.gone:
		r.gone = false
		r.changes++
		if moved {
			r.firstSeen = a.at
		}
		err = a.emit(&Event{Type: ImageReturned, Reference: name, Digest: l.Digest, Was: r.digest, epoch: r.changes})
	case moved:
		r.changes++
		r.firstSeen = a.at
		err = a.emit(&Event{Type: ImageRetagged, Reference: name, Digest: l.Digest, Was: r.digest, epoch: r.changes})
	case slices.Equal(r.ordinals, ordinals) && r.missed == 0 && a.at.Sub(r.seen) < time.Hour:
		return nil // nothing worth a write
	}
	if err != nil {
		return err
	}
	if err := a.link(name, r.ordinals, ordinals); err != nil {
		return err
	}
	r.digest, r.ordinals, r.missed, r.seen = l.Digest, ordinals, 0, a.at
	return a.put(name, r)
}

// missing counts the references below a prefix that a complete listing did not have.
func (a *applier) missing(prefix string, tags map[string]Listed) error {
	type change struct {
		name string
		ref  *reference
	}
	var changes []change
	c := a.refs.Cursor()
	for k, v := c.Seek([]byte(prefix)); k != nil && strings.HasPrefix(string(k), prefix); k, v = c.Next() {
		name := string(k)
		if _, ok := tags[strings.TrimPrefix(name, prefix)]; ok {
			continue
		}
		r, err := decodeReference(v)
		if err != nil {
			return err
		}
		if !r.gone {
			changes = append(changes, change{name, r})
		}
	}
	for _, ch := range changes { // a bucket must not change under its cursor
		if ch.ref.missed++; ch.ref.missed >= missesToGo {
			ch.ref.gone = true
			ch.ref.changes++
			if err := a.link(ch.name, ch.ref.ordinals, nil); err != nil {
				return err
			}
			if err := a.emit(&Event{Type: ImageGone, Reference: ch.name, Was: ch.ref.digest, epoch: ch.ref.changes}); err != nil {
				return err
			}
		}
		if err := a.put(ch.name, ch.ref); err != nil {
			return err
		}
	}
	return nil
}

// link moves a reference from some images to others.
func (a *applier) link(name string, from, to []uint32) error {
	if a.touched == nil {
		a.touched = map[uint32]bool{}
	}
	for _, n := range from {
		if slices.Contains(to, n) {
			continue
		}
		a.touched[n] = true
		if err := a.refOf.Delete(refEntry(n, name)); err != nil {
			return err
		}
	}
	for _, n := range to {
		a.touched[n] = true
		if err := a.refOf.Put(refEntry(n, name), nil); err != nil {
			return err
		}
	}
	return nil
}

func refEntry(ordinal uint32, name string) []byte { return append(be32(ordinal), name...) }

// live brings the set of images that something leads to up to date.
func (a *applier) live() error {
	if len(a.touched) == 0 {
		return nil
	}
	set, err := liveImages(a.tx)
	if err != nil {
		return err
	}
	for n := range a.touched {
		if k, _ := a.refOf.Cursor().Seek(be32(n)); len(k) > 4 && binary.BigEndian.Uint32(k) == n {
			set.Add(n)
		} else {
			set.Remove(n)
		}
	}
	raw, err := set.MarshalBinary()
	if err != nil {
		return err
	}
	return a.tx.Bucket(bucketMeta).Put(metaLive, raw)
}
