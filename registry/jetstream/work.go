package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
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
	c, err := q.consumer(ctx)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	for range max(parallel, 1) {
		g.Go(func() error {
			for ctx.Err() == nil {
				q.next(ctx, c, ix)
			}
			return ctx.Err()
		})
	}
	return g.Wait()
}

// consumer makes the one that all workers share. A cluster without a leader, or
// one that does not answer, is waited for; what it refuses is an error.
func (q *Queue) consumer(ctx context.Context) (jetstream.Consumer, error) {
	for {
		c, err := q.js.CreateOrUpdateConsumer(ctx, q.jobs(), jetstream.ConsumerConfig{
			Durable: "workers", AckPolicy: jetstream.AckExplicitPolicy, AckWait: q.Lost,
			// Never left in the queue as undeliverable, where it would bar its
			// digest: the tries are counted here.
			MaxDeliver: -1, MaxAckPending: -1,
		})
		var refused *jetstream.APIError
		switch {
		case err == nil:
			return c, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case q.nc.IsClosed() || errors.As(err, &refused) && refused.Code < 500:
			return nil, fmt.Errorf("queue: %w", err)
		}
		q.Log.WarnContext(ctx, "the queue does not answer; tried again", "error", err)
		_ = wait.For(ctx, time.Second) // the context is looked at above
	}
}

// next takes one job, if there is one within a while.
func (q *Queue) next(ctx context.Context, c jetstream.Consumer, ix registry.Indexer) {
	fetch, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	m, err := c.Next(jetstream.FetchContext(fetch))
	switch {
	case err == nil:
		q.handle(ctx, m, ix)
	case errors.Is(err, nats.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, jetstream.ErrNoMessages):
	case ctx.Err() == nil:
		q.Log.WarnContext(ctx, "no work from the queue; tried again", "error", err)
		_ = wait.For(ctx, time.Second) // the caller looks at the context
	}
}

func (q *Queue) handle(ctx context.Context, m jetstream.Msg, ix registry.Indexer) {
	var j job
	meta, err := m.Metadata()
	if err == nil {
		err = json.Unmarshal(m.Data(), &j)
	}
	d, bad := digestOf(j.Ref)
	if err = errors.Join(err, bad); err != nil {
		q.Log.ErrorContext(ctx, "no job: dropped", "error", err)
		_ = m.TermWithReason("no job") // nobody could do it
		return
	}
	if raw, err := q.result(ctx, q.key(d)); err == nil && raw != nil {
		if _, err := unpack(raw); err == nil { // asked for while it was being finished
			_ = m.Ack() // else it is delivered again, and found here again
			return
		}
	}
	inv, err := q.analyse(ctx, m, ix, j.Ref)
	var raw []byte
	if err == nil {
		if raw, err = pack(inv); err == nil && int64(len(raw)) > q.nc.MaxPayload() {
			err = fmt.Errorf("an inventory of %d bytes: the server's max_payload is %d", len(raw), q.nc.MaxPayload())
		}
	}
	if ctx.Err() != nil && err != nil {
		_ = m.Nak() // another may start at once
		return
	}
	if err != nil {
		q.failed(ctx, m, meta, j, err)
		return
	}
	// Of two who did the same, the first is kept.
	if _, err := q.results.Create(ctx, q.key(d), raw); err != nil && !errors.Is(err, jetstream.ErrKeyExists) {
		q.Log.WarnContext(ctx, "result not kept; the image is analysed again", "image", j.Ref, "error", err)
		return // it is delivered again
	}
	if err := m.DoubleAck(ctx); err != nil {
		q.Log.WarnContext(ctx, "result not confirmed; the image may be analysed again", "image", j.Ref, "error", err)
	}
}

// failed has a job tried again later, or puts it aside with its reason.
func (q *Queue) failed(ctx context.Context, m jetstream.Msg, meta *jetstream.MsgMetadata, j job, why error) {
	tries := int(meta.NumDelivered)
	q.Log.WarnContext(ctx, "image not analysed", "image", j.Ref, "try", tries, "error", why)
	if tries < q.Tries {
		delay := time.Second << min(tries, 8)
		delay += time.Duration(rand.Int64N(int64(delay)))
		var throttle *registry.ThrottleError
		if errors.As(why, &throttle) {
			delay = max(delay, throttle.After)
		}
		_ = m.NakWithDelay(delay) // without it, it is delivered again after Lost
		return
	}
	d, _ := digestOf(j.Ref) // checked
	reason := why.Error()
	if len(reason) > 4000 {
		reason = reason[:4000]
	}
	letter, err := json.Marshal(DeadLetter{Ref: j.Ref, Tries: tries, Why: reason, Time: time.Now()})
	var raw []byte
	if err == nil {
		raw, err = result{Error: reason}.encode()
	}
	if err == nil {
		_, err = q.js.Publish(ctx, q.grave(part(d)), letter)
	}
	if err == nil {
		_, err = q.results.Put(ctx, q.key(d), raw)
	}
	if err != nil {
		q.Log.WarnContext(ctx, "not put aside; tried again", "image", j.Ref, "error", err)
		return
	}
	_ = m.TermWithReason("put aside") // else it is delivered once more, and put aside again
}

// analyse calls the indexer, and tells the server now and then that it is at work.
func (q *Queue) analyse(ctx context.Context, m jetstream.Msg, ix registry.Indexer, ref string) (registry.Inventory, error) {
	ctx, cancel := context.WithTimeout(ctx, q.Time)
	defer cancel()
	go func() {
		for wait.For(ctx, q.Lost/3) == nil {
			_ = m.InProgress() // a failure shows when the result is confirmed
		}
	}()
	return wait.Call(ctx, "the indexer", func(ctx context.Context) (registry.Inventory, error) { return ix.Index(ctx, ref) })
}

// DeadLetter is an image that could not be analysed.
type DeadLetter struct {
	Ref   string    `json:"ref"`
	Tries int       `json:"tries"`
	Why   string    `json:"why"`
	Time  time.Time `json:"time"`
}

// DeadLetters yields the images that were put aside, the oldest first, each
// with its last reason. They are kept for 90 days.
func (q *Queue) DeadLetters(ctx context.Context) iter.Seq2[DeadLetter, error] {
	return func(yield func(DeadLetter, error) bool) {
		s, err := q.js.Stream(ctx, q.dead())
		var info *jetstream.StreamInfo
		if err == nil {
			info, err = s.Info(ctx)
		}
		if err != nil {
			yield(DeadLetter{}, fmt.Errorf("queue: %w", err))
			return
		}
		for n := info.State.FirstSeq; n <= info.State.LastSeq && n > 0; n++ {
			m, err := s.GetMsg(ctx, n)
			if errors.Is(err, jetstream.ErrMsgNotFound) {
				continue
			}
			var l DeadLetter
			if err == nil {
				err = json.Unmarshal(m.Data, &l)
			}
			if !yield(l, err) || err != nil && ctx.Err() != nil {
				return
			}
		}
	}
}
