package registry

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	bolt "go.etcd.io/bbolt"
)

// manifest returns the images that a known manifest leads to.
func (s *Store) manifest(d digest.Digest) (children []digest.Digest, ok bool, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		raw := tx.Bucket(bucketManifest).Get([]byte(d))
		if ok = raw != nil; !ok {
			return nil
		}
		dec := decoder{rest: raw}
		for _, c := range dec.strings() {
			children = append(children, digest.Digest(c))
		}
		return dec.err("manifest")
	})
	return children, ok, err
}

func (s *Store) putManifest(d digest.Digest, children []digest.Digest) error {
	list := make([]string, 0, len(children))
	for _, c := range children {
		list = append(list, string(c))
	}
	var e encoder
	e.strings(list)
	return s.db.Batch(func(tx *bolt.Tx) error { return tx.Bucket(bucketManifest).Put([]byte(d), e) })
}

// failures returns how often an image could not be analysed.
func (s *Store) failures(d digest.Digest) (n int, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		dec := decoder{rest: tx.Bucket(bucketFailed).Get([]byte(d))}
		n = int(dec.uint())
		return dec.err("failures of an image")
	})
	return n, err
}

// fail counts a failed analysis, keeps its reason, and leaves an event.
func (s *Store) fail(d digest.Digest, ref string, why error, at time.Time) error {
	return s.db.Batch(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketFailed)
		dec := decoder{rest: b.Get([]byte(d))}
		n := dec.uint() + 1
		var e encoder
		e.uint(n)
		e.string(ref)
		e.string(clip(why.Error(), 2000))
		return errors.Join(b.Put([]byte(d), e), emit(tx, &Event{
			Type: ScanFailed, Time: at, Reference: ref, Digest: d, Why: fmt.Sprintf("try %d of %d: %s", n, maxTries, clip(why.Error(), 2000)), epoch: n,
		}))
	})
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// Failure is an image that could not be analysed.
type Failure struct {
	Digest digest.Digest
	Name   string // as it was read
	Tries  int
	Why    string // the last time
}

// Failures returns the images that could not be analysed, in order of their digests.
func (s *Store) Failures() (list []Failure, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		for k, v := range each(tx.Bucket(bucketFailed)) {
			if tx.Bucket(bucketDigest).Get(digestKey(digest.Digest(k))) != nil {
				continue // it went well later
			}
			dec := decoder{rest: v}
			list = append(list, Failure{Digest: digest.Digest(k), Tries: int(dec.uint()), Name: dec.string(), Why: dec.string()})
			if err := dec.err("failures of an image"); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// Retry forgets that images could not be analysed: after a change of the
// analyzers, say. It returns how many there were.
func (s *Store) Retry() (n int, err error) {
	err = s.db.Update(func(tx *bolt.Tx) error {
		n = tx.Bucket(bucketFailed).Stats().KeyN
		if err := tx.DeleteBucket(bucketFailed); err != nil {
			return err
		}
		_, err := tx.CreateBucket(bucketFailed)
		return err
	})
	return n, err
}

// reachable notes whether a source could be listed, and leaves an event when
// it can no longer.
func (s *Store) reachable(host string, failure error, at time.Time) error {
	return s.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketSource)
		dec := decoder{rest: b.Get([]byte(host))}
		down, outages := dec.uint() == 1, dec.uint()
		if down == (failure != nil) {
			return nil
		}
		var e encoder
		if failure == nil {
			e.uint(0)
			e.uint(outages)
			return b.Put([]byte(host), e)
		}
		e.uint(1)
		e.uint(outages + 1)
		return errors.Join(b.Put([]byte(host), e), emit(tx, &Event{Type: SourceUnreachable, Time: at, Reference: host, Why: clip(failure.Error(), 2000), epoch: outages}))
	})
}

// repositories returns the names, with their hosts, of those that have
// references which are not gone, below a prefix.
func (s *Store) repositories(prefix string) (names []string, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(bucketRef).Cursor()
		for k, v := c.Seek([]byte(prefix)); k != nil && strings.HasPrefix(string(k), prefix); {
			r, err := decodeReference(v)
			if err != nil {
				return err
			}
			if r.gone {
				k, v = c.Next()
				continue
			}
			name := string(k[:strings.LastIndexByte(string(k), ':')])
			names = append(names, name)
			k, v = c.Seek([]byte(name + ";")) // the first behind name + ":"
		}
		return nil
	})
	return names, err
}
