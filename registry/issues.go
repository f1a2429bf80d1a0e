package registry

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	bolt "go.etcd.io/bbolt"

	"github.com/boltseal/boltseal"
)

// Issue is one advisory that concerns images which a reference leads to.
type Issue struct {
	Rule      string
	Title     string
	Aliases   []string
	Severity  boltseal.Severity // the highest, where packages differ
	Score     float64
	Exploited string   // the date at which CISA listed it; empty if it did not
	Packages  []string // type:name, in order
	Fixed     []string // versions with the fix, in order; empty if none is known
	Images    int

	rows [][]byte // of the components that have it
}

// Overview is what a store knows of all images that a reference leads to.
type Overview struct {
	Generation string
	Images     int
	// Worst counts the images by the severity of the worst issue that they
	// have. Images without any are in none.
	Worst map[boltseal.Severity]int
	// Incomplete counts the images without any of which not all could be read
	// or judged: it is not known whether they have one.
	Incomplete int
	Issues     []Issue // those listed as exploited first, then the worst, then by number of images
}

// Overview answers which advisories matter now. Issues that do not count
// (suppressed ones) are left out. It reads the findings of every distinct
// package, which takes a few tenths of a second for a hundred thousand of them: for a
// page that is kept for some seconds, not for each request.
func (s *Store) Overview(ctx context.Context) (o *Overview, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		o, err = overview(ctx, tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("overview of the store: %w", err)
	}
	return o, nil
}

func overview(ctx context.Context, tx *bolt.Tx) (*Overview, error) {
	f, err := findFleet(ctx, tx)
	if err != nil {
		return nil, err
	}
	all := f.summary("", f.live)
	o := &Overview{
		Generation: string(tx.Bucket(bucketMeta).Get(metaGeneration)),
		Images:     all.Images, Worst: all.Worst, Incomplete: all.Incomplete,
	}
	for _, i := range f.issues {
		if i.Images > 0 {
			slices.Sort(i.Packages)
			slices.Sort(i.Fixed)
			o.Issues = append(o.Issues, *i)
		}
	}
	slices.SortFunc(o.Issues, func(a, b Issue) int {
		return cmp.Or(cmp.Compare(exploited(b), exploited(a)), cmp.Compare(b.Severity, a.Severity), cmp.Compare(b.Images, a.Images), cmp.Compare(a.Rule, b.Rule))
	})
	return o, nil
}

func exploited(i Issue) int {
	if i.Exploited != "" {
		return 1
	}
	return 0
}

// with adds what is known of one component. It may be called on nil.
func (i *Issue) with(s state, p *boltseal.Package, row []byte) *Issue {
	if i == nil {
		i = &Issue{Rule: s.rule, Title: s.title, Aliases: s.aliases}
	}
	i.Severity, i.Score = max(i.Severity, s.severity), max(i.Score, s.score)
	if i.Exploited == "" || s.exploited != "" && s.exploited < i.Exploited {
		i.Exploited = s.exploited
	}
	if name := packageName(p); !slices.Contains(i.Packages, name) {
		i.Packages = append(i.Packages, name)
	}
	if s.fixed != "" && !slices.Contains(i.Fixed, s.fixed) {
		i.Fixed = append(i.Fixed, s.fixed)
	}
	i.rows = append(i.rows, row)
	return i
}

// packageName is how events and issues name a package.
func packageName(p *boltseal.Package) string {
	if p.Namespace != "" {
		return p.Type + ":" + p.Namespace + "/" + p.Name
	}
	return p.Type + ":" + p.Name
}

// Holders yields the images that an issue of [Store.Overview] concerns now.
func (s *Store) Holders(i *Issue) iter.Seq2[Affected, error] {
	return func(yield func(Affected, error) bool) {
		var set *roaring.Bitmap
		numbers := numbersOf(i.rows)
		err := s.db.View(func(tx *bolt.Tx) error {
			h, err := newHolders(tx, slices.Values(numbers))
			if err != nil {
				return err
			}
			set, err = h.of(i.rows)
			return err
		})
		if err != nil {
			yield(Affected{}, fmt.Errorf("images of %s: %w", i.Rule, err))
			return
		}
		s.Images(&Event{images: set, components: numbers})(yield)
	}
}
