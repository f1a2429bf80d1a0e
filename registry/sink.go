package registry

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Sink is where events go. [Deliver] calls it with one message after another, in
// order, from one goroutine.
type Sink interface {
	// Send returns once the message is delivered: it tries again by itself what
	// fails in passing. An error that wraps [ErrRejected] is about this message
	// alone; any other ends the delivery.
	Send(ctx context.Context, m *Message) error
}

// Flusher is implemented by sinks that keep messages back. What was sent counts
// as delivered only after the next Flush.
type Flusher interface {
	Flush(ctx context.Context) error
}

// SinkFunc is a function as a [Sink].
type SinkFunc func(ctx context.Context, m *Message) error

// Send implements [Sink].
func (f SinkFunc) Send(ctx context.Context, m *Message) error { return f(ctx, m) }

var (
	// ErrRejected is wrapped by a sink that gave a message up: it is dead.
	ErrRejected = errors.New("message rejected")
	// ErrSinkGone is wrapped by a sink whose receiver wants no messages any more.
	ErrSinkGone = errors.New("the receiver wants no more")
)

// DeliverOptions are the settings of [Deliver]. Nil and the zero value are ready
// to use.
type DeliverOptions struct {
	// Wants says which events the sink is for; nil is all. The others count as
	// delivered.
	Wants func(*Event) bool
	// Images bounds the images listed in a message; 0 means 100.
	Images int
	// Dead gets the messages that the sink rejects. Without it, Deliver ends at
	// the first of them, and begins there the next time.
	Dead Sink
}

const (
	lookAgain    = 200 * time.Millisecond // for new events: a read of one page
	confirmAfter = time.Second
	confirmEvery = 64 // events
)

// Deliver sends a store's events to a sink until the context ends, beginning
// with the first one that the sink of this name did not confirm before. Each is
// delivered in order and at least once: those of the last second or so are sent
// again after a crash, with the same ID. A sink that is slow or down holds up
// nobody but itself; its lag is what [Store.Sinks] tells.
//
// It returns nil if the context ends, and else what made it end.
func Deliver(ctx context.Context, s *Store, name string, sink Sink, o *DeliverOptions) error {
	if o == nil {
		o = &DeliverOptions{}
	}
	d := &delivery{DeliverOptions: *o, store: s, name: name, sink: sink}
	var err error
	if d.at, err = s.Cursor(name); err != nil {
		return fmt.Errorf("deliver to %s: %w", name, err)
	}
	if err := s.Confirm(name, d.at); err != nil { // known from now on: what it lacks is kept
		return fmt.Errorf("deliver to %s: %w", name, err)
	}
	d.confirmed, d.last = d.at, time.Now()
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for ctx.Err() == nil {
		err = d.page(ctx)
		// What was sent is confirmed in any case, as long as the store lets us.
		if cerr := d.confirm(context.WithoutCancel(ctx)); err == nil {
			err = cerr
		}
		if err != nil {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	if err == nil || ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("deliver to %s: %w", name, err)
}

// delivery is one run of [Deliver].
type delivery struct {
	DeliverOptions
	store         *Store
	name          string
	sink          Sink
	at, confirmed uint64
	last          time.Time // of a confirmation
}

// page sends what there is.
func (d *delivery) page(ctx context.Context) error {
	for e, err := range d.store.Events(ctx, d.at) {
		if err != nil {
			return err
		}
		if d.Wants == nil || d.Wants(e) {
			if err := d.send(ctx, e); err != nil {
				return err
			}
		}
		d.at = e.Sequence
		if d.at-d.confirmed >= confirmEvery || time.Since(d.last) > confirmAfter {
			if err := d.confirm(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *delivery) send(ctx context.Context, e *Event) error {
	m, err := d.store.Message(e, d.Images)
	if err != nil {
		return err
	}
	err = d.sink.Send(ctx, m)
	if err == nil || !errors.Is(err, ErrRejected) || d.Dead == nil {
		return err
	}
	if err := d.Dead.Send(ctx, m); err != nil {
		return fmt.Errorf("dead letters: %w", err)
	}
	return nil
}

func (d *delivery) confirm(ctx context.Context) error {
	if d.at == d.confirmed {
		return nil
	}
	for _, s := range []Sink{d.sink, d.Dead} {
		if f, ok := s.(Flusher); ok {
			if err := f.Flush(ctx); err != nil {
				return err
			}
		}
	}
	if err := d.store.Confirm(d.name, d.at); err != nil {
		return err
	}
	d.confirmed, d.last = d.at, time.Now()
	return nil
}

// Sinks returns the sequence of the last event that each sink has confirmed. A
// sink's lag is what [Stats.Events] is ahead of it.
func (s *Store) Sinks() (confirmed map[string]uint64, err error) {
	confirmed = map[string]uint64{}
	err = s.db.View(func(tx *bolt.Tx) error {
		for k, v := range each(tx.Bucket(bucketCursor)) {
			if len(v) == 8 {
				confirmed[string(k)] = binary.BigEndian.Uint64(v)
			}
		}
		return nil
	})
	return confirmed, err
}

// DropSink forgets a sink, so that events are no longer kept for it (see
// [Store.TrimEvents]).
func (s *Store) DropSink(name string) error {
	return s.db.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucketCursor).Delete([]byte(name)) })
}
