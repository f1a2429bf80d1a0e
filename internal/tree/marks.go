package tree

import "context"

type doom struct {
	seq  int64 // entries before the whiteout
	full bool  // it was a folder that held something
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

// Plnk is the folder where AUFS keeps the content of files that have several
// names: hard links lead into it. No container sees it.
const Plnk = ".wh..wh.plnk"

// dropPlnk removes the folder once the layer's links are made.
func (s *Squash) dropPlnk() {
	d := s.find(root, []byte(Plnk))
	if d == 0 || s.nodes[d].layer != s.layer.index {
		return
	}
	for c := s.nodes[d].first; c != 0; c = s.nodes[c].next {
		s.remove(c)
	}
	s.remove(d)
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
