package secrets

import "slices"

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

// bitmap is the set of keys, with a few too many: a key has two bits of one word. 32 KiB
// stay in the fastest cache.
type bitmap [1 << 12]uint64

// spread is the hash of a key: its highest 12 bits are the word, the next two times six the bits.
func spread(key uint32) uint64 { return uint64(key) * 0x9E3779B97F4A7C15 }

// passes reports, in the lowest bit, whether a key with the hash may be in the set.
func (b *bitmap) passes(h uint64) uint64 {
	w := b[h>>52]
	return w >> (h >> 46 & 63) & (w >> (h >> 40 & 63))
}

func (b *bitmap) add(h uint64) { b[h>>52] |= 1<<(h>>46&63) | 1<<(h>>40&63) }

// link leads from a key to a needle, whose literal begins off bytes before
// the window.
type link struct {
	needle int32
	off    int32
}

// filter is the compiled prefilter.
type filter struct {
	bits  bitmap
	slots []slot // open addressing
	links []link // those of a key in a row, closed by needle -1
}

type slot struct {
	key  uint32 // 0 is free
	head int32  // index of the first link
}

// window is one of the two places where a needle is looked for.
type window struct {
	off   int      // from the literal's first byte
	bytes [4]*fold // what may stand there
}

// fold is a set of bytes with bit 5 set, and how common they are in sum.
type fold struct {
	bytes  []byte
	common float64
}

// folder remembers the folds of sets: there are few.
type folder map[set]*fold

func (f folder) of(s set) *fold {
	if one := f[s]; one != nil {
		return one
	}
	one := &fold{}
	for c := 0x20; c < 256; c++ {
		if c&0x20 != 0 && (s.has(byte(c)) || s.has(byte(c&^0x20))) {
			one.bytes = append(one.bytes, byte(c))
			one.common += commonness(byte(c))
		}
	}
	f[s] = one
	return one
}

// needle is a literal with the classes that surely stand beside it.
type needle struct {
	literal string // in lower case if fold
	fold    bool
	before  []set // nearest last
	after   []set // nearest first
	action  action
	arg     int // what the action is about
	windows [2]window
}

// find picks the cheapest even and odd window, and returns their cost; ok is
// false if a parity has none that expands to at most mostKeys keys.
func (n *needle) find(f folder) (cost float64, ok bool) {
	all := make([]*fold, 0, 64) // of most, so that they need no memory of their own
	for _, s := range n.before {
		all = append(all, f.of(s))
	}
	for i := range len(n.literal) {
		all = append(all, f.of(singleton(n.literal[i])))
	}
	for _, s := range n.after {
		all = append(all, f.of(s))
	}
	var best [2]float64
	var have [2]bool
	for i := 0; i+4 <= len(all); i++ {
		w := window{off: i - len(n.before), bytes: [4]*fold(all[i : i+4])}
		p := w.off & 1
		if cost, fits := w.cost(); fits && (!have[p] || cost < best[p]) {
			best[p], have[p], n.windows[p] = cost, true, w
		}
	}
	return best[0] + best[1], have[0] && have[1]
}

// filterKeys is about how many keys fill the bitmap.
const filterKeys = 1 << 18

// mostKeys bounds what one window expands to.
const mostKeys = 4096

// cost is the estimated share of positions that pass because of the window.
func (w *window) cost() (cost float64, fits bool) {
	keys, likely := 1, 1.0
	for _, f := range w.bytes {
		keys *= len(f.bytes)
		likely *= f.common
	}
	return likely + float64(keys)/filterKeys, keys <= mostKeys
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

// keys is how many keys the window has.
func (w *window) keys() int {
	n := 1
	for _, f := range w.bytes {
		if f == nil {
			return 0
		}
		n *= len(f.bytes)
	}
	return n
}

// expand calls f with every key of the window.
func (w *window) expand(f func(key uint32)) {
	for _, a := range w.bytes[0].bytes {
		for _, b := range w.bytes[1].bytes {
			for _, c := range w.bytes[2].bytes {
				for _, d := range w.bytes[3].bytes {
					f(uint32(a) | uint32(b)<<8 | uint32(c)<<16 | uint32(d)<<24)
				}
			}
		}
	}
}

// build makes the filter of needles; bad lists those that cannot be looked for.
func build(needles []needle, folds folder) (f *filter, bad []int) {
	// An entry is a key, the number of its needle, and the window's offset: from
	// the most significant bits on, so that sorting brings equal keys together.
	const offBits, offZero = 12, 1 << 11
	total := 0
	for i := range needles {
		n := &needles[i]
		if n.windows[0].bytes[0] == nil {
			if _, ok := n.find(folds); !ok {
				bad = append(bad, i)
			}
		}
		total += n.windows[0].keys() + n.windows[1].keys()
	}
	if len(bad) > 0 {
		return nil, bad
	}
	entries := make([]uint64, 0, total)
	for i := range needles {
		for _, w := range needles[i].windows {
			w.expand(func(key uint32) {
				entries = append(entries, uint64(key)<<32|uint64(i)<<offBits|uint64(w.off+offZero))
			})
		}
	}
	slices.Sort(entries)
	entries = slices.Compact(entries)
	f = &filter{links: make([]link, 0, 2*len(entries))}
	size := 64
	for size < 2*len(entries) {
		size *= 2
	}
	f.slots = make([]slot, size)
	for i := 0; i < len(entries); {
		key := uint32(entries[i] >> 32)
		*f.slot(key) = slot{key, int32(len(f.links))}
		f.bits.add(spread(key))
		for ; i < len(entries) && uint32(entries[i]>>32) == key; i++ {
			low := uint32(entries[i])
			f.links = append(f.links, link{int32(low >> offBits), int32(low&(1<<offBits-1)) - offZero})
		}
		f.links = append(f.links, link{needle: -1})
	}
	return f, bad
}

// slot returns where the key is or would be.
func (f *filter) slot(key uint32) *slot {
	mask := uint64(len(f.slots) - 1)
	at := spread(key) >> 20 & mask
	for f.slots[at].key != 0 && f.slots[at].key != key {
		at = (at + 1) & mask
	}
	return &f.slots[at]
}
