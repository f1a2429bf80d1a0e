package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/opencontainers/go-digest"

	"github.com/boltseal/boltseal/internal/wait"
	"github.com/boltseal/boltseal/registry"
)

// again is how often a monitor that waits looks for itself: it does not trust
// the queue to have kept the job, nor the server to have told of the result.
const again = 5 * time.Second

// patience is how long one question to a server may take. A cluster that changes
// may lose a question, and never answer.
const patience = 5 * time.Second

// Index implements registry.Indexer: it has a worker analyse the image, and
// waits for the result.
func (q *Queue) Index(ctx context.Context, ref string) (registry.Inventory, error) {
	d, err := digestOf(ref)
	if err != nil {
		return registry.Inventory{}, err
	}
	told := q.await(d)
	defer q.leave(d, told)
	tick := time.NewTicker(again)
	defer tick.Stop()
	inv, err := q.result(ctx, d)
	for asked := false; ; {
		var failed failure
		switch {
		case err == nil:
			return inv, nil
		case errors.As(err, &failed) && asked:
			return registry.Inventory{}, err
		case errors.Is(err, errNone):
			err = q.ask(ctx, ref, d)
			asked = asked || err == nil
		case errors.As(err, &failed), errors.Is(err, errUnreadable):
			// It failed when somebody asked before, or is no result: it is wanted
			// again. Whoever writes those that are none is told of in the log.
			if failed == "" {
				q.Log.ErrorContext(ctx, "a result is refused; the image is analysed again", "image", ref, "error", err)
			}
			if err = q.discard(ctx, d); err == nil {
				err = q.ask(ctx, ref, d)
				asked = asked || err == nil
			}
		}
		if err != nil && ctx.Err() == nil {
			q.Log.WarnContext(ctx, "the queue does not answer; tried again", "image", ref, "error", err)
		}
		select {
		case raw := <-told:
			inv, err = q.open(d, raw)
		case <-tick.C:
			inv, err = q.result(ctx, d)
		case <-ctx.Done():
			return registry.Inventory{}, ctx.Err()
		}
	}
}

// ask queues an image, unless it is.
func (q *Queue) ask(ctx context.Context, ref string, d digest.Digest) error {
	body, err := json.Marshal(job{Ref: ref})
	if err != nil {
		return err
	}
	subject := q.subject(d)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err = q.js.Publish(ctx, subject, q.seal(subject, body))
	if errors.Is(err, jetstream.ErrNoStreamResponse) { // somebody took the streams away
		err = errors.Join(err, q.prepare(ctx))
	}
	if queued(err) {
		return nil
	}
	return err
}

var (
	errNone       = errors.New("no result yet")
	errUnreadable = errors.New("it cannot be read")
)

// result looks for what came of an image: its inventory, or as an error the
// failure that a worker told of, errNone, errUnreadable or what the queue says.
func (q *Queue) result(ctx context.Context, d digest.Digest) (registry.Inventory, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	e, err := q.known[laneOf(d)].Get(ctx, q.key(d))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return registry.Inventory{}, errNone
	}
	if err != nil {
		return registry.Inventory{}, fmt.Errorf("queue: %w", err)
	}
	return q.open(d, e.Value())
}

// discard has an image without a result.
func (q *Queue) discard(ctx context.Context, d digest.Digest) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return q.results[laneOf(d)].Delete(ctx, q.key(d))
}

// open reads a result.
func (q *Queue) open(d digest.Digest, raw []byte) (registry.Inventory, error) {
	raw, err := q.unseal(q.key(d), raw)
	var inv registry.Inventory
	if err == nil {
		inv, err = unpack(d, raw)
	}
	var failed failure
	if err != nil && !errors.As(err, &failed) {
		return inv, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return inv, err
}

// keep writes a result. Of two who did the same, the first is kept; but nothing
// stands in the way of an inventory except another.
func (q *Queue) keep(ctx context.Context, d digest.Digest, raw []byte) error {
	raw = q.seal(q.key(d), raw)
	_, err := q.results[laneOf(d)].Create(ctx, q.key(d), raw)
	if !taken(err) {
		return err
	}
	if _, err := q.result(ctx, d); err == nil {
		return nil
	}
	_, err = q.results[laneOf(d)].Put(ctx, q.key(d), raw)
	return err
}

// await returns a channel that gets what is written as an image's result. The
// first who waits has the queue listen; those that only work need not.
func (q *Queue) await(d digest.Digest) chan []byte {
	c := make(chan []byte, 1)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting[q.key(d)] = append(q.waiting[q.key(d)], c)
	if !q.listens {
		q.listens = true
		for lane := range lanes {
			q.done.Go(func() { q.listen(lane) })
		}
	}
	return c
}

func (q *Queue) leave(d digest.Digest, c chan []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	key := q.key(d)
	q.waiting[key] = slices.DeleteFunc(q.waiting[key], func(o chan []byte) bool { return o == c })
	if len(q.waiting[key]) == 0 {
		delete(q.waiting, key)
	}
}

// listen tells those who wait of a lane's results as they come.
func (q *Queue) listen(lane int) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		<-q.closed
		stop()
	}()
	for ctx.Err() == nil {
		w, err := q.known[lane].WatchAll(ctx, jetstream.UpdatesOnly(), jetstream.IgnoreDeletes())
		if err != nil {
			q.Log.WarnContext(ctx, "not told of results; they are looked for", "error", err)
			_ = wait.For(ctx, again) // the loop looks at the context
			continue
		}
		for open := true; open; {
			select {
			case e, ok := <-w.Updates():
				if open = ok; e != nil {
					q.tell(e.Key(), e.Value())
				}
			case <-ctx.Done():
				open = false
			}
		}
		_ = w.Stop() // it has ended
	}
}

func (q *Queue) tell(key string, raw []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, c := range q.waiting[key] {
		select {
		case c <- raw:
		default: // it has one to look at; the newer one it finds for itself
		}
	}
}
