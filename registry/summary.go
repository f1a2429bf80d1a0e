package registry

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	bolt "go.etcd.io/bbolt"

	"github.com/boltseal/boltseal"
)

// Grouping is what a [Summary] is about.
type Grouping uint8

const (
	// ByRepository is host/repository. An image that several of them have
	// counts in each.
	ByRepository Grouping = iota
	// ByTeam is [Inventory.Team]; empty for the images of nobody.
	ByTeam
)

// Summary is what a store knows of the images of one group that references lead
// to.
type Summary struct {
	Name   string
	Images int
	// Worst counts the images by the severity of the worst issue that they
	// have. Images without any are in none.
	Worst map[boltseal.Severity]int
	// Exploited counts the images with an issue that is exploited in the wild,
	// Fixable those with one that a newer version of a package mends.
	Exploited, Fixable int
	// Incomplete counts the images without any issue of which not all could be
	// read or judged.
	Incomplete int
}

// Summaries returns one for each group, in order of their names. What it costs
// is that of [Store.Overview], and a look at each reference or image.
func (s *Store) Summaries(ctx context.Context, by Grouping) (list []Summary, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		f, err := findFleet(ctx, tx)
		if err != nil {
			return err
		}
		groups, err := groupsOf(ctx, tx, by)
		if err != nil {
			return err
		}
		for _, name := range sortedKeys(groups) {
			set := groups[name]
			if set.And(f.live); !set.IsEmpty() {
				list = append(list, f.summary(name, set))
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("summaries of the store: %w", err)
	}
	return list, nil
}

func groupsOf(ctx context.Context, tx *bolt.Tx, by Grouping) (map[string]*roaring.Bitmap, error) {
	groups := map[string]*roaring.Bitmap{}
	add := func(name string, images ...uint32) {
		if groups[name] == nil {
			groups[name] = roaring.New()
		}
		groups[name].AddMany(images)
	}
	if by == ByTeam {
		for k, v := range each(tx.Bucket(bucketImage)) {
			m, _, err := decodeImageHead(v)
			if err != nil {
				return nil, err
			}
			add(m.team, binary.BigEndian.Uint32(k))
		}
		return groups, ctx.Err()
	}
	for k, v := range each(tx.Bucket(bucketRef)) {
		r, err := decodeReference(v)
		if err != nil {
			return nil, err
		}
		if name := string(k); !r.gone {
			add(name[:max(0, strings.LastIndexByte(name, ':'))], r.ordinals...)
		}
	}
	return groups, ctx.Err()
}

// fleet tells the images that references lead to apart.
type fleet struct {
	live                          *roaring.Bitmap
	worst                         [boltseal.SeverityCritical + 1]*roaring.Bitmap // disjoint
	exploited, fixable, uncertain *roaring.Bitmap
	issues                        map[string]*Issue
}

// findFleet reads the findings of all components.
func findFleet(ctx context.Context, tx *bolt.Tx) (*fleet, error) {
	f := &fleet{issues: map[string]*Issue{}}
	var rows [len(f.worst)][][]byte
	var exploited, fixable [][]byte
	var numbers []uint32
	read := newComponents(tx)
	for k, v := range each(read.finding) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		states, err := decodeStates(v)
		if err != nil {
			return nil, err
		}
		row := slices.Clone(k)
		p, err := read.decode(row, read.member.Get(row))
		if err != nil {
			return nil, err
		}
		worst, counts, known, mended := boltseal.SeverityUnknown, false, false, false
		for _, st := range states {
			if st.suppressed != "" {
				continue
			}
			f.issues[st.rule] = f.issues[st.rule].with(st, p, row)
			worst, counts = max(worst, min(st.severity, boltseal.SeverityCritical)), true
			known, mended = known || st.exploited != "", mended || st.fixed != ""
		}
		if !counts {
			continue
		}
		numbers = append(numbers, numberOf(row))
		rows[worst] = append(rows[worst], row)
		if known {
			exploited = append(exploited, row)
		}
		if mended {
			fixable = append(fixable, row)
		}
	}
	h, err := newHolders(tx, slices.Values(numbers))
	if err != nil {
		return nil, err
	}
	f.live = h.live
	worse := roaring.New()
	for sev := len(rows) - 1; sev >= 0; sev-- {
		if f.worst[sev], err = h.of(rows[sev]); err != nil {
			return nil, err
		}
		f.worst[sev].AndNot(worse)
		worse.Or(f.worst[sev])
	}
	if f.exploited, err = h.of(exploited); err != nil {
		return nil, err
	}
	if f.fixable, err = h.of(fixable); err != nil {
		return nil, err
	}
	for _, i := range f.issues {
		set, err := h.of(i.rows)
		if err != nil {
			return nil, err
		}
		i.Images = int(set.GetCardinality())
	}
	f.uncertain = roaring.New()
	for k, v := range each(tx.Bucket(bucketImage)) {
		if n := binary.BigEndian.Uint32(k); f.live.Contains(n) && !worse.Contains(n) {
			m, _, err := decodeImageHead(v)
			if err != nil {
				return nil, err
			}
			if m.incomplete != "" {
				f.uncertain.Add(n)
			}
		}
	}
	return f, ctx.Err()
}

func (f *fleet) summary(name string, images *roaring.Bitmap) Summary {
	count := func(of *roaring.Bitmap) int { return int(images.AndCardinality(of)) }
	out := Summary{
		Name: name, Images: int(images.GetCardinality()), Worst: map[boltseal.Severity]int{},
		Exploited: count(f.exploited), Fixable: count(f.fixable), Incomplete: count(f.uncertain),
	}
	for sev, set := range f.worst {
		if n := count(set); n > 0 {
			out.Worst[boltseal.Severity(sev)] = n
		}
	}
	return out
}
