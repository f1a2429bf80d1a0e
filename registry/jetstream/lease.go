package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/boltseal/boltseal/internal/wait"
)

// Lead calls lead while this process is the leader of the given name: one of
// those that call it, at a time. It waits for its turn, and for the next one
// when lead returns nil; it returns lead's error, or the context's. The context
// that lead gets ends when the lease could not be renewed in time: what goes on
// after that may have a successor.
//
// The lease runs out after ttl, at least 3 seconds, if the process dies.
func (q *Queue) Lead(ctx context.Context, name, id string, ttl time.Duration, lead func(ctx context.Context) error) error {
	ttl = max(ttl, 3*time.Second)
	bucket := q.Name + "-leases"
	for waits := false; ; {
		l, err := q.lease(ctx, bucket, name, id, ttl)
		switch {
		case err == nil:
			waits = false
			q.Log.InfoContext(ctx, "leader", "lease", name, "id", id)
			if err := l.hold(ctx, lead); err != nil {
				return err
			}
		case ctx.Err() != nil:
		case !taken(err):
			if !passing(err) {
				return fmt.Errorf("lease: %w", err)
			}
			q.Log.WarnContext(ctx, "lease not asked for; tried again", "lease", name, "error", err)
		case !waits:
			waits = true
			q.Log.InfoContext(ctx, "another is the leader; this process waits for its turn", "lease", name)
		}
		if wait.For(ctx, ttl/6) != nil {
			return ctx.Err()
		}
	}
}

// lease asks for one.
func (q *Queue) lease(ctx context.Context, bucket, name, id string, ttl time.Duration) (*lease, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	asked := time.Now()
	kv, err := q.js.KeyValue(ctx, bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		if err = q.keyValue(ctx, bucket, ttl); err == nil {
			kv, err = q.js.KeyValue(ctx, bucket)
		}
	}
	if err != nil {
		return nil, err
	}
	revision, err := kv.Create(ctx, name, []byte(id))
	if err != nil {
		return nil, err
	}
	return &lease{kv: kv, name: name, id: id, revision: revision, renewed: asked, ttl: ttl}, nil
}

// lease is one that this process has.
type lease struct {
	kv       jetstream.KeyValue
	name, id string
	revision uint64
	renewed  time.Time // when it was last asked for, and given
	ttl      time.Duration
}

var errLost = errors.New("the lease could not be renewed in time")

// hold calls lead, and renews the lease at each third of its time.
func (l *lease) hold(ctx context.Context, lead func(context.Context) error) error {
	held, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	done := make(chan error, 1)
	go func() { done <- lead(held) }()
	tick := time.NewTicker(l.ttl / 3)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if errors.Is(context.Cause(held), errLost) {
				if ctx.Err() == nil && errors.Is(err, context.Canceled) {
					return nil // not the caller's doing
				}
				return err
			}
			// The next need not wait. If it fails, the lease runs out.
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_ = l.kv.Delete(end, l.name, jetstream.LastRevision(l.revision))
			return err
		case <-tick.C:
			if held.Err() == nil && !l.renew(ctx) {
				lose(errLost)
			}
		}
	}
}

// renew reports whether the lease is still this process's.
func (l *lease) renew(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, l.ttl/3)
	defer cancel()
	asked := time.Now()
	next, err := l.kv.Update(ctx, l.name, []byte(l.id), l.revision)
	if err == nil {
		l.revision, l.renewed = next, asked
		return true
	}
	if taken(err) { // somebody else has it, or took it away
		return false
	}
	return time.Since(l.renewed) < l.ttl*2/3
}
