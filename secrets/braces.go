package secrets

import "sort"

// braces matches the braces of a content. It goes over each byte about once,
// however many positions are asked for. Braces in strings count too: what is
// found with them is no valid object, and whoever asked sees that.
type braces struct {
	opens []brace
	top   int   // the innermost brace that is open at at, counted from 1; 0 for none
	at    int64 // the first offset not looked at
}

type brace struct {
	open, close int64 // close is 0 for a brace that is still open
	outer       int   // the brace round it, counted from 1; 0 for none
}

// mostBraces bounds what is held, mostOuter what is climbed.
const (
	mostBraces = 1 << 16
	mostOuter  = 64
)

// enclosing returns the innermost braces round p.
func (v *view) enclosing(p int) (o span, ok bool) {
	b := &v.braces
	far := v.opts.reach / 2 // an object begins and ends that near
	from, to := v.base+int64(max(0, p-far)), v.base+int64(min(len(v.data), p+far))
	if b.at < from || len(b.opens) > mostBraces {
		*b = braces{opens: b.opens[:0], at: from}
	}
	v.work += max(0, int(to-b.at))
	for ; b.at < to; b.at++ {
		switch v.data[b.at-v.base] {
		case '{':
			b.opens = append(b.opens, brace{open: b.at, outer: b.top})
			b.top = len(b.opens)
		case '}':
			if b.top > 0 {
				closed := &b.opens[b.top-1]
				closed.close, b.top = b.at, closed.outer
			}
		}
	}
	at := v.base + int64(p)
	i := sort.Search(len(b.opens), func(i int) bool { return b.opens[i].open >= at })
	for n := 0; i > 0 && n < mostOuter; n++ {
		one := b.opens[i-1]
		if one.open < from {
			break
		}
		if one.close == 0 || one.close > at {
			return span{int(one.open - v.base), int(one.close-v.base) + 1}, one.close != 0 && one.close < to
		}
		i = one.outer
	}
	return span{}, false
}
