package vuln

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/boltseal/boltseal"
)

// strBlock is the number of strings that share one full string: the first of a
// block is stored whole, each further one as the length it shares with its
// predecessor, the length of the rest, and the rest.
const strBlock = 16

// strtab is a table of strings in two sections, the blocks and the index: u32
// number of strings, then u32 offset per block.
type strtab struct {
	blob, idx []byte
	n         int
}

func openStrtab(blob, idx []byte) (strtab, error) {
	t := strtab{blob: blob}
	if len(idx) < 4 {
		return t, fmt.Errorf("%w: string table without a size", boltseal.ErrMalformed)
	}
	n := int64(binary.LittleEndian.Uint32(idx))
	if int64(len(idx)) != 4+4*((n+strBlock-1)/strBlock) || n > int64(len(blob)) {
		return t, fmt.Errorf("%w: string table of %d strings has an index of %d bytes and %d bytes of text", boltseal.ErrMalformed, n, len(idx), len(blob))
	}
	t.n, t.idx = int(n), idx[4:]
	return t, nil
}

// buildStrtab encodes strings in the given order.
func buildStrtab(list []string) (blob, idx []byte) {
	idx = binary.LittleEndian.AppendUint32(nil, uint32(len(list)))
	for i, s := range list {
		shared := 0
		if i%strBlock == 0 {
			idx = binary.LittleEndian.AppendUint32(idx, uint32(len(blob)))
		} else {
			prev := list[i-1]
			for shared < len(prev) && shared < len(s) && prev[shared] == s[shared] {
				shared++
			}
			blob = appendUint(blob, shared)
		}
		blob = appendUint(blob, len(s)-shared)
		blob = append(blob, s[shared:]...)
	}
	return blob, idx
}

func (t *strtab) block(b int) cursor {
	off := u32(t.idx, b)
	if off > len(t.blob) {
		return cursor{bad: true}
	}
	return cursor{b: t.blob[off:]}
}

// first returns the string that starts block b, in place.
func (t *strtab) first(b int) []byte {
	c := t.block(b)
	return c.str(0)
}

// next decodes the string that follows buf in its block into buf.
func (c *cursor) next(buf []byte) []byte {
	shared := c.uint()
	if shared > len(buf) {
		c.bad, shared = true, 0
	}
	return append(buf[:shared], c.str(shared)...)
}

// maxString bounds one string, in bytes. What Build writes is far below: it
// refuses longer names, and keys grow with versions of at most 1 KiB. A damaged
// file could otherwise make each step of a search cost the whole file.
const maxString = 1 << 18

// str takes a length and as many bytes; shared is what the string has before.
func (c *cursor) str(shared int) []byte {
	n := c.uint()
	if n > maxString-shared {
		c.bad, n = true, 0
	}
	return c.take(n)
}

// decode decodes string i into buf, which may be on the caller's stack.
func (t *strtab) decode(buf []byte, i int) []byte {
	if i < 0 || i >= t.n {
		return buf[:0]
	}
	c := t.block(i / strBlock)
	buf = append(buf[:0], c.str(0)...)
	for range i % strBlock {
		buf = c.next(buf)
	}
	return buf
}

// at returns string i; out of range it is empty.
func (t *strtab) at(i int) string {
	var buf [160]byte
	return string(t.decode(buf[:0], i))
}

// search returns the range [lo, hi) of strings equal to key among the sorted
// strings [first, first+n); lo is where it would stand. buf is scratch space.
func (t *strtab) search(first, n int, key, buf []byte) (lo, hi int, scratch []byte) {
	end := min(first+n, t.n)
	if first >= end {
		return first, first, buf
	}
	// The last block that starts below key: its first string may lie before
	// the range, which the scan skips.
	b, e := first/strBlock, (end-1)/strBlock
	for b < e {
		m := (b + e + 1) / 2
		if bytes.Compare(t.first(m), key) < 0 {
			b = m
		} else {
			e = m - 1
		}
	}
	var c cursor
	lo = -1
	for i := b * strBlock; i < end; i++ {
		if i%strBlock == 0 {
			c = t.block(i / strBlock)
			buf = append(buf[:0], c.str(0)...)
		} else {
			buf = c.next(buf)
		}
		if i < first {
			continue
		}
		switch cmp := bytes.Compare(buf, key); {
		case cmp < 0:
			continue
		case lo < 0:
			lo = i
		}
		if !bytes.Equal(buf, key) {
			return lo, i, buf
		}
	}
	if lo < 0 {
		lo = end
	}
	return lo, end, buf
}
