package image

import (
	"fmt"

	"github.com/boltseal/boltseal"
)

// maxNotes bounds the remarks of one kind that name a path.
const maxNotes = 8

// maxLinkNotes bounds those on hard links that say where they lead.
const maxLinkNotes = 100

// note adds a remark that leaves nothing unread.
func (b *layerBuilder) note(p, reason string) { b.remark(p, reason, true) }

// skip adds something that was not read.
func (b *layerBuilder) skip(p, reason string) { b.remark(p, reason, false) }

func (b *layerBuilder) remark(p, reason string, note bool) {
	if b.counts == nil {
		b.counts = map[string]int{}
	}
	if b.counts[reason] == 0 {
		b.order = append(b.order, reason)
	}
	if b.counts[reason]++; b.counts[reason] <= maxNotes || !note && len(b.counts) < 1000 && b.counts[reason] <= 1000 {
		b.rec.Notes = append(b.rec.Notes, boltseal.Skip{Path: p, Reason: reason, Note: note})
	}
}

// flush says how many remarks were left out.
func (b *layerBuilder) flush() {
	said := make(map[string]int)
	note := make(map[string]bool)
	for _, s := range b.rec.Notes {
		said[s.Reason]++
		note[s.Reason] = s.Note
	}
	for _, reason := range b.order {
		if n := b.counts[reason] - said[reason]; n > 0 {
			b.rec.Notes = append(b.rec.Notes, boltseal.Skip{Reason: fmt.Sprintf("%s (and %d more)", reason, n), Note: note[reason]})
		}
	}
}
