package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/boltseal/boltseal/internal/wait"
	"github.com/boltseal/boltseal/registry"
)

// again is how often a monitor that waits looks for itself: it does not trust
// the queue to have kept the job, nor the server to have told of the result.
const again = 5 * time.Second

// Index implements registry.Indexer: it has a worker analyse the image, and
// waits for the result.
func (q *Queue) Index(ctx context.Context, ref string) (registry.Inventory, error) {
	d, err := digestOf(ref)
	if err != nil {
		return registry.Inventory{}, err
	}
	key := q.key(d)
	told := q.await(key)
	defer q.leave(key, told)
	body, err := json.Marshal(job{Ref: ref})
	if err != nil {
		return registry.Inventory{}, err
	}
	tick := time.NewTicker(again)
	defer tick.Stop()
	for asked := false; ; {
		raw, err := q.result(ctx, key)
		if err == nil && raw != nil {
			inv, err := unpack(raw)
			var failed failure
			if asked || !errors.As(err, &failed) {
				return inv, err
			}
			// It failed when somebody asked before: it is wanted again.
			if err = q.results.Delete(ctx, key); err == nil {
				raw = nil
			}
		}
		if raw == nil && err == nil {
			if _, err = q.js.Publish(ctx, q.subject(part(d)), body); err == nil || queued(err) {
				asked, err = true, nil
			}
		}
		if err != nil && ctx.Err() == nil {
			q.Log.WarnContext(ctx, "the queue does not answer; tried again", "image", ref, "error", err)
		}
		select {
		case <-told:
		case <-tick.C:
		case <-ctx.Done():
			return registry.Inventory{}, ctx.Err()
		}
	}
}

// result returns what there is under a key, or nil.
func (q *Queue) result(ctx context.Context, key string) ([]byte, error) {
	e, err := q.results.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	return e.Value(), nil
}

// await returns a channel that is written to when there may be a result.
func (q *Queue) await(key string) chan struct{} {
	c := make(chan struct{}, 1)
	q.mu.Lock()
	q.waiting[key] = append(q.waiting[key], c)
	q.mu.Unlock()
	return c
}

func (q *Queue) leave(key string, c chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting[key] = slices.DeleteFunc(q.waiting[key], func(o chan struct{}) bool { return o == c })
	if len(q.waiting[key]) == 0 {
		delete(q.waiting, key)
	}
}

// listen tells those who wait of results as they come.
func (q *Queue) listen(ctx context.Context) {
	for ctx.Err() == nil {
		w, err := q.results.WatchAll(ctx, jetstream.UpdatesOnly(), jetstream.MetaOnly())
		if err != nil {
			q.Log.WarnContext(ctx, "not told of results; they are looked for", "error", err)
			_ = wait.For(ctx, again) // the loop looks at the context
			continue
		}
		for open := true; open; {
			select {
			case e, ok := <-w.Updates():
				if open = ok; e != nil {
					q.tell(e.Key())
				}
			case <-ctx.Done():
				open = false
			}
		}
		_ = w.Stop() // it has ended
	}
}

func (q *Queue) tell(key string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, c := range q.waiting[key] {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
