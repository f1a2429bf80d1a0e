package secrets

import (
	"bytes"
	"context"
	"encoding/binary"

	"github.com/boltseal/boltseal/secrets/internal/decode"
)

const (
	// reach is how far around a position a decision may look: the longest
	// object. Every position is decided with that much at hand, so that
	// block borders change nothing.
	reach = 64 << 10
	// block is how much is read at a time. Even, as all steps through the
	// content are: the prefilter looks at even offsets.
	block = 256 << 10
)

// view is a content with a window of its bytes, moving from its start to its end.
type view struct {
	*scan
	content
	data []byte
	base int64 // offset in the content of data[0]
	next int   // the first position not yet decided
	runs []run
	// round is what makes all runs forgotten at once: see [run].
	round uint32
	work  int // bytes looked at by programs and handlers, for tests
	// lines counts the line breaks before data[lined], which is near the last
	// position that was asked for.
	lines, lined int

	finder  decode.Finder // of escaped text
	pending pending

	braces               braces
	lineStart, lineKnown int           // of the line that was looked at last, and up to where
	assigned             int           // the value of the last assignment begins here
	named                span          // the name that was looked at last
	pemSeen              int           // the end of the last block
	pemEnd               int           // the end line that was found last
	pemSearched          int           // there is no other before
	commanded            int           // up to here, command lines were looked at
	objects              map[int]int64 // per rule, one more than the offset of the last object
	tokens               map[int]int   // per rule, the end of the last token that fitted
	tried                map[int]int   // per rule, where its expression is tried again
}

// stride is the step in which needles and encoded text are looked for in turns.
// Strides lie at multiples of it in the content, so that their order is the same
// whatever the blocks.
const stride = 4096

// find decides the positions up to to, or to the end of the last whole stride
// before it if more data follows.
func (v *view) find(ctx context.Context, to int, last bool) {
	for v.next < to {
		end := v.next + stride - int((v.base+int64(v.next))%stride)
		if end > to {
			if !last {
				return
			}
			end = to
		}
		from := v.next
		v.needles(ctx, end)
		v.stretches(ctx, from, end)
		if ctx.Err() != nil {
			return
		}
	}
}

// needles looks for needles at the even positions up to to, and acts on those
// it finds. Content starts at an even position of data.
func (v *view) needles(ctx context.Context, to int) {
	data, bits := v.data, &v.set.filter.bits
	i := v.next
	for ; i+8 <= to && i+12 <= len(data); i += 8 {
		q := data[i : i+12 : i+12]
		a := binary.LittleEndian.Uint64(q) | foldMask8
		b := binary.LittleEndian.Uint64(q[4:]) | foldMask8
		p0 := bits.passes(spread(uint32(a)))
		p2 := bits.passes(spread(uint32(a >> 16)))
		p4 := bits.passes(spread(uint32(b)))
		p6 := bits.passes(spread(uint32(b >> 16)))
		if (p0|p2|p4|p6)&1 != 0 {
			if p0&1 != 0 {
				v.at(ctx, i, uint32(a))
			}
			if p2&1 != 0 {
				v.at(ctx, i+2, uint32(a>>16))
			}
			if p4&1 != 0 {
				v.at(ctx, i+4, uint32(b))
			}
			if p6&1 != 0 {
				v.at(ctx, i+6, uint32(b>>16))
			}
		}
	}
	for ; i < to && i+4 <= len(data); i += 2 {
		if key := binary.LittleEndian.Uint32(data[i:]) | foldMask; bits.passes(spread(key))&1 != 0 {
			v.at(ctx, i, key)
		}
	}
	v.next = max(v.next, to)
}

// at acts on the needles that have the key, which passed the bitmap, in one of
// their windows.
func (v *view) at(ctx context.Context, p int, key uint32) {
	f := v.set.filter
	slot := f.slot(key)
	if slot.key != key {
		return
	}
	for l := slot.head; f.links[l].needle >= 0; l++ {
		n := &v.set.needles[f.links[l].needle]
		start := p - int(f.links[l].off)
		v.work++
		if start < 0 || start+len(n.literal) > len(v.data) || !n.matches(v.data[start:]) {
			continue
		}
		v.act(ctx, n, start)
	}
}

// matches compares the literal; data is long enough.
func (n *needle) matches(data []byte) bool {
	if !n.fold {
		return string(data[:len(n.literal)]) == n.literal
	}
	for i := range len(n.literal) {
		c := data[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != n.literal[i] {
			return false
		}
	}
	return true
}

// act does what the sight of a needle at p calls for.
func (v *view) act(ctx context.Context, n *needle, p int) {
	switch n.action {
	case tryPrograms:
		for _, i := range v.set.groups[n.arg] {
			g := &v.set.programs[i]
			if token, secret, glued, ok := v.try(g, p); ok {
				v.program(g, token, secret, glued)
			}
		}
	case tryRegexp:
		v.expression(p, n.arg)
	case tryObject:
		v.object(p, n.arg)
	case tryPEM:
		v.pem(p)
	case tryAssignment:
		v.assign(p, len(n.literal))
	case tryURL:
		v.userinfo(p)
	case tryHeader:
		v.header(p, len(n.literal))
	case tryCommand:
		v.command(p, len(n.literal))
	case tryDocker:
		v.docker(p)
	}
}

// slide drops the bytes before data[n], which is even.
func (v *view) slide(n int) {
	v.lines, v.lined = v.lines+breaks(v.data[min(v.lined, n):max(v.lined, n)], v.lined <= n), 0
	v.data = append(v.data[:0], v.data[n:]...)
	v.base += int64(n)
	v.next -= n
	v.lineStart, v.lineKnown = v.lineStart-n, v.lineKnown-n
	v.assigned, v.commanded = v.assigned-n, v.commanded-n
	v.named = span{v.named.start - n, v.named.end - n}
	v.pemSeen, v.pemEnd, v.pemSearched = v.pemSeen-n, v.pemEnd-n, v.pemSearched-n
	v.finder.Slide(n)
	for i := range v.tokens {
		v.tokens[i] -= n
	}
	for i := range v.tried {
		v.tried[i] -= n
	}
	v.round++
}

// breaks counts the line breaks in a stretch, below zero for one gone back.
func breaks(data []byte, on bool) int {
	n := bytes.Count(data, []byte{'\n'})
	if !on {
		n = -n
	}
	return n
}

// line returns the number of the line that data[p] is on, from 1.
func (v *view) line(p int) int {
	v.lines += breaks(v.data[min(v.lined, p):max(v.lined, p)], v.lined <= p)
	v.lined = p
	return v.lines + 1
}

// around returns what may be looked at to decide on a match.
func (v *view) around(s span) (text []byte, at span) {
	lo, hi := max(0, s.start-reach), min(len(v.data), s.end+reach)
	return v.data[lo:hi:hi], span{s.start - lo, s.end - lo}
}
