package tree

import (
	"bytes"
	"io/fs"
)

type walkOpt struct {
	follow bool   // a link at the end too
	make   bool   // folders that are missing
	gentle bool   // but no folder in the place of a file
	full   []byte // the path as the layer has it, for remarks
}

// walk follows a path from a folder. Links lead on from where they lie,
// absolute ones from the root, and ".." stops at the root. It returns 0 where
// there is nothing.
func (s *Squash) walk(at id, p []byte, o walkOpt) (id, error) {
	hops := 0
	for len(p) > 0 {
		part := p
		if i := bytes.IndexByte(p, '/'); i >= 0 {
			part, p = p[:i], p[i+1:]
		} else {
			p = nil
		}
		switch string(part) {
		case "", ".":
			continue
		case "..":
			if at != root {
				at = s.nodes[at].parent
			}
			continue
		}
		child := s.find(at, part)
		if child == 0 {
			if !o.make {
				return 0, nil
			}
			if !s.room(at, part) {
				return 0, errLong
			}
			at = s.add(at, part, node{kind: Dir, mode: fs.ModeDir | 0o755, layer: s.layer.index})
			s.stats[s.layer.index].Added++
			continue
		}
		switch n := &s.nodes[child]; n.kind {
		case Dir:
			at = child
		case Symlink:
			if len(p) == 0 && !o.follow {
				return child, nil
			}
			if hops++; hops > s.limits.LinkHops {
				return 0, errLoop
			}
			if o.make && n.layer != s.layer.index {
				s.ambiguous(o.full, "a parent is a symbolic link of a lower layer: overlay engines put a folder in its place")
			}
			link := s.linkOf(n)
			if len(link) > 0 && link[0] == '/' {
				at = root
			}
			if len(p) > 0 {
				// A fresh slice: the link's own bytes are shared.
				link = append(append(append(make([]byte, 0, len(link)+1+len(p)), link...), '/'), p...)
			}
			if s.linked += int64(len(link)); len(link) > 2*maxPath || s.linked > maxLinked {
				return 0, errLoop
			}
			p = link
		default:
			if len(p) == 0 && !o.make {
				return child, nil
			}
			if !o.make || o.gentle {
				return 0, nil
			}
			if n.layer != s.layer.index {
				s.ambiguous(o.full, "a parent is a file of a lower layer: some engines replace it by a folder, some refuse the layer")
			} else {
				s.odd(o.full, "a parent is a file of the same layer: it is replaced by a folder")
			}
			s.kill(child)
			at = s.add(at, part, node{kind: Dir, mode: fs.ModeDir | 0o755, layer: s.layer.index})
		}
	}
	return at, nil
}

// maxLinked bounds the bytes of all paths made by following links, so that a
// layer of links to links cannot cost more than reading it.
const maxLinked = 4 << 30
