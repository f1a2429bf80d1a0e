// Package tree turns layers into the tree that a container sees.
//
// A [Record] holds what one layer does to a tree and what analyzers found in
// it. A [Squash] folds records, lowest first, into a [Tree]. The rules are
// those of the OCI image specification, layer.md, "Applying Changesets"; where
// it is silent those of containerd's archive.Apply.
package tree

import (
	"encoding/binary"
	"fmt"
	"io/fs"

	"github.com/boltseal/boltseal"
)

// Kind is what an entry of a layer does.
type Kind byte

const (
	File     Kind = 'f'
	Dir      Kind = 'd'
	Symlink  Kind = 'l'
	Hardlink Kind = 'h'
	Special  Kind = 's' // device or pipe
	Whiteout Kind = 'w' // removes a path of lower layers
	Opaque   Kind = 'o' // removes a folder's content of lower layers
)

// Entry is one entry of a layer. Path is clean and relative.
type Entry struct {
	Kind Kind
	Path []byte
	Mode fs.FileMode
	// Size is that of a file's content; for whiteouts and opaque marks how
	// many entries came before.
	Size int64
	Link []byte // target of a link
}

// Entries is a list of entries in the order of the layer, front-coded: each
// path says how many bytes it shares with the one before.
type Entries struct {
	Data []byte
	N    int
	last []byte
}

// Add appends an entry.
func (l *Entries) Add(e *Entry) {
	shared := 0
	for n := min(len(l.last), len(e.Path)); shared < n && l.last[shared] == e.Path[shared]; shared++ {
	}
	b := append(l.Data, byte(e.Kind))
	b = binary.AppendUvarint(b, uint64(shared))
	b = binary.AppendUvarint(b, uint64(len(e.Path)-shared))
	b = append(b, e.Path[shared:]...)
	b = binary.AppendUvarint(b, uint64(e.Mode))
	b = binary.AppendUvarint(b, uint64(e.Size))
	if e.Kind == Symlink || e.Kind == Hardlink {
		b = binary.AppendUvarint(b, uint64(len(e.Link)))
		b = append(b, e.Link...)
	}
	l.Data = b
	l.N++
	l.last = append(l.last[:0], e.Path...)
}

// cursor reads entries one by one.
type cursor struct {
	data  []byte
	path  []byte
	entry Entry
	// shared is how many bytes of the path are those of the one before.
	shared int
	err    error
}

func (l *Entries) cursor() cursor { return cursor{data: l.Data} }

// next reads the next entry into c.entry, whose slices are valid until then.
func (c *cursor) next() bool {
	if len(c.data) == 0 || c.err != nil {
		return false
	}
	kind := Kind(c.data[0])
	c.data = c.data[1:]
	switch kind {
	case File, Dir, Symlink, Hardlink, Special, Whiteout, Opaque:
	default:
		c.fail()
		return false
	}
	shared := c.uvarint()
	if shared > uint64(len(c.path)) {
		c.fail()
		return false
	}
	c.shared = int(shared)
	c.path = append(c.path[:shared], c.bytes()...)
	c.entry = Entry{Kind: kind, Path: c.path, Mode: fs.FileMode(c.uvarint()), Size: int64(c.uvarint())}
	if kind == Symlink || kind == Hardlink {
		c.entry.Link = c.bytes()
	}
	return c.err == nil
}

func (c *cursor) fail() {
	c.data, c.err = nil, fmt.Errorf("entries of a layer record: %w", boltseal.ErrMalformed)
}

func (c *cursor) uvarint() uint64 {
	v, n := binary.Uvarint(c.data)
	if n <= 0 {
		c.fail()
		return 0
	}
	c.data = c.data[n:]
	return v
}

func (c *cursor) bytes() []byte {
	n := c.uvarint()
	if n > uint64(len(c.data)) {
		c.fail()
		return nil
	}
	b := c.data[:n]
	c.data = c.data[n:]
	return b
}

// check reads everything once, so that a fold need not expect damage.
func (l *Entries) check(marks bool) error {
	c := l.cursor()
	n := 0
	for c.next() {
		n++
		mark := c.entry.Kind == Whiteout || c.entry.Kind == Opaque
		if mark != marks || c.entry.Size < 0 || !clean(c.path) || len(c.path) == 0 && c.entry.Kind == Whiteout {
			c.fail()
		}
	}
	if c.err == nil && n != l.N {
		c.fail()
	}
	return c.err
}
