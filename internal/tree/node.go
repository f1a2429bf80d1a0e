package tree

import (
	"hash/maphash"
	"io/fs"
)

// id numbers a node; 0 is none, 1 the root.
type id uint32

const root id = 1

// node is one path at one time. A path that is replaced gets a new node.
type node struct {
	size   int64
	name   uint32 // offset in store.text
	link   uint32 // offset in store.text of a symbolic link's target
	parent id
	first  id // of the children
	next   id // child of the same parent
	same   id // the node whose content a hard link shares; 0 is itself
	mode   fs.FileMode
	pathN  uint16 // length of the path
	nameN  uint16
	linkN  uint16
	layer  uint16 // that brought it
	killed uint16 // 1 + the layer that removed or replaced it; 0 is alive
	kind   Kind
	lazy   bool // the children are not in the table yet
}

// store keeps nodes, and finds them by parent and name.
type store struct {
	nodes []node
	text  []byte
	table []id // open addressing, linear probing
	used  int  // slots of the table that are not 0, dead nodes among them
	seed  maphash.Seed
}

func newStore() *store {
	s := &store{nodes: make([]node, 2, 1024), table: make([]id, 2048), seed: maphash.MakeSeed()}
	s.nodes[root] = node{mode: fs.ModeDir | 0o755, kind: Dir}
	return s
}

func (s *store) nameOf(n *node) []byte { return s.text[n.name:][:n.nameN] }
func (s *store) linkOf(n *node) []byte { return s.text[n.link:][:n.linkN] }

func (s *store) slot(parent id, name []byte) uint64 {
	return (maphash.Bytes(s.seed, name) ^ uint64(parent)*0x9e3779b97f4a7c15) & uint64(len(s.table)-1)
}

// find returns the living child of that name, or 0.
func (s *store) find(parent id, name []byte) id {
	if s.nodes[parent].lazy {
		s.index(parent)
	}
	for i := s.slot(parent, name); ; i = (i + 1) & uint64(len(s.table)-1) {
		c := s.table[i]
		if c == 0 {
			return 0
		}
		if n := &s.nodes[c]; n.parent == parent && n.killed == 0 && string(s.nameOf(n)) == string(name) {
			return c
		}
	}
}

// index puts the children of a folder into the table.
func (s *store) index(parent id) {
	s.nodes[parent].lazy = false
	for c := s.nodes[parent].first; c != 0; c = s.nodes[c].next {
		if s.nodes[c].killed == 0 {
			s.enter(c)
		}
	}
}

// maxPath bounds the length of a path, links in its parents followed. Linux
// knows none longer than PATH_MAX, 4096.
const maxPath = 4096

// room reports whether a child of that name has a path that is not too long.
func (s *store) room(parent id, name []byte) bool {
	return len(name) < maxPath && int(s.nodes[parent].pathN)+1+len(name) <= maxPath
}

// add makes a child. There must be no living one of that name, and room for it.
func (s *store) add(parent id, name []byte, n node) id {
	n.parent = parent
	n.pathN = s.nodes[parent].pathN + 1 + uint16(len(name))
	n.nameN = uint16(len(name))
	n.name = uint32(len(s.text))
	s.text = append(s.text, name...)
	n.next = s.nodes[parent].first
	c := id(len(s.nodes))
	s.nodes = append(s.nodes, n)
	s.nodes[parent].first = c
	s.enter(c)
	return c
}

// enter puts a node into the table, which grows when it gets full.
func (s *store) enter(c id) {
	if 4*(s.used+1) > 3*len(s.table) {
		s.rehash()
	}
	s.insert(c)
}

// insert needs a free slot. A node that is there already stays.
func (s *store) insert(c id) {
	for i := s.slot(s.nodes[c].parent, s.nameOf(&s.nodes[c])); ; i = (i + 1) & uint64(len(s.table)-1) {
		switch old := s.table[i]; {
		case old == 0:
			s.table[i] = c
			s.used++
			return
		case old == c:
			return
		case s.nodes[old].killed != 0:
			s.table[i] = c
			return
		}
	}
}

// rehash leaves the dead out and grows the table if the living need it, or if
// so many nodes have died that going over them would come too often.
func (s *store) rehash() {
	alive := 0 // lazy folders' children too: they come next
	for i := root; int(i) < len(s.nodes); i++ {
		if s.nodes[i].killed == 0 {
			alive++
		}
	}
	size := len(s.table)
	for 2*alive > size || len(s.nodes) > 8*size {
		size *= 2
	}
	s.table = make([]id, size)
	s.used = 0
	for i := root + 1; int(i) < len(s.nodes); i++ {
		if n := &s.nodes[i]; n.killed == 0 && !s.nodes[n.parent].lazy {
			s.insert(i)
		}
	}
}

// path appends the path of a node, dead or alive.
func (s *store) path(b []byte, i id) []byte {
	if i == root || i == 0 {
		return b
	}
	n := &s.nodes[i]
	b = s.path(b, n.parent)
	if len(b) > 0 {
		b = append(b, '/')
	}
	return append(b, s.nameOf(n)...)
}
