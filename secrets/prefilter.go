package secrets

import (
	"cmp"
	"slices"
)

// The prefilter answers, for every second position of the input, whether the
// four bytes there can be part of a needle. A needle has two windows, one at an
// even and one at an odd offset, so that exactly one of them lies at an even
// position wherever the needle stands. Letters are folded by setting bit 5,
// which makes one load serve rules of either kind.

// foldMask folds the case of four bytes at once, foldMask8 of eight. It also
// maps other bytes onto each other, which the comparison with the literal sorts out.
const (
	foldMask  = 0x20202020
	foldMask8 = foldMask<<32 | foldMask
)

// filterBits is the size of each bitmap: 2^18 bits are 32 KiB.
const filterBits = 18

type bitmap [1 << filterBits / 64]uint64

func (b *bitmap) set(h uint32)      { b[h>>6] |= 1 << (h & 63) }
func (b *bitmap) has(h uint32) bool { return b[h>>6]&(1<<(h&63)) != 0 }

const firstFactor = 0x9E3779B1

func firstHash(v uint32) uint32  { return v * firstFactor >> (32 - filterBits) }
func secondHash(v uint32) uint32 { return (v ^ v>>15) * 0x85EBCA6B >> (32 - filterBits) }

// link leads from a key to a needle, whose literal begins off bytes before
// the window.
type link struct {
	needle int32
	off    int32
}

// filter is the compiled prefilter.
type filter struct {
	first, second bitmap
	keys          []uint32 // open addressing; 0 is free
	heads         []int32  // index of the key's first link
	links         []link   // those of a key in a row, closed by needle -1
}

// window is one of the two places where a needle is looked for.
type window struct {
	off  int // from the literal's first byte
	sets [4]set
}

// needle is a literal with the classes that surely stand beside it.
type needle struct {
	literal string // in lower case if fold
	fold    bool
	before  []set // nearest last
	after   []set // nearest first
	action  action
	arg     int // what the action is about
}

// windows picks the cheapest even and odd window; ok is false if a parity has
// none that expands to at most mostKeys keys.
func (n *needle) windows() (out [2]window, ok bool) {
	var all []set
	all = append(all, n.before...)
	for i := range len(n.literal) {
		s := singleton(n.literal[i])
		if n.fold {
			s.add(upper(n.literal[i]))
		}
		all = append(all, s)
	}
	all = append(all, n.after...)
	var best [2]float64
	var have [2]bool
	for i := 0; i+4 <= len(all); i++ {
		w := window{off: i - len(n.before), sets: [4]set(all[i : i+4])}
		p := w.off & 1
		if cost, fits := w.cost(); fits && (!have[p] || cost < best[p]) {
			best[p], have[p], out[p] = cost, true, w
		}
	}
	return out, have[0] && have[1]
}

// mostKeys bounds what one window expands to.
const mostKeys = 4096

// cost is the estimated share of positions that pass because of the window.
func (w *window) cost() (cost float64, fits bool) {
	keys, likely := 1, 1.0
	for i := range w.sets {
		n, sum := 0, 0.0
		for _, c := range folded(w.sets[i]) {
			n++
			sum += commonness(c)
		}
		keys *= n
		likely *= sum
		if keys > mostKeys {
			return 0, false
		}
	}
	return likely + float64(keys)/(1<<filterBits), true
}

// folded lists the bytes of a set with bit 5 set.
func folded(s set) []byte {
	var f set
	for c := range 256 {
		if s.has(byte(c)) {
			f.add(byte(c) | 0x20)
		}
	}
	var out []byte
	for c := range 256 {
		if f.has(byte(c)) {
			out = append(out, byte(c))
		}
	}
	return out
}

// commonness is about how often a folded byte occurs in source code and prose.
func commonness(c byte) float64 {
	const byRank = " etaoinsrhldcumfpgwybvkxjqz"
	switch {
	case c == ' ':
		return 0.15
	case c >= 'a' && c <= 'z':
		for i := range len(byRank) {
			if byRank[i] == c {
				return 0.10 / (1 + float64(i)*float64(i)/40)
			}
		}
	case c >= '0' && c <= '9':
		return 0.01
	case c == '-', c == '=', c == '*', c == '#', c == '_'|0x20, c == '/', c == '.':
		return 0.03 // rows of them divide texts
	case c < 0x80:
		return 0.007
	}
	return 0.002
}

func upper(c byte) byte {
	if c >= 'a' && c <= 'z' {
		c -= 'a' - 'A'
	}
	return c
}

// expand calls f with every key of the window.
func (w *window) expand(f func(key uint32)) {
	var bytes [4][]byte
	for i := range w.sets {
		bytes[i] = folded(w.sets[i])
	}
	for _, a := range bytes[0] {
		for _, b := range bytes[1] {
			for _, c := range bytes[2] {
				for _, d := range bytes[3] {
					f(uint32(a) | uint32(b)<<8 | uint32(c)<<16 | uint32(d)<<24)
				}
			}
		}
	}
}

// build makes the filter of needles; bad lists those that cannot be looked for.
func build(needles []needle) (f *filter, bad []int) {
	type entry struct {
		key uint32
		link
	}
	var entries []entry
	for i := range needles {
		ws, ok := needles[i].windows()
		if !ok {
			bad = append(bad, i)
			continue
		}
		for _, w := range ws {
			w.expand(func(key uint32) {
				entries = append(entries, entry{key, link{int32(i), int32(w.off)}})
			})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.needle, b.needle), cmp.Compare(a.off, b.off))
	})
	f = &filter{links: make([]link, 0, len(entries)*2)}
	size := 64
	for size < 2*len(entries) {
		size *= 2
	}
	f.keys, f.heads = make([]uint32, size), make([]int32, size)
	for i := 0; i < len(entries); {
		key := entries[i].key
		slot := f.slot(key)
		f.keys[slot], f.heads[slot] = key, int32(len(f.links))
		f.first.set(firstHash(key))
		f.second.set(secondHash(key))
		for ; i < len(entries) && entries[i].key == key; i++ {
			f.links = append(f.links, entries[i].link)
		}
		f.links = append(f.links, link{needle: -1})
	}
	return f, bad
}

// slot returns where the key is or would be.
func (f *filter) slot(key uint32) uint32 {
	mask := uint32(len(f.keys) - 1)
	slot := secondHash(key) * 7 & mask
	for f.keys[slot] != 0 && f.keys[slot] != key {
		slot = (slot + 1) & mask
	}
	return slot
}
