package tree

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/wire"
)

// snapshot is a [Squash] of some layers in a form that is read in one go: the
// living nodes folder by folder, so that a node's children follow each other,
// and of the dead those that results or links still point to. It needs the
// layers' records for what was found, not for their entries.
type snapshot struct {
	Layers  []string // diffIDs
	Stats   []Stats
	Entries int
	Linked  int64
	Alive   int
	Nodes   []byte // see encodeNode
	Text    []byte // names and links of the nodes, in their order
	Found   []foundNode
	Prev    [][]uint32 // pairs: a node and the one that it replaced
	Twins   [][]uint32 // a node and the hard links to it
}

type foundNode struct {
	Node   uint32
	Layer  uint16
	Result int
}

// Snapshot writes what the layers applied so far make.
func (s *Squash) Snapshot() []byte {
	out := snapshot{Stats: s.stats, Entries: s.entries, Linked: s.linked}
	for _, r := range s.records {
		out.Layers = append(out.Layers, r.DiffID)
	}
	order := s.livingInOrder()
	out.Alive = len(order)
	order = append(order, s.deadInUse()...)
	number := make([]uint32, len(s.nodes)) // of the nodes in the snapshot
	for i, n := range order {
		number[n] = uint32(i) + uint32(root)
	}
	for i, n := range order {
		out.Nodes = s.encodeNode(out.Nodes, n, number, i < out.Alive)
		out.Text = append(out.Text, s.nameOf(&s.nodes[n])...)
		out.Text = append(out.Text, s.linkOf(&s.nodes[n])...)
	}
	for _, n := range slices.Sorted(maps.Keys(s.found)) {
		f := s.found[n]
		out.Found = append(out.Found, foundNode{number[n], f.layer, f.result})
	}
	for _, n := range slices.Sorted(maps.Keys(s.prev)) {
		out.Prev = append(out.Prev, []uint32{number[n], number[s.prev[n]]})
	}
	for _, n := range slices.Sorted(maps.Keys(s.twins)) {
		list := []uint32{number[n]}
		for _, twin := range s.twins[n] {
			if s.nodes[twin].killed == 0 { // the dead never count again
				list = append(list, number[twin])
			}
		}
		out.Twins = append(out.Twins, list)
	}
	return wire.Marshal(&out, len(out.Nodes)+len(out.Text))
}

// livingInOrder lists the living, each folder's children by name.
func (s *Squash) livingInOrder() []id {
	order := []id{root}
	for i := 0; i < len(order); i++ {
		from := len(order)
		for c := s.nodes[order[i]].first; c != 0; c = s.nodes[c].next {
			if s.nodes[c].killed == 0 {
				order = append(order, c)
			}
		}
		slices.SortFunc(order[from:], func(a, b id) int {
			return strings.Compare(string(s.nameOf(&s.nodes[a])), string(s.nameOf(&s.nodes[b])))
		})
	}
	return order
}

// deadInUse lists the dead that something still points to.
func (s *Squash) deadInUse() []id {
	used := map[id]bool{}
	for n := range s.found {
		used[n] = true
	}
	for n, old := range s.prev {
		used[n], used[old] = true, true
	}
	for n := range s.twins {
		used[n] = true
	}
	for i := range s.nodes {
		if n := &s.nodes[i]; n.killed == 0 && n.same != 0 {
			used[n.same] = true
		}
	}
	maps.DeleteFunc(used, func(n id, _ bool) bool { return s.nodes[n].killed == 0 })
	return slices.Sorted(maps.Keys(used))
}

// encodeNode appends: kind, mode, layer, the layer that killed it, size, the
// node whose content it shares, lengths of name and link, number of children.
func (s *Squash) encodeNode(b []byte, i id, number []uint32, alive bool) []byte {
	n := &s.nodes[i]
	kids, same := uint64(0), uint64(0)
	if alive {
		for c := n.first; c != 0; c = s.nodes[c].next {
			if s.nodes[c].killed == 0 {
				kids++
			}
		}
		same = uint64(number[n.same])
	}
	b = append(b, byte(n.kind))
	for _, v := range []uint64{uint64(n.mode), uint64(n.layer), uint64(n.killed), uint64(n.size), same, uint64(n.nameN), uint64(n.linkN), kids} {
		b = binary.AppendUvarint(b, v)
	}
	return b
}

// Restore reads what Snapshot wrote of the same layers. Anything else is an
// error that wraps [boltseal.ErrMalformed].
func Restore(b []byte, records []*Record, limits boltseal.Limits) (*Squash, error) {
	var in snapshot
	if err := wire.Unmarshal(b, &in); err != nil {
		return nil, err
	}
	s := NewSquash(limits)
	s.records, s.stats, s.entries, s.linked, s.text = slices.Clone(records), in.Stats, in.Entries, in.Linked, in.Text
	if !slices.EqualFunc(in.Layers, records, func(d string, r *Record) bool { return d == r.DiffID }) || len(in.Stats) != len(records) || len(records) == 0 ||
		!s.decodeNodes(in.Nodes, in.Alive) || !s.refer(&in) {
		return nil, fmt.Errorf("snapshot of layers: %w", boltseal.ErrMalformed)
	}
	return s, nil
}

// decodeNodes fills in the nodes, of which the first are alive.
func (s *Squash) decodeNodes(b []byte, alive int) bool {
	const least = 9 // bytes of a node
	if alive < 1 || alive > len(b)/least || len(s.text) > math.MaxUint32 {
		return false
	}
	s.nodes = slices.Grow(s.nodes[:root], alive+alive/8)
	text := 0
	var v [8]uint64
	for len(b) > 0 {
		n := node{kind: Kind(b[0])}
		b = b[1:]
		for i := range v {
			if len(b) > 0 && b[0] < 0x80 {
				v[i], b = uint64(b[0]), b[1:]
				continue
			}
			size := 0
			if v[i], size = binary.Uvarint(b); size <= 0 {
				return false
			}
			b = b[size:]
		}
		living := len(s.nodes) < alive+int(root)
		n.mode, n.layer, n.killed, n.size, n.same = fs.FileMode(v[0]), uint16(v[1]), uint16(v[2]), int64(v[3]), id(v[4])
		switch n.kind {
		case File, Dir, Symlink, Special:
		default:
			return false
		}
		layers := uint64(len(s.records))
		if v[0] > math.MaxUint32 || v[1] >= layers || v[2] > layers || living != (v[2] == 0) || n.size < 0 || v[4] > math.MaxUint32 ||
			v[5] > maxPath || v[6] > math.MaxUint16 || text+int(v[5]+v[6]) > len(s.text) || v[7] > uint64(alive) || v[7] > 0 && n.kind != Dir {
			return false
		}
		n.nameN, n.linkN = uint16(v[5]), uint16(v[6])
		n.name, n.link = uint32(text), uint32(text)+uint32(v[5])
		text += int(v[5] + v[6])
		n.first = id(v[7]) // how many, until adopt
		s.nodes = append(s.nodes, n)
	}
	return len(s.nodes) >= alive+int(root) && text == len(s.text) && s.adopt(alive)
}

// adopt gives every folder its children, which follow those of the one before.
func (s *Squash) adopt(alive int) bool {
	end := root + id(alive)
	if s.nodes[root].kind != Dir {
		return false
	}
	next := root + 1
	for i := root; int(i) < len(s.nodes); i++ {
		n := &s.nodes[i]
		if n.same != 0 && (n.same < root || int(n.same) >= len(s.nodes) || s.nodes[n.same].kind == Dir) {
			return false
		}
		kids := n.first
		if kids == 0 {
			continue
		}
		if i >= end || next <= i || kids > end-next {
			return false
		}
		n.first, n.lazy = next, true
		for last := next + kids - 1; next <= last; next++ {
			c := &s.nodes[next]
			if c.nameN == 0 || !s.room(i, s.nameOf(c)) {
				return false
			}
			c.parent, c.pathN = i, n.pathN+1+c.nameN
			if next < last {
				c.next = next + 1
			}
		}
	}
	return next == end
}

// refer fills in what points to nodes and results.
func (s *Squash) refer(in *snapshot) bool {
	ok := func(i uint32) bool { return id(i) >= root && int(i) < len(s.nodes) }
	for _, f := range in.Found {
		if !ok(f.Node) || int(f.Layer) >= len(s.records) || f.Result < 0 || f.Result >= len(s.records[f.Layer].Results) {
			return false
		}
		s.found[id(f.Node)] = found{f.Layer, f.Result}
	}
	for _, p := range in.Prev {
		if len(p) != 2 || !ok(p[0]) || !ok(p[1]) {
			return false
		}
		s.prev[id(p[0])] = id(p[1])
	}
	for _, list := range in.Twins {
		for i, t := range list {
			if !ok(t) {
				return false
			}
			if i > 0 {
				s.twins[id(list[0])] = append(s.twins[id(list[0])], id(t))
			}
		}
	}
	return s.prevEnds()
}

// prevEnds reports whether no node replaced itself, however indirectly.
func (s *Squash) prevEnds() bool {
	good := map[id]bool{0: true}
	for n := range s.prev {
		var chain []id
		for ; !good[n]; n = s.prev[n] {
			if chain = append(chain, n); len(chain) > len(s.records)+len(s.prev) {
				return false
			}
		}
		for _, n := range chain {
			good[n] = true
		}
	}
	return true
}
