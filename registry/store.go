package registry

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"sync"
	"time"

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
const StoreVersion = 2

var (
	bucketMeta      = []byte("meta")
	bucketComponent = []byte("component") // row → encoded component
	bucketFamily    = []byte("family")    // number → encoded family of components
	bucketFinding   = []byte("finding")   // row → findings of the component, if it has any
	bucketPosting   = []byte("posting")   // row → images that hold the component, if that is a small set
	bucketLarge     = []byte("large")     // row → images that hold the component, else
	bucketRow       = []byte("row")       // number of a component → its row, and its package URL, for people
	bucketByHash    = []byte("byhash")    // hash of a component or family → number
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

	buckets = [][]byte{bucketMeta, bucketComponent, bucketFamily, bucketFinding, bucketPosting, bucketLarge, bucketRow, bucketByHash, bucketKey, bucketImage,
		bucketDigest, bucketPending, bucketRef, bucketRefOf, bucketEvent, bucketCursor, bucketManifest, bucketFailed, bucketSource}

	metaVersion    = []byte("version")
	metaGeneration = []byte("generation")
	metaLive       = []byte("live") // bitmap of the images that a reference leads to
	metaImages     = []byte("images")
	metaComponents = []byte("components")
	metaFamilies   = []byte("families")
	metaEpoch      = []byte("epoch") // evaluations that changed the generation
)

// OpenStore opens or makes a store. A file that another process has open is
// waited for until the context ends. One of an older version of this package is
// written anew, in a file beside it, which takes its place once it is complete;
// one of a newer version is refused with [errors.ErrUnsupported].
func OpenStore(ctx context.Context, path string) (*Store, error) {
	timeout := 365 * 24 * time.Hour
	if deadline, ok := ctx.Deadline(); ok {
		timeout = time.Until(deadline)
	}
	for {
		s, err := openFile(path, max(timeout, time.Millisecond))
		if err != nil {
			return nil, fmt.Errorf("open store %s: %w", path, err)
		}
		if s != nil {
			return s, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("open store %s: %w", path, err)
		}
	}
}

// openFile opens the file at a path; nil means that there is another one by now.
func openFile(path string, timeout time.Duration) (*Store, error) {
	if err := checkFile(path); err != nil {
		return nil, err
	}
	var opened fs.FileInfo
	db, err := bolt.Open(path, 0o600, &bolt.Options{
		Timeout: timeout, FreelistType: bolt.FreelistMapType,
		OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
			f, err := os.OpenFile(name, flag, mode)
			if err == nil {
				opened, err = f.Stat()
			}
			return f, err
		},
	})
	if err != nil {
		return nil, err
	}
	// Who had it before may have migrated it.
	if now, err := os.Stat(path); err != nil || !os.SameFile(now, opened) {
		return nil, errors.Join(err, db.Close())
	}
	s := &Store{db: db}
	version, err := s.version()
	switch {
	case err != nil:
	case version == StoreVersion:
		return s, nil
	case version == 0:
		if err = s.prepare(); err == nil {
			return s, nil
		}
	case version == StoreVersion-1:
		if err = migrate(db, path); err != nil {
			err = fmt.Errorf("migrate from version %d: %w", version, err)
		}
	default:
		err = fmt.Errorf("version %d, and this program knows %d: %w: use the program that wrote it, or a new file", version, StoreVersion, errors.ErrUnsupported)
	}
	return nil, errors.Join(err, db.Close())
}

// version is that of the file; 0 if it is new.
func (s *Store) version() (n uint32, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if meta == nil {
			return nil
		}
		v := meta.Get(metaVersion)
		if len(v) != 4 {
			return fmt.Errorf("%w: no version: not a store of this package", boltseal.ErrMalformed)
		}
		n = binary.BigEndian.Uint32(v)
		return nil
	})
	return n, err
}

// prepare makes what a new file lacks.
func (s *Store) prepare() error {
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
