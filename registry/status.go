package registry

import (
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	bolt "go.etcd.io/bbolt"

	"github.com/boltseal/boltseal"
)

// ImageStatus is what is known of one image now.
type ImageStatus struct {
	Digest     digest.Digest
	Platform   string
	Added      time.Time
	Incomplete string // what could not be read of it
	Team       string
	References []string // that lead to it, in order
	Packages   int
	Findings   []boltseal.Finding // the worst first
}

// Status returns an image's findings under the store's generation of
// advisories. The error wraps [fs.ErrNotExist] if it is not in the store.
func (s *Store) Status(d digest.Digest) (st *ImageStatus, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		ordinal := tx.Bucket(bucketDigest).Get(digestKey(d))
		if ordinal == nil {
			return fs.ErrNotExist
		}
		st, err = status(tx, ordinal)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", d, err)
	}
	return st, nil
}

func status(tx *bolt.Tx, ordinal []byte) (*ImageStatus, error) {
	m, err := decodeImage(tx.Bucket(bucketImage).Get(ordinal))
	if err != nil {
		return nil, err
	}
	st := &ImageStatus{Digest: m.digest, Platform: m.platform, Added: m.added, Incomplete: m.incomplete, Team: m.team, References: referencesOf(tx, ordinal)}
	layers := map[uint32]string{}
	for _, l := range slices.Backward(m.layers) {
		for _, c := range l.components {
			layers[c] = l.diffID
		}
	}
	all := m.components()
	st.Packages = len(all)
	read := newComponents(tx)
	for _, c := range all {
		row, purl, err := address(read.row, c)
		if err != nil {
			return nil, err
		}
		p, states, err := read.at(row)
		if err != nil {
			return nil, err
		}
		p.PURL = string(purl)
		var at []boltseal.Location
		if len(states) > 0 && layers[c] != "" {
			at = []boltseal.Location{{Layer: layers[c]}}
		}
		for _, x := range states {
			st.Findings = append(st.Findings, boltseal.Finding{
				Kind: boltseal.KindVulnerability, Rule: x.rule, Title: x.title, Severity: x.severity, Score: x.score, Exploited: x.exploited,
				Package: p.PURL, Locations: at, Fixed: x.fixed, Aliases: x.aliases, Suppressed: x.suppressed,
				Fingerprint: boltseal.Fingerprint(string(boltseal.KindVulnerability), x.rule, p.Type, p.Namespace, p.Name),
			})
		}
	}
	slices.SortStableFunc(st.Findings, func(a, b boltseal.Finding) int {
		if a.Severity != b.Severity {
			return int(b.Severity) - int(a.Severity)
		}
		return strings.Compare(a.Rule, b.Rule)
	})
	return st, nil
}

func referencesOf(tx *bolt.Tx, ordinal []byte) (names []string) {
	c := tx.Bucket(bucketRefOf).Cursor()
	for k, _ := c.Seek(ordinal); len(k) > 4 && string(k[:4]) == string(ordinal); k, _ = c.Next() {
		names = append(names, string(k[4:]))
	}
	return names
}

// Affected is one image that an event concerns.
type Affected struct {
	Digest     digest.Digest `json:"digest"`
	References []string      `json:"references,omitempty"` // that lead to it now
	Packages   []Held        `json:"packages,omitempty"`   // of the event's, those that it holds
}

// Held is a package of an image.
type Held struct {
	PURL  string `json:"purl"`
	Layer string `json:"layer,omitempty"` // diffID of the layer that brought it, if it is known
}

// Images yields the images that an event concerns. They are read while the
// caller goes on, some at a time; one that was forgotten since is left out.
func (s *Store) Images(e *Event) iter.Seq2[Affected, error] {
	const page = 512
	return func(yield func(Affected, error) bool) {
		if e.images == nil {
			return
		}
		it := e.images.ManyIterator()
		ordinals := make([]uint32, page)
		for {
			n := it.NextMany(ordinals)
			if n == 0 {
				return
			}
			list := make([]Affected, 0, n)
			err := s.db.View(func(tx *bolt.Tx) error {
				images, rows := tx.Bucket(bucketImage), tx.Bucket(bucketRow)
				for _, o := range ordinals[:n] {
					m, err := imageAt(images, be32(o))
					if err != nil {
						return err
					}
					if m == nil {
						continue
					}
					a := Affected{Digest: m.digest, References: referencesOf(tx, be32(o))}
					if a.Packages, err = m.held(rows, e.components); err != nil {
						return err
					}
					list = append(list, a)
				}
				return nil
			})
			if err != nil {
				yield(Affected{}, err)
				return
			}
			for _, a := range list {
				if !yield(a, nil) {
					return
				}
			}
		}
	}
}

// held returns those of some components that an image holds.
func (m *image) held(rows *bolt.Bucket, components []uint32) (list []Held, err error) {
	for _, l := range m.layers {
		for _, c := range l.components {
			if _, ok := slices.BinarySearch(components, c); !ok {
				continue
			}
			_, purl, err := address(rows, c)
			if err != nil {
				return nil, err
			}
			list = append(list, Held{PURL: string(purl), Layer: l.diffID})
		}
	}
	return list, nil
}

// References yields the references whose names begin with a prefix, in order;
// those that are gone too, until they are forgotten.
func (s *Store) References(prefix string) iter.Seq2[Reference, error] {
	const page = 512
	return func(yield func(Reference, error) bool) {
		from := []byte(prefix)
		for {
			var list []Reference
			err := s.db.View(func(tx *bolt.Tx) error {
				c := tx.Bucket(bucketRef).Cursor()
				images := tx.Bucket(bucketImage)
				for k, v := c.Seek(from); k != nil && strings.HasPrefix(string(k), prefix) && len(list) < page; k, v = c.Next() {
					r, err := decodeReference(v)
					if err != nil {
						return err
					}
					ref := Reference{Name: string(k), Digest: r.digest, FirstSeen: r.firstSeen, Seen: r.seen, Gone: r.gone}
					for _, o := range r.ordinals {
						if raw := images.Get(be32(o)); raw != nil {
							m, _, err := decodeImageHead(raw)
							if err != nil {
								return err
							}
							ref.Images = append(ref.Images, m.digest)
						}
					}
					list = append(list, ref)
				}
				return nil
			})
			if err != nil {
				yield(Reference{}, err)
				return
			}
			for _, r := range list {
				if !yield(r, nil) {
					return
				}
			}
			if len(list) < page {
				return
			}
			from = append([]byte(list[len(list)-1].Name), 0)
		}
	}
}

// Stats counts what a store holds.
type Stats struct {
	Generation string
	References int // without those that are gone
	Images     int // in all
	Live       int // that a reference leads to
	Components int
	Pending    int // images that wait for Fold
	Events     uint64
	Bytes      int64 // of the file
}

// Stats counts what the store holds.
func (s *Store) Stats() (st Stats, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		live, err := liveImages(tx)
		if err != nil {
			return err
		}
		meta := tx.Bucket(bucketMeta)
		st = Stats{
			Generation: string(meta.Get(metaGeneration)), Live: int(live.GetCardinality()), Components: int(counter(meta, metaComponents)),
			Images: tx.Bucket(bucketImage).Stats().KeyN, Pending: tx.Bucket(bucketPending).Stats().KeyN,
			Events: tx.Bucket(bucketEvent).Sequence(), Bytes: tx.Size(),
		}
		for _, v := range each(tx.Bucket(bucketRef)) {
			r, err := decodeReference(v)
			if err != nil {
				return err
			}
			if !r.gone {
				st.References++
			}
		}
		return nil
	})
	return st, err
}
