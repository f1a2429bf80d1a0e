package secrets

import (
	"cmp"
	"slices"

	"github.com/boltseal/boltseal"
)

// wide is a range of offsets in a content.
type wide struct{ start, end int64 }

func (s wide) meets(o wide) bool { return s.start < o.end && o.start < s.end }

// found is a candidate that waits for others on the same bytes.
type found struct {
	rule       *Rule
	span       wide
	parts      []wide // other bytes that are part of it
	bar        bool   // no finding: it only keeps generic rules off the bytes
	pass       bool
	confidence Confidence
	match      Match
	ask        *Verifiable
	key        fingerprint
	loc        boltseal.Location
	// origin numbers the encoded stretch that the match was decoded from, and
	// whose span it has; 0 for one that stands there as it is. A stretch is loose
	// if it is text with escapes in it, which rules also read as it is.
	origin int
	loose  bool
}

// rank orders what stands there and what is decoded from it. Of generic
// matches the decoded one knows better what a long value is.
func (f *found) rank() int {
	switch {
	case f.loose:
		return 3
	case f.origin == 0:
		return 1
	case f.rule.Generic:
		return 0
	}
	return 2
}

// before orders candidates by who may claim bytes first. It does not depend on
// the order in which they were found.
func (f *found) before(o *found) int {
	no := func(b bool) int {
		if b {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(no(!f.rule.Generic), no(!o.rule.Generic)),
		cmp.Compare(no(!f.bar), no(!o.bar)),
		cmp.Compare(f.confidence, o.confidence),
		cmp.Compare(f.rank(), o.rank()),
		cmp.Compare(no(f.pass), no(o.pass)),
		cmp.Compare(o.span.end-o.span.start, f.span.end-f.span.start),
		cmp.Compare(f.rule.ID, o.rule.ID),
		cmp.Compare(f.span.start, o.span.start),
	)
}

// pending are the candidates of one content that are not decided yet. One span
// is one finding: the best candidate claims its bytes and those of its parts,
// and the others on them are dropped.
type pending []found

// mostPending bounds the candidates held. It counts candidates, not bytes read,
// so that it strikes at the same place whatever the blocks.
const mostPending = 512

func (p *pending) add(v *view, f found) {
	*p = append(*p, f)
	if len(*p) >= mostPending {
		if p.decide(v, f.span.start-2*int64(v.opts.reach)); len(*p) > mostPending/2 {
			p.decide(v, 1<<62)
		}
	}
}

// decide settles all candidates that end before an offset.
func (p *pending) decide(v *view, before int64) {
	list := *p
	slices.SortStableFunc(list, func(a, b found) int {
		late := func(f *found) int {
			if f.span.end > before {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(late(&a), late(&b)), a.before(&b))
	})
	n, _ := slices.BinarySearchFunc(list, true, func(f found, _ bool) int {
		if f.span.end > before {
			return 0
		}
		return -1
	})
	type claim struct {
		wide
		by *found
	}
	var claimed []claim
	var barred []wide
	taken := func(f *found) bool {
		meets := func(o claim) bool {
			switch {
			case !o.meets(f.span), f.origin != 0 && f.origin == o.by.origin: // decided where they were decoded
				return false
			case f.loose || o.by.loose:
				return f.key == o.by.key
			}
			return true
		}
		return slices.ContainsFunc(claimed, meets) ||
			f.rule.Generic && slices.ContainsFunc(barred, func(o wide) bool { return o.meets(f.span) })
	}
	keep := make([]*found, 0, n)
	for i := range list[:n] {
		f := &list[i]
		switch {
		case taken(f):
		case f.bar:
			barred = append(barred, f.span)
		default:
			claimed = append(claimed, claim{f.span, f})
			for _, p := range f.parts {
				claimed = append(claimed, claim{p, f})
			}
			keep = append(keep, f)
		}
	}
	slices.SortStableFunc(keep, func(a, b *found) int { return cmp.Compare(a.span.start, b.span.start) })
	for _, f := range keep {
		if v.captured != nil {
			*v.captured = append(*v.captured, *f)
		} else {
			v.grouped.add(v, f)
		}
	}
	*p = slices.Delete(list, 0, n)
}

// finish settles what is left of a content, and gives the view back.
func (v *view) finish() {
	if len(v.pending) > 0 {
		v.pending.decide(v, 1<<62)
	}
	views := &v.opts.views
	v.scan, v.content, v.data = nil, content{}, nil
	views.Put(v)
}

// capture runs a scan of what a stretch of v means, and takes what it finds as
// v's own candidates on that stretch.
func (v *view) capture(stretch wide, loose bool, scan func() error) error {
	outer := v.captured
	var got []found
	v.captured = &got
	err := scan()
	v.captured = outer
	v.origins++
	for _, f := range got {
		f.span, f.parts, f.origin, f.loose = stretch, nil, v.origins, loose
		v.pending.add(v, f)
	}
	return err
}
