package registry

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/opencontainers/go-digest"
	bolt "go.etcd.io/bbolt"

	"github.com/boltseal/boltseal"
)

// EventType is what happened, in the terms of CloudEvents' attribute type.
type EventType string

const (
	ImageNew      EventType = "io.boltseal.registry.image.new"      // a reference that was not there
	ImageRetagged EventType = "io.boltseal.registry.image.retagged" // it leads to another image now
	ImageGone     EventType = "io.boltseal.registry.image.gone"     // two complete listings did not have it
	ImageReturned EventType = "io.boltseal.registry.image.returned"

	VulnerabilityOpened    EventType = "io.boltseal.registry.vulnerability.opened"
	VulnerabilityClosed    EventType = "io.boltseal.registry.vulnerability.closed"
	VulnerabilitySeverity  EventType = "io.boltseal.registry.vulnerability.severity"  // From and To are severities
	VulnerabilityFix       EventType = "io.boltseal.registry.vulnerability.fix"       // the fixed version became known, or changed
	VulnerabilityExploited EventType = "io.boltseal.registry.vulnerability.exploited" // CISA listed it
	VulnerabilityVEX       EventType = "io.boltseal.registry.vulnerability.vex"       // a statement that it does not count appeared, changed or went

	ScanFailed          EventType = "io.boltseal.registry.scan.failed"
	SourceUnreachable   EventType = "io.boltseal.registry.source.unreachable"
	GenerationActivated EventType = "io.boltseal.registry.generation.activated"
)

// Event is one thing that changed. One advisory that concerns many images is
// one event: see [Store.Images].
type Event struct {
	// Sequence orders the events of a store, without gaps, from 1.
	Sequence uint64
	// ID identifies the event: who sees the same ID twice has seen it.
	ID   string
	Type EventType
	Time time.Time
	// Reference is the image's name with its tag, for events of references;
	// the host and pattern for those of sources.
	Reference string
	Digest    digest.Digest // of what Reference leads to now
	Was       digest.Digest // before, for ImageRetagged
	// Rule is the advisory; Package the name and versions that it concerns.
	Rule     string
	Title    string
	Severity boltseal.Severity
	Fixed    string
	Package  string
	Versions []string
	From, To string
	// Why says what led to it.
	Why        string
	Generation string // of the advisories

	images     *roaring.Bitmap
	components []uint32 // that it is about, ascending
	// epoch tells apart the times that the same thing happens: how often the
	// store was evaluated, or the reference changed, before.
	epoch uint64
}

// Count is how many images the event concerns.
func (e *Event) Count() uint64 {
	if e.images == nil {
		return 0
	}
	return e.images.GetCardinality()
}

// identity is what makes the event the same one when a crash has it computed
// again: not the time, and not the order.
func (e *Event) identity() string {
	h := sha256.New()
	field := func(s string) {
		_, _ = h.Write(binary.AppendUvarint(nil, uint64(len(s)))) // a hash takes all
		_, _ = h.Write([]byte(s))
	}
	for _, s := range []string{string(e.Type), e.Reference, string(e.Digest), string(e.Was), e.Rule, e.Package, e.From, e.To, e.Generation} {
		field(s)
	}
	for _, v := range e.Versions {
		field(v)
	}
	_, _ = h.Write(be64(e.epoch))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func encodeEvent(e *Event) ([]byte, error) {
	var b encoder
	b.string(e.ID)
	b.string(string(e.Type))
	b.uint(uint64(e.Time.UnixMilli()))
	for _, s := range []string{e.Reference, string(e.Digest), string(e.Was), e.Rule, e.Title} {
		b.string(s)
	}
	b.uint(uint64(e.Severity))
	b.string(e.Fixed)
	b.string(e.Package)
	b.strings(e.Versions)
	for _, s := range []string{e.From, e.To, e.Why, e.Generation} {
		b.string(s)
	}
	if e.images != nil {
		raw, err := e.images.MarshalBinary()
		if err != nil {
			return nil, err
		}
		b.string(string(raw))
		b.ascending(e.components)
	}
	return b, nil
}

func decodeEvent(sequence uint64, raw []byte) (*Event, error) {
	d := decoder{rest: raw}
	e := &Event{Sequence: sequence, ID: d.string(), Type: EventType(d.string()), Time: time.UnixMilli(int64(d.uint())).UTC()}
	e.Reference, e.Digest, e.Was, e.Rule, e.Title = d.string(), digest.Digest(d.string()), digest.Digest(d.string()), d.string(), d.string()
	e.Severity = boltseal.Severity(d.uint())
	e.Fixed, e.Package, e.Versions = d.string(), d.string(), d.strings()
	e.From, e.To, e.Why, e.Generation = d.string(), d.string(), d.string(), d.string()
	if bits := d.bytes(); len(bits) > 0 {
		e.images = roaring.New()
		if err := e.images.UnmarshalBinary(bits); err != nil {
			d.bad = true
		}
		e.components = d.ascending()
	}
	return e, d.err("event")
}

// emit writes an event, in the transaction of what it is about: both happen, or
// none.
func emit(tx *bolt.Tx, e *Event) error {
	e.ID = e.identity()
	events := tx.Bucket(bucketEvent)
	events.FillPercent = appended
	n, err := events.NextSequence()
	if err != nil {
		return err
	}
	e.Sequence = n
	raw, err := encodeEvent(e)
	if err != nil {
		return err
	}
	return events.Put(be64(n), raw)
}

// Events yields what happened after the event with the given sequence, in
// order, up to now.
func (s *Store) Events(ctx context.Context, after uint64) iter.Seq2[*Event, error] {
	const page = 256 // events read at once, so that no transaction stays open while the caller works
	return func(yield func(*Event, error) bool) {
		for {
			var list []*Event
			err := s.db.View(func(tx *bolt.Tx) error {
				c := tx.Bucket(bucketEvent).Cursor()
				for k, v := c.Seek(be64(after + 1)); k != nil && len(list) < page; k, v = c.Next() {
					e, err := decodeEvent(binary.BigEndian.Uint64(k), v)
					if err != nil {
						return err
					}
					list = append(list, e)
				}
				return ctx.Err()
			})
			if err != nil {
				yield(nil, fmt.Errorf("read events: %w", err))
				return
			}
			for _, e := range list {
				if !yield(e, nil) {
					return
				}
				after = e.Sequence
			}
			if len(list) < page {
				return
			}
		}
	}
}

// Cursor returns the sequence of the last event that a sink has confirmed; 0 if none.
func (s *Store) Cursor(sink string) (n uint64, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		if b := tx.Bucket(bucketCursor).Get([]byte(sink)); len(b) == 8 {
			n = binary.BigEndian.Uint64(b)
		}
		return nil
	})
	return n, err
}

// Confirm remembers that a sink has all events up to a sequence. It never goes back.
func (s *Store) Confirm(sink string, sequence uint64) error {
	return s.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketCursor)
		if old := b.Get([]byte(sink)); len(old) == 8 && binary.BigEndian.Uint64(old) >= sequence {
			return nil
		}
		return b.Put([]byte(sink), be64(sequence))
	})
}
