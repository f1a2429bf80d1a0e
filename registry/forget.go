package registry

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/opencontainers/go-digest"
	bolt "go.etcd.io/bbolt"
)

// Forget removes the images that no reference has led to since a time, and the
// references themselves. It returns how many images went.
func (s *Store) Forget(since time.Time) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.db.Update(func(tx *bolt.Tx) error {
		live, err := liveImages(tx)
		if err != nil {
			return err
		}
		refs, images := tx.Bucket(bucketRef), tx.Bucket(bucketImage)
		kept := map[uint32]bool{} // by a reference that went not long ago
		named := map[digest.Digest]bool{}
		var old [][]byte
		for k, v := range each(refs) {
			r, err := decodeReference(v)
			if err != nil {
				return err
			}
			if r.gone && r.seen.Before(since) {
				old = append(old, slices.Clone(k))
				continue
			}
			named[r.digest] = true
			for _, o := range r.ordinals {
				kept[o] = true
			}
		}
		type gone struct {
			key []byte
			img *image
		}
		var list []gone
		for k, v := range each(images) {
			o := binary.BigEndian.Uint32(k)
			if live.Contains(o) || kept[o] {
				continue
			}
			m, err := decodeImage(v)
			if err != nil {
				return err
			}
			if m.added.Before(since) {
				list = append(list, gone{slices.Clone(k), m})
			}
		}
		if len(list)+len(old) == 0 {
			return errUnchanged
		}
		lost := map[uint32][]uint32{}
		for _, g := range list {
			for _, c := range g.img.components() {
				lost[c] = append(lost[c], binary.BigEndian.Uint32(g.key))
			}
			if err := errors.Join(images.Delete(g.key), tx.Bucket(bucketDigest).Delete(digestKey(g.img.digest)), tx.Bucket(bucketPending).Delete(g.key)); err != nil {
				return err
			}
		}
		for _, k := range old {
			if err := refs.Delete(k); err != nil {
				return err
			}
		}
		if err := removePostings(tx, lost); err != nil {
			return err
		}
		n = len(list)
		return forgetManifests(tx, named)
	})
	if err != nil && err != errUnchanged {
		return 0, fmt.Errorf("forget images: %w", err)
	}
	return n, nil
}

// removePostings removes images from the postings of components.
func removePostings(tx *bolt.Tx, lost map[uint32][]uint32) error {
	rows := make([][]byte, 0, len(lost))
	for _, c := range sortedKeys(lost) {
		row, _, err := address(tx.Bucket(bucketRow), c)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, bytes.Compare) // in the order of the file
	p := newPostings(tx)
	for _, row := range rows {
		set, err := p.own(row)
		if err != nil {
			return err
		}
		set.AndNot(roaring.BitmapOf(lost[numberOf(row)]...))
		if _, err := p.put(row, set); err != nil {
			return err
		}
	}
	return nil
}

// forgetManifests removes what is known of manifests that neither a reference
// names nor an image in the store came from, and the failures of images that no
// manifest leads to.
func forgetManifests(tx *bolt.Tx, named map[digest.Digest]bool) error {
	manifests, digests, failed := tx.Bucket(bucketManifest), tx.Bucket(bucketDigest), tx.Bucket(bucketFailed)
	var old [][]byte
	wanted := map[string]bool{}
	for k, v := range each(manifests) {
		dec := decoder{rest: v}
		children := dec.strings()
		if err := dec.err("manifest"); err != nil {
			return err
		}
		if named[digest.Digest(k)] || slices.ContainsFunc(children, func(c string) bool { return digests.Get(digestKey(digest.Digest(c))) != nil }) {
			for _, c := range children {
				wanted[c] = true
			}
			continue
		}
		old = append(old, slices.Clone(k))
	}
	for _, k := range old {
		if err := manifests.Delete(k); err != nil {
			return err
		}
	}
	old = old[:0]
	for k := range each(failed) {
		if !wanted[string(k)] {
			old = append(old, slices.Clone(k))
		}
	}
	for _, k := range old {
		if err := failed.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// TrimEvents removes the events from before a time that all sinks have
// confirmed. It returns how many.
func (s *Store) TrimEvents(before time.Time) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.db.Update(func(tx *bolt.Tx) error {
		events := tx.Bucket(bucketEvent)
		seen := uint64(math.MaxUint64)
		for _, v := range each(tx.Bucket(bucketCursor)) {
			seen = min(seen, binary.BigEndian.Uint64(v))
		}
		var old [][]byte
		for k, v := range each(events) {
			sequence := binary.BigEndian.Uint64(k)
			e, err := decodeEvent(sequence, v)
			if err != nil {
				return err
			}
			if sequence > seen || !e.Time.Before(before) {
				break
			}
			old = append(old, slices.Clone(k))
		}
		for _, k := range old {
			if err := events.Delete(k); err != nil {
				return err
			}
		}
		if n = len(old); n == 0 {
			return errUnchanged
		}
		return nil
	})
	if err != nil && err != errUnchanged {
		return 0, fmt.Errorf("trim events: %w", err)
	}
	return n, nil
}

// Compact writes the store into a new file at path, without the room that
// deleted things left, while the store stays in use. What is written to the
// store meanwhile is not in it.
func (s *Store) Compact(ctx context.Context, path string) error {
	dst, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second, NoSync: true})
	if err != nil {
		return fmt.Errorf("compact store: %w", err)
	}
	err = bolt.Compact(dst, s.db, 64<<20)
	if err == nil {
		err = errors.Join(ctx.Err(), dst.Sync())
	}
	if err = errors.Join(err, dst.Close()); err != nil {
		return fmt.Errorf("compact store to %s: %w", path, err)
	}
	return nil
}
