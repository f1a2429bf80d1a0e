package tree

import (
	"bytes"
	"math"
)

// applyEntry puts one entry into the tree and returns its node, 0 if it has
// none.
func (s *Squash) applyEntry(c *cursor) id {
	e := &c.entry
	if len(e.Path) == 0 { // the root: only its mode can change
		if e.Kind == Dir {
			s.nodes[root].mode = e.Mode
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
	n := node{kind: e.Kind, mode: e.Mode, size: e.Size, layer: s.layer.index}
	switch e.Kind {
	case Hardlink:
		t, why := s.hardTarget(e)
		if t == 0 {
			s.odd(e.Path, why)
			return 0
		}
		target := s.nodes[t]
		n = target
		n.layer, n.killed, n.first, n.next = s.layer.index, 0, 0, 0
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
			o.mode, o.layer = e.Mode, s.layer.index
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

func split(p []byte) (dir, base []byte) {
	if i := bytes.LastIndexByte(p, '/'); i >= 0 {
		return p[:i], p[i+1:]
	}
	return nil, p
}
