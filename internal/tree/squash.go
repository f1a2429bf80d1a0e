package tree

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/boltseal/boltseal"
)

// Squash folds layers into one tree. It is not safe for concurrent use.
type Squash struct {
	store
	limits  boltseal.Limits
	records []*Record
	stats   []Stats
	entries int
	found   map[id]found // nodes whose content has results
	prev    map[id]id    // what a node replaced, where that had results
	twins   map[id][]id  // hard links to a node that has results
	layer   layerState
	scratch []byte
	linked  int64 // bytes of paths made by following links
}

// found are the results of one file of one layer.
type found struct {
	layer  uint16
	result int
}

// Stats says what one layer does to the tree below it, and what becomes of it.
type Stats struct {
	Files    int   // regular files and hard links in the layer
	Bytes    int64 // of their content
	Added    int   // paths that no lower layer has
	Modified int   // paths that a lower layer has too
	Removed  int   // paths of lower layers that it deletes
	Wasted   int64 // bytes that higher layers delete or replace
	// Brought and Dropped count the packages that the layer adds to those below
	// it and takes away, by purl type. They are set by Finish.
	Brought, Dropped map[string]int
	// Ambiguous are places that engines unpack differently, at most 16.
	Ambiguous []Oddity
	// Odd are places that break the specification, at most 16 of a kind.
	Odd []Oddity
}

// layerState is what applying one layer needs to remember.
type layerState struct {
	index    uint16
	entry    uint32
	doomed   map[string]doom // paths of lower folders that this layer whites out
	dirs     []openDir       // folders of the last path, to start the next from
	lastPath []byte
	count    map[string]int
}

type openDir struct {
	end  int // length of the path that leads here
	node id
}

// MaxLayers bounds the calls of [Squash.Apply].
const MaxLayers = math.MaxUint16 - 1

// NewSquash returns an empty tree.
func NewSquash(limits boltseal.Limits) *Squash {
	return &Squash{
		store: *newStore(), limits: limits,
		found: map[id]found{}, prev: map[id]id{}, twins: map[id][]id{},
	}
}

var (
	errLoop = errors.New("links do not end")
	errLong = errors.New("the path, links followed, is too long")
)

// Apply puts a layer on top. The error, if any, is an [boltseal.ErrLimit] or
// the context's; what was applied before it stays.
func (s *Squash) Apply(ctx context.Context, rec *Record) error {
	s.layer = layerState{
		index: uint16(len(s.records)), doomed: map[string]doom{}, count: map[string]int{},
		dirs: s.layer.dirs[:0], lastPath: s.layer.lastPath[:0],
	}
	s.records = append(s.records, rec)
	s.stats = append(s.stats, Stats{Bytes: rec.Bytes, Files: rec.Files})
	s.entries += rec.Entries.N
	if s.entries > s.limits.ImageEntries {
		return fmt.Errorf("entries of the image: %w of %d", boltseal.ErrLimit, s.limits.ImageEntries)
	}
	if err := s.applyMarks(ctx, &rec.Marks); err != nil {
		return err
	}
	// Room at once for what an ordinary layer brings; entries may be duplicates.
	s.nodes = slices.Grow(s.nodes, min(rec.Entries.N, 1<<18))
	next := 0 // of rec.Results
	c := rec.Entries.cursor()
	for c.next() {
		if s.layer.entry&1023 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := s.bound(); err != nil {
			return err
		}
		n := s.applyEntry(&c)
		if next < len(rec.Results) && rec.Results[next].Entry == s.layer.entry {
			if n != 0 {
				s.found[n] = found{s.layer.index, next}
			}
			next++
		}
		s.layer.entry++
	}
	s.dropPlnk()
	return c.err
}

// bound ends the work before the next entry is applied. Folders that no entry
// names cost as much as entries: a path of 4096 bytes makes up to 2048.
func (s *Squash) bound() error {
	const most = 16 << 20 // bytes of names that one entry may add, links followed
	switch {
	case len(s.nodes)/2 > s.limits.ImageEntries:
		return fmt.Errorf("entries of the image and folders that they imply: %w of twice %d (Limits.ImageEntries)", boltseal.ErrLimit, s.limits.ImageEntries)
	case len(s.text) > math.MaxUint32-most || len(s.nodes) > math.MaxUint32-most:
		return fmt.Errorf("names of the image: %w of %d bytes", boltseal.ErrLimit, uint32(math.MaxUint32))
	case s.linked > maxLinked:
		return fmt.Errorf("links followed in the image: %w of %d bytes", boltseal.ErrLimit, int64(maxLinked))
	}
	return nil
}
