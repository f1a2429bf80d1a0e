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
	leases, err := q.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: q.Name + "-leases", TTL: ttl, Storage: jetstream.FileStorage, Replicas: q.Replicas})
	if err != nil {
		return fmt.Errorf("lease: %w", err)
	}
	for {
		revision, err := leases.Create(ctx, name, []byte(id))
		switch {
		case err == nil:
			q.Log.InfoContext(ctx, "leader", "lease", name, "id", id)
			if err := hold(ctx, leases, name, id, revision, ttl, lead); err != nil {
				return err
			}
		case !errors.Is(err, jetstream.ErrKeyExists) && ctx.Err() == nil:
			q.Log.WarnContext(ctx, "lease not asked for; tried again", "lease", name, "error", err)
		}
		if wait.For(ctx, ttl/6) != nil {
			return ctx.Err()
		}
	}
}

// hold calls lead, and renews the lease at each third of its time.
func hold(ctx context.Context, leases jetstream.KeyValue, name, id string, revision uint64, ttl time.Duration, lead func(context.Context) error) error {
	held, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	done := make(chan error, 1)
	go func() { done <- lead(held) }()
	renewed := time.Now()
	tick := time.NewTicker(ttl / 3)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			// The next need not wait. If it fails, the lease runs out.
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_ = leases.Delete(end, name, jetstream.LastRevision(revision))
			if context.Cause(held) != nil && errors.Is(context.Cause(held), errLost) && errors.Is(err, context.Canceled) {
				return nil // not the caller's doing
			}
			return err
		case <-tick.C:
			renew, cancel := context.WithTimeout(ctx, ttl/3)
			next, err := leases.Update(renew, name, []byte(id), revision)
			cancel()
			if err == nil {
				revision, renewed = next, time.Now()
			} else if time.Since(renewed) >= ttl*2/3 {
				lose(errLost)
			}
		case <-held.Done():
			if ctx.Err() != nil || errors.Is(context.Cause(held), errLost) {
				err := <-done // it has been told
				if ctx.Err() == nil && errors.Is(err, context.Canceled) {
					return nil
				}
				return err
			}
		}
	}
}

var errLost = errors.New("the lease could not be renewed in time")
