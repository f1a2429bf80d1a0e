package decode

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/boltseal/boltseal"
)

// GitObject is one object of a git repository.
type GitObject struct {
	ID   string // in hex
	Type string // "commit", "tree", "blob", "tag"
	// Data is the content, nil for a blob larger than GitLimits.Object, which Reader
	// has instead.
	Data   []byte
	Reader io.Reader
	Size   int64
}

// Content returns a reader of the object's content, for one use.
func (o *GitObject) Content() io.Reader {
	if o.Reader != nil {
		return o.Reader
	}
	return bytes.NewReader(o.Data)
}

// IsLoose reports whether a path is that of a loose object (gitrepository-layout), and
// returns the object's ID.
func IsLoose(name string) (id string, ok bool) {
	parts := strings.Split(name, "/")
	if len(parts) < 2 {
		return "", false
	}
	id = parts[len(parts)-2] + parts[len(parts)-1]
	if len(parts[len(parts)-2]) != 2 || len(id) != 40 && len(id) != 64 || !isHex([]byte(id)) {
		return "", false
	}
	return id, true
}

// Loose opens a loose object: zlib of its type, its size and its content.
// The caller closes it by reading it, or by dropping it.
func Loose(id string, r io.Reader) (*GitObject, error) {
	z, err := zlib.NewReader(r)
	if err != nil {
		return nil, malformed("loose git object: %v", err)
	}
	br := bufio.NewReader(z)
	head, err := br.ReadSlice(0)
	if err != nil || len(head) > 40 {
		return nil, malformed("header of a loose git object")
	}
	kind, digits, _ := strings.Cut(string(head[:len(head)-1]), " ")
	size, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || size < 0 || gitTypes[kind] == 0 {
		return nil, malformed("header of a loose git object")
	}
	return &GitObject{ID: id, Type: kind, Size: size, Reader: io.LimitReader(br, size)}, nil
}

var (
	gitTypes = map[string]byte{"commit": 1, "tree": 2, "blob": 3, "tag": 4}
	gitNames = [...]string{1: "commit", 2: "tree", 3: "blob", 4: "tag"}
)

// Commit is what the history needs of a commit.
type Commit struct {
	Tree    string
	Parents []string
	Time    int64 // of the committer, seconds since 1970
}

// ParseCommit reads a commit's header.
func ParseCommit(data []byte) (c Commit, ok bool) {
	for line := range bytes.Lines(data) {
		key, value, _ := strings.Cut(strings.TrimSuffix(string(line), "\n"), " ")
		switch key {
		case "":
			return c, c.Tree != ""
		case "tree":
			c.Tree = value
		case "parent":
			if len(c.Parents) < 1000 {
				c.Parents = append(c.Parents, value)
			}
		case "committer":
			if _, tail, ok := strings.Cut(value, "> "); ok {
				digits, _, _ := strings.Cut(tail, " ")
				c.Time, _ = strconv.ParseInt(digits, 10, 64)
			}
		}
	}
	return c, c.Tree != ""
}

// TreeEntry is one name in a tree.
type TreeEntry struct {
	Name string
	ID   string
	Dir  bool
	Link bool // a commit of another repository: not an object of this one
}

// ParseTree calls yield for each entry of a tree; idSize is 20, or 32 in
// repositories with SHA-256.
func ParseTree(data []byte, idSize int, yield func(TreeEntry)) error {
	for len(data) > 0 {
		mode, rest, ok := bytes.Cut(data, []byte{' '})
		name, id, ok2 := bytes.Cut(rest, []byte{0})
		if !ok || !ok2 || len(mode) > 7 || len(id) < idSize {
			return malformed("git tree")
		}
		yield(TreeEntry{Name: string(name), ID: hex.EncodeToString(id[:idSize]), Dir: string(mode) == "40000", Link: string(mode) == "160000"})
		data = id[idSize:]
	}
	return nil
}

// applyDelta makes an object out of its base (gitformat-pack, "Deltified representation").
func applyDelta(base, delta []byte, most int64) ([]byte, error) {
	from, n := varint(delta)
	size, m := varint(delta[n:])
	switch {
	case n == 0 || m == 0 || from != int64(len(base)):
		return nil, malformed("git delta for a base of %d bytes, which has %d", from, len(base))
	case size > most:
		return nil, fmt.Errorf("git object of %d bytes: %w of %d", size, boltseal.ErrLimit, most)
	}
	delta = delta[n+m:]
	out := make([]byte, 0, min(size, 1<<20))
	for len(delta) > 0 {
		op := delta[0]
		delta = delta[1:]
		if op&0x80 == 0 { // literal
			if op == 0 || int(op) > len(delta) || int64(len(out))+int64(op) > size {
				return nil, malformed("git delta")
			}
			out, delta = append(out, delta[:op]...), delta[op:]
			continue
		}
		at, count, n, ok := copyOp(op, delta)
		if !ok || at > len(base)-count || int64(len(out))+int64(count) > size {
			return nil, malformed("git delta")
		}
		out, delta = append(out, base[at:at+count]...), delta[n:]
	}
	if int64(len(out)) != size {
		return nil, malformed("git delta makes %d bytes of %d", len(out), size)
	}
	return out, nil
}

// copyOp reads the operands of a copy: which of the 7 bytes are there, the low
// bits of op say.
func copyOp(op byte, b []byte) (at, count, n int, ok bool) {
	for i := range 7 {
		if op>>i&1 == 0 {
			continue
		}
		if n == len(b) {
			return 0, 0, 0, false
		}
		if i < 4 {
			at |= int(b[n]) << (8 * i)
		} else {
			count |= int(b[n]) << (8 * (i - 4))
		}
		n++
	}
	if count == 0 {
		count = 0x10000
	}
	return at, count, n, true
}

// literals returns what a delta adds, one line a piece.
func literals(delta []byte) (out []byte) {
	_, n := varint(delta)
	_, m := varint(delta[n:])
	if n == 0 || m == 0 {
		return nil
	}
	for delta = delta[n+m:]; len(delta) > 0; {
		op := delta[0]
		delta = delta[1:]
		if op&0x80 == 0 {
			k := min(int(op), len(delta))
			out, delta = append(append(out, delta[:k]...), '\n'), delta[k:]
			continue
		}
		_, _, k, ok := copyOp(op, delta)
		if !ok {
			break
		}
		delta = delta[k:]
	}
	return out
}

// varint reads a size: 7 bits a byte, lowest first. n is 0 if there is none.
func varint(b []byte) (v int64, n int) {
	for n < len(b) && n < 9 {
		v |= int64(b[n]&0x7f) << (7 * n)
		n++
		if b[n-1]&0x80 == 0 {
			return v, n
		}
	}
	return 0, 0
}
