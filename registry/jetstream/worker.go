package jetstream

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/boltseal/boltseal/internal/wait"
	"github.com/boltseal/boltseal/registry"
)

// Work analyses images until the context ends, some at once. A process that dies
// meanwhile costs nothing but the time: what it had goes to another after
// Options.Lost. The error is the context's, or says that the queue cannot be used.
func (q *Queue) Work(ctx context.Context, ix registry.Indexer, parallel int) error {
	parallel = max(parallel, 1)
	w := &worker{Queue: q, indexer: ix, news: make(chan struct{}, parallel)}
	for lane := range lanes {
		if err := w.consume(ctx, lane); err != nil {
			return err
		}
	}
	// Of the workers that listen one is told of each new job. Who is not, finds it
	// when he looks for himself.
	sub, err := q.nc.QueueSubscribe(q.Name+".job.*."+q.analysis()+".*", "workers", func(*nats.Msg) {
		select {
		case w.news <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }() // at the latest it ends with the connection
	g, ctx := errgroup.WithContext(ctx)
	for range parallel {
		g.Go(func() error {
			for ctx.Err() == nil {
				w.next(ctx)
			}
			return ctx.Err()
		})
	}
	return g.Wait()
}

// worker is one call of [Queue.Work].
type worker struct {
	*Queue
	indexer registry.Indexer
	news    chan struct{} // there may be work

	mu        sync.Mutex
	consumers [lanes]jetstream.Consumer
}

// idle is after how long a worker looks for work that it was not told of.
const idle = time.Second

// next does one job, or waits for a while.
func (w *worker) next(ctx context.Context) {
	first := rand.IntN(lanes)
	for i := range lanes {
		m, err := w.take((first + i) % lanes)
		if m != nil {
			w.handle(ctx, m)
			return
		}
		if err != nil && ctx.Err() == nil {
			w.Log.WarnContext(ctx, "no work from the queue; tried again", "error", err)
			if wait.For(ctx, time.Second) == nil {
				_ = w.consume(ctx, (first+i)%lanes) // somebody may have taken it away; an error shows again
			}
			return
		}
	}
	select {
	case <-w.news:
	case <-time.After(idle):
	case <-ctx.Done():
	}
}

// take returns a job if there is one.
func (w *worker) take(lane int) (jetstream.Msg, error) {
	w.mu.Lock()
	c := w.consumers[lane]
	w.mu.Unlock()
	batch, err := c.FetchNoWait(1)
	if err != nil {
		return nil, err
	}
	for m := range batch.Messages() {
		return m, nil
	}
	return nil, batch.Error()
}

// consume makes the consumer of a lane, which all workers share. A cluster
// without a leader, or one that does not answer, is waited for; what it refuses
// is an error.
func (w *worker) consume(ctx context.Context, lane int) error {
	for {
		short, cancel := context.WithTimeout(ctx, patience)
		c, err := w.js.CreateOrUpdateConsumer(short, w.jobs(lane), jetstream.ConsumerConfig{
			Durable: "workers-" + w.analysis(), FilterSubject: fmt.Sprintf("%s.job.%d.%s.*", w.Name, lane, w.analysis()),
			AckPolicy: jetstream.AckExplicitPolicy, AckWait: w.Lost, InactiveThreshold: w.Keep,
			// Never left in the queue as undeliverable, where it would bar its
			// digest: the tries are counted here.
			MaxDeliver: -1, MaxAckPending: -1,
		})
		cancel()
		switch {
		case err == nil:
			w.mu.Lock()
			w.consumers[lane] = c
			w.mu.Unlock()
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, jetstream.ErrStreamNotFound): // somebody took it away
			err = errors.Join(err, w.prepare(ctx))
		case w.nc.IsClosed() || !passing(err):
			return fmt.Errorf("queue: %w", err)
		}
		w.Log.WarnContext(ctx, "the queue does not answer; tried again", "error", err)
		_ = wait.For(ctx, time.Second) // the context is looked at above
	}
}
