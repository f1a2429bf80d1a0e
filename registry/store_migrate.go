package registry

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
	bolt "go.etcd.io/bbolt"

	"github.com/boltseal/boltseal"
)

// migrate writes a store of the version before into a new file beside it, and
// puts that in its place once it is complete and on the disk: until then, the
// old one is what it was.
//
// Version 1 had a component's findings in its row and repeated what families
// share, named digests in hexadecimal, did not tell the layers of an image
// apart, and had all postings in one bucket.
func migrate(old *bolt.DB, path string) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	beside := path + ".migrating"
	if err := os.Remove(beside); err != nil && !errors.Is(err, os.ErrNotExist) { // of a migration that was broken off
		return err
	}
	db, err := bolt.Open(beside, 0o600, &bolt.Options{Timeout: time.Second, NoSync: true})
	if err != nil {
		return err
	}
	s := &Store{db: db}
	if err = s.prepare(); err == nil {
		err = old.View(func(from *bolt.Tx) error { return migrateAll(from, db) })
	}
	if err == nil {
		err = db.Sync()
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return errors.Join(err, os.Remove(beside))
	}
	if err := os.Rename(beside, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func migrateAll(from *bolt.Tx, to *bolt.DB) error {
	for _, step := range []struct {
		bucket []byte
		entry  func(w *writer, to *bolt.Tx, k, v []byte) error // nil copies
	}{
		{bucketMeta, migrateMeta}, {bucketRow, nil}, {bucketByHash, nil}, {bucketKey, nil}, {bucketPending, nil}, {bucketRef, nil}, {bucketRefOf, nil},
		{bucketEvent, nil}, {bucketCursor, nil}, {bucketManifest, nil}, {bucketFailed, nil}, {bucketSource, nil},
		{bucketComponent, migrateComponent}, {bucketImage, migrateImage}, {bucketPosting, migratePosting},
	} {
		b := from.Bucket(step.bucket)
		if b == nil {
			return fmt.Errorf("%w: no bucket %s", boltseal.ErrMalformed, step.bucket)
		}
		c := b.Cursor()
		for k, v := c.First(); ; {
			err := to.Update(func(tx *bolt.Tx) error {
				w := newWriter(tx, nil)
				copied := tx.Bucket(step.bucket)
				copied.FillPercent = appended
				for n := 0; k != nil && n < 10_000; k, v = c.Next() {
					n++
					var err error
					if step.entry != nil {
						err = step.entry(w, tx, k, v)
					} else {
						err = copied.Put(k, v)
					}
					if err != nil {
						return err
					}
				}
				return errors.Join(copied.SetSequence(b.Sequence()), w.meta.Put(metaFamilies, be32(w.families)))
			})
			if err != nil {
				return err
			}
			if k == nil {
				break
			}
		}
	}
	return nil
}

func migrateMeta(w *writer, _ *bolt.Tx, k, v []byte) error {
	if slices.Equal(k, metaVersion) {
		return nil
	}
	return w.meta.Put(k, v)
}

func migrateComponent(w *writer, _ *bolt.Tx, row, v []byte) error {
	d := decoder{rest: v}
	c := decoder{rest: d.bytes()}
	findings := d.rest
	p := &boltseal.Package{}
	c.bad = d.bad || len(row) < 5 || c.uint() != 1
	for _, f := range []*string{&p.Type, &p.Namespace, &p.Name, &p.Version, &p.Arch, &p.Source.Name, &p.Source.Version, &p.Module, &p.Vendor} {
		*f = c.string()
	}
	p.State, p.OwnedBy, p.Distro = boltseal.State(c.uint()), c.string(), c.distro()
	if err := c.err("component"); err != nil {
		return err
	}
	family, err := w.familyOf(p)
	if err != nil {
		return err
	}
	list, err := decodeStates(findings)
	if err != nil {
		return err
	}
	if len(list) > 0 {
		if err := w.finding.Put(row, findings); err != nil {
			return err
		}
	}
	return w.component.Put(row, encodeMember(family, string(row[:len(row)-5]), p))
}

func migrateImage(w *writer, _ *bolt.Tx, k, v []byte) error {
	d := decoder{rest: v}
	m := &image{digest: digest.Digest(d.string()), added: time.Unix(int64(d.uint()), 0), platform: d.string(), incomplete: d.string()}
	if list := d.ascending(); len(list) > 0 {
		m.layers = []layer{{components: list}}
	}
	if err := d.err("image"); err != nil {
		return err
	}
	return errors.Join(w.img.Put(k, encodeImage(m)), w.ofDigest.Put(digestKey(m.digest), k))
}

func migratePosting(_ *writer, tx *bolt.Tx, row, v []byte) error {
	p := newPostings(tx)
	if len(v) > largePosting {
		return p.large.Put(row, v)
	}
	return p.small.Put(row, v)
}

// syncDir has the names in a directory on the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
