package tree

import (
	"bytes"
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
	// it and takes away, by purl type.
	Brought, Dropped map[string]int
	// Ambiguous are places that engines unpack differently, at most 16.
	Ambiguous []Oddity
	// Odd are places that break the specification, at most 16 of a kind.
	Odd []Oddity
}

// Oddity is a remark on a path.
type Oddity struct {
	Path, What string
	Count      int // how many of its kind the layer has; set on the first
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

type doom struct {
	seq  int64 // entries before the whiteout
	full bool  // it was a folder that held something
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
	s.stats = append(s.stats, Stats{Bytes: rec.Bytes, Files: rec.Files, Brought: map[string]int{}, Dropped: map[string]int{}})
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

// applyMarks removes what whiteouts and opaque marks name, one after the other,
// before any entry of the layer is there. Like the engines it makes the folder
// that a mark lies in, even for nothing, and a later mark deletes it again.
func (s *Squash) applyMarks(ctx context.Context, marks *Entries) error {
	n := 0
	for c := marks.cursor(); c.next(); n++ {
		if n&1023 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := s.bound(); err != nil {
			return err
		}
		dir, base := c.entry.Path, []byte(nil)
		if c.entry.Kind == Whiteout {
			dir, base = split(dir)
		}
		d, err := s.walk(root, dir, walkOpt{follow: true, make: true, gentle: true, full: c.entry.Path})
		switch {
		case err != nil:
			s.odd(c.entry.Path, err.Error())
		case d == 0:
		case c.entry.Kind == Whiteout:
			v := s.find(d, base)
			if v == 0 {
				continue
			}
			if s.nodes[v].layer != s.layer.index {
				s.scratch = s.path(s.scratch[:0], v)
				s.layer.doomed[string(s.scratch)] = doom{c.entry.Size, s.nodes[v].kind == Dir && s.hasChild(v)}
			}
			s.remove(v)
		default:
			for ch := s.nodes[d].first; ch != 0; ch = s.nodes[ch].next {
				s.remove(ch)
			}
			s.nodes[d].first = 0
		}
	}
	return nil
}

// remove kills what a mark names: a path of a lower layer, or a folder that an
// earlier mark made.
func (s *Squash) remove(i id) {
	if s.nodes[i].killed == 0 && s.nodes[i].layer == s.layer.index {
		s.stats[s.layer.index].Added--
	}
	s.kill(i)
}

func (s *Squash) hasChild(d id) bool {
	for ch := s.nodes[d].first; ch != 0; ch = s.nodes[ch].next {
		if s.nodes[ch].killed == 0 {
			return true
		}
	}
	return false
}

// kill removes a node and all beneath it, and counts.
func (s *Squash) kill(top id) {
	if s.nodes[top].killed != 0 {
		return
	}
	stack := []id{top}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		n := &s.nodes[i]
		n.killed = s.layer.index + 1
		if n.layer != s.layer.index {
			s.stats[s.layer.index].Removed++
			if n.kind == File {
				s.stats[n.layer].Wasted += n.size
			}
		}
		for ch := n.first; ch != 0; ch = s.nodes[ch].next {
			if s.nodes[ch].killed == 0 {
				stack = append(stack, ch)
			}
		}
	}
	s.layer.dirs = s.layer.dirs[:0]
}

// applyEntry puts one entry into the tree and returns its node, 0 if it has
// none.
func (s *Squash) applyEntry(c *cursor) id {
	e := &c.entry
	if len(e.Path) == 0 { // the root: only its mode can change
		if e.Kind == Dir {
			s.nodes[root].mode = e.Mode
			s.nodes[root].entry = s.layer.entry
			return root
		}
		return 0
	}
	dir, base := split(e.Path)
	parent, err := s.parentDir(dir)
	if err != nil {
		s.odd(e.Path, err.Error())
		return 0
	}
	if !s.room(parent, base) {
		s.odd(e.Path, errLong.Error())
		return 0
	}
	n := node{kind: e.Kind, mode: e.Mode, size: e.Size, layer: s.layer.index, entry: s.layer.entry}
	switch e.Kind {
	case Hardlink:
		t, why := s.hardTarget(e)
		if t == 0 {
			s.odd(e.Path, why)
			return 0
		}
		target := s.nodes[t]
		n = target
		n.layer, n.entry, n.killed, n.first, n.next = s.layer.index, s.layer.entry, 0, 0, 0
		if n.same == 0 {
			n.same = t
		}
	case Symlink:
		n.link, n.linkN = uint32(len(s.text)), uint16(min(len(e.Link), math.MaxUint16))
		s.text = append(s.text, e.Link[:n.linkN]...)
		n.size = int64(len(e.Link))
	}
	old := s.find(parent, base)
	if old != 0 && old == n.same { // a link to itself
		s.odd(e.Path, "a hard link to itself")
		return 0
	}
	if len(s.layer.doomed) > 0 {
		s.checkDoomed(parent, base, e.Kind)
	}
	if old != 0 {
		o := &s.nodes[old]
		lower := o.layer != s.layer.index
		if o.kind == Dir && e.Kind == Dir {
			if lower && o.mode != e.Mode {
				s.stats[s.layer.index].Modified++
			}
			o.mode, o.layer, o.entry = e.Mode, s.layer.index, s.layer.entry
			s.remember(e.Path, old)
			return old
		}
		if lower {
			s.stats[s.layer.index].Modified++
			s.stats[s.layer.index].Removed--
		}
		dirs := s.layer.dirs
		isDir := o.kind == Dir
		s.kill(old)
		if !isDir { // no open folder can lie beneath it
			s.layer.dirs = dirs
		}
	} else {
		s.stats[s.layer.index].Added++
	}
	i := s.add(parent, base, n)
	if old != 0 {
		if _, ok := s.found[old]; ok || s.prev[old] != 0 {
			s.prev[i] = old
		}
	}
	if n.same != 0 {
		if _, ok := s.found[n.same]; ok {
			s.twins[n.same] = append(s.twins[n.same], i)
		}
	}
	if e.Kind == Dir {
		s.remember(e.Path, i)
	}
	return i
}

// checkDoomed notes a path that the layer both deletes and brings, where
// engines do not agree on what is left.
func (s *Squash) checkDoomed(parent id, base []byte, kind Kind) {
	s.scratch = s.path(s.scratch[:0], parent)
	if len(s.scratch) > 0 {
		s.scratch = append(s.scratch, '/')
	}
	s.scratch = append(s.scratch, base...)
	d, ok := s.layer.doomed[string(s.scratch)]
	switch {
	case !ok:
	case int64(s.layer.entry) < d.seq:
		s.ambiguous(s.scratch, "the layer brings this and deletes it after: some engines keep the new content, some delete it")
	case kind == Dir && d.full:
		s.ambiguous(s.scratch, "the layer deletes this folder and makes it anew: with overlay engines the old content returns")
	}
}

// hardTarget finds what a hard link leads to. Its target is a path from the
// root, links in the parents followed, the last component not.
func (s *Squash) hardTarget(e *Entry) (target id, why string) {
	p, _ := Clean(e.Link)
	if len(p) == 0 {
		return 0, "a hard link to the root"
	}
	dir, base := split(p)
	d, err := s.walk(root, dir, walkOpt{follow: true})
	if err != nil {
		return 0, err.Error()
	}
	var t id
	if d != 0 {
		t = s.find(d, base)
	}
	switch {
	case t == 0:
		return 0, "a hard link to what is not there (yet): nothing is linked"
	case s.nodes[t].kind == Dir:
		return 0, "a hard link to a folder: nothing is linked"
	}
	if s.nodes[t].layer != s.layer.index {
		s.ambiguous(e.Path, "a hard link to a file of a lower layer: overlay engines refuse the layer")
	}
	return t, ""
}

// parentDir finds the folder of that path, and makes what lacks of it.
func (s *Squash) parentDir(p []byte) (id, error) {
	if len(p) == 0 {
		return root, nil
	}
	dirs := s.layer.dirs
	for len(dirs) > 0 {
		d := dirs[len(dirs)-1]
		if d.end <= len(p) && (d.end == len(p) || p[d.end] == '/') && bytes.Equal(s.layer.lastPath[:d.end], p[:d.end]) {
			break
		}
		dirs = dirs[:len(dirs)-1]
	}
	s.layer.dirs = dirs
	from, rest := root, p
	if n := len(dirs); n > 0 {
		if dirs[n-1].end == len(p) {
			return dirs[n-1].node, nil
		}
		from, rest = dirs[n-1].node, p[dirs[n-1].end+1:]
	}
	d, err := s.walk(from, rest, walkOpt{follow: true, make: true, full: p})
	if err != nil {
		return 0, err
	}
	s.remember(p, d)
	return d, nil
}

// remember notes that p leads to the folder, for the next parentDir.
func (s *Squash) remember(p []byte, d id) {
	dirs := s.layer.dirs
	for n := len(dirs); n > 0; n-- {
		o := dirs[n-1]
		if o.end < len(p) && p[o.end] == '/' && bytes.Equal(s.layer.lastPath[:o.end], p[:o.end]) {
			break
		}
		dirs = dirs[:n-1]
	}
	s.layer.dirs = append(dirs, openDir{len(p), d})
	s.layer.lastPath = append(s.layer.lastPath[:0], p...)
}

const maxOdd = 16

func (s *Squash) ambiguous(path []byte, what string) {
	st := &s.stats[s.layer.index]
	st.Ambiguous = s.remark(st.Ambiguous, path, what)
}

func (s *Squash) odd(path []byte, what string) {
	st := &s.stats[s.layer.index]
	st.Odd = s.remark(st.Odd, path, what)
}

func (s *Squash) remark(list []Oddity, path []byte, what string) []Oddity {
	s.layer.count[what]++
	switch n := s.layer.count[what]; {
	case n > 1 && n <= maxOdd:
		list = append(list, Oddity{Path: string(path), What: what})
		fallthrough
	case n > 1:
		for i := range list {
			if list[i].What == what {
				list[i].Count = n
				break
			}
		}
	default:
		list = append(list, Oddity{Path: string(path), What: what, Count: 1})
	}
	return list
}

func split(p []byte) (dir, base []byte) {
	if i := bytes.LastIndexByte(p, '/'); i >= 0 {
		return p[:i], p[i+1:]
	}
	return nil, p
}
