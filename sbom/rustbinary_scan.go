package sbom

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/klauspost/compress/flate"

	"github.com/boltseal/boltseal"
)

const (
	crateList    = `{"packages":[` // how every list starts
	crateListMax = 8 << 20         // bytes inflated, what cargo-auditable's document allows for
	crateProbe   = 1 << 10         // bytes that are enough to inflate the start
	crateTries   = 1 << 16         // starts of zlib streams that turn out to be none
)

// findCrates looks for a zlib stream (RFC 1950) that holds a list of crates, and
// returns the list; nil if there is none. The first one counts.
func findCrates(ctx context.Context, r io.Reader, where []segment) ([]byte, error) {
	w := window{buf: make([]byte, 0, windowBytes)}
	inflater := flate.NewReader(nil)
	at, tries := int64(0), 0 // at is the offset in the file that r has reached
	for _, s := range where {
		start, end := max(s.off, at), s.off+s.size
		if end < s.off { // as its header lies
			end = wholeFile
		}
		if start >= end {
			continue
		}
		if err := skipTo(r, at, start); err != nil {
			return nil, eofIsEnd(err)
		}
		w.reset(io.LimitReader(r, end-start), start)
		for w.need(2) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if !w.nextZlib() {
				continue
			}
			w.need(crateProbe) // there may be fewer
			b := w.buf[w.pos+2:]
			inflater.(flate.Resetter).Reset(bytes.NewReader(b[:min(len(b), crateProbe)]), nil)
			var start [len(crateList)]byte
			if _, err := io.ReadFull(inflater, start[:]); err == nil && string(start[:]) == crateList {
				return inflateCrates(inflater, io.MultiReader(bytes.NewReader(b), w.r))
			}
			if tries++; tries == crateTries {
				return nil, fmt.Errorf("%w: %d zlib streams that hold something else", boltseal.ErrLimit, crateTries)
			}
			w.pos++
		}
		if err := eofIsEnd(w.err); err != nil {
			return nil, err
		}
		at = w.end()
	}
	return nil, nil
}

// nextZlib goes on to the next two bytes that start a zlib stream with the usual
// window of 32 KiB and no dictionary, or to the last byte that is held.
func (w *window) nextZlib() bool {
	for {
		b := w.buf[w.pos:]
		i := bytes.IndexByte(b[:len(b)-1], 0x78)
		if i < 0 {
			w.pos += len(b) - 1
			return false
		}
		w.pos += i
		switch b[i+1] {
		case 0x01, 0x5e, 0x9c, 0xda:
			return true
		}
		if w.pos++; len(w.buf)-w.pos < 2 {
			return false
		}
	}
}

func inflateCrates(inflater io.Reader, r io.Reader) ([]byte, error) {
	inflater.(flate.Resetter).Reset(r, nil)
	list, err := io.ReadAll(io.LimitReader(inflater, crateListMax+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
	case len(list) > crateListMax:
		return nil, fmt.Errorf("%w: list of crates of more than %d bytes", boltseal.ErrLimit, crateListMax)
	}
	return list, nil
}
