package registry

import (
	"cmp"
	"context"
	"encoding/binary"
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

	rows []string // of the components that have it
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
	live, err := liveImages(tx)
	if err != nil {
		return nil, err
	}
	h, err := newHolders(tx, live)
	if err != nil {
		return nil, err
	}
	o := &Overview{Generation: string(tx.Bucket(bucketMeta).Get(metaGeneration)), Images: int(live.GetCardinality()), Worst: map[boltseal.Severity]int{}}
	issues := map[string]*Issue{}
	bySeverity := map[boltseal.Severity][]string{} // rows
	for k, v := range each(tx.Bucket(bucketComponent)) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		d := decoder{rest: v}
		if d.bytes(); d.count() == 0 && !d.bad {
			continue // most have no findings
		}
		p, states, err := decodeRow(v)
		if err != nil {
			return nil, err
		}
		row := string(k)
		worst, counts := boltseal.SeverityUnknown, false
		for _, st := range states {
			if st.suppressed == "" {
				worst, counts = max(worst, st.severity), true
				issues[st.rule] = issues[st.rule].with(st, p, row)
			}
		}
		if counts {
			bySeverity[worst] = append(bySeverity[worst], row)
		}
	}
	for _, i := range issues {
		set, err := h.of(i.rows)
		if err != nil {
			return nil, err
		}
		if i.Images = int(set.GetCardinality()); i.Images > 0 {
			slices.Sort(i.Packages)
			slices.Sort(i.Fixed)
			o.Issues = append(o.Issues, *i)
		}
	}
	slices.SortFunc(o.Issues, func(a, b Issue) int {
		return cmp.Or(cmp.Compare(exploited(b), exploited(a)), cmp.Compare(b.Severity, a.Severity), cmp.Compare(b.Images, a.Images), cmp.Compare(a.Rule, b.Rule))
	})
	worse := roaring.New()
	for sev := boltseal.SeverityCritical; ; sev-- {
		set, err := h.of(bySeverity[sev])
		if err != nil {
			return nil, err
		}
		set.AndNot(worse)
		if n := int(set.GetCardinality()); n > 0 {
			o.Worst[sev] = n
		}
		worse.Or(set)
		if sev == 0 {
			break
		}
	}
	for k, v := range each(tx.Bucket(bucketImage)) {
		if n := binary.BigEndian.Uint32(k); live.Contains(n) && !worse.Contains(n) {
			d := decoder{rest: v}
			d.bytes() // digest
			d.uint()  // when it was added
			d.bytes() // platform
			if len(d.bytes()) > 0 {
				o.Incomplete++
			}
			if err := d.err("image"); err != nil {
				return nil, err
			}
		}
	}
	return o, ctx.Err()
}

func exploited(i Issue) int {
	if i.Exploited != "" {
		return 1
	}
	return 0
}

// with adds what is known of one component. It may be called on nil.
func (i *Issue) with(s state, p *boltseal.Package, row string) *Issue {
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
		err := s.db.View(func(tx *bolt.Tx) error {
			live, err := liveImages(tx)
			if err != nil {
				return err
			}
			h, err := newHolders(tx, live)
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
		s.Images(&Event{images: set})(yield)
	}
}

// holders tells which images hold components, in one transaction: those of the
// postings, and those too new to be in them.
type holders struct {
	postings *bolt.Bucket
	live     *roaring.Bitmap
	recent   map[uint32][]uint32
}

func newHolders(tx *bolt.Tx, live *roaring.Bitmap) (*holders, error) {
	h := &holders{postings: tx.Bucket(bucketPosting), live: live, recent: map[uint32][]uint32{}}
	images := tx.Bucket(bucketImage)
	for k, _ := range each(tx.Bucket(bucketPending)) {
		raw := images.Get(k)
		if raw == nil {
			continue
		}
		m, err := decodeImage(raw)
		if err != nil {
			return nil, err
		}
		for _, c := range m.components {
			h.recent[c] = append(h.recent[c], binary.BigEndian.Uint32(k))
		}
	}
	return h, nil
}

// of returns the images that hold any of the components with these rows. It is
// the caller's.
func (h *holders) of(rows []string) (*roaring.Bitmap, error) {
	sets := make([]*roaring.Bitmap, 0, len(rows)+1)
	fresh := roaring.New()
	for _, row := range rows {
		n := numberOf([]byte(row))
		fresh.AddMany(h.recent[n])
		raw := h.postings.Get([]byte(row))
		if raw == nil {
			continue
		}
		set := roaring.New()
		if _, err := set.FromBuffer(raw); err != nil { // valid as long as the transaction
			return nil, fmt.Errorf("postings of component %d: %w: %w", n, boltseal.ErrMalformed, err)
		}
		sets = append(sets, set)
	}
	all := roaring.FastOr(append(sets, fresh)...)
	all.And(h.live)
	return all.Clone(), nil
}
