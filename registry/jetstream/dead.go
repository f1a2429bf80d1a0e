package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/opencontainers/go-digest"
)

// DeadLetter is an image that could not be analysed.
type DeadLetter struct {
	Ref   string    `json:"ref"`
	Tries int       `json:"tries"` // deliveries
	Why   string    `json:"why"`
	Time  time.Time `json:"time"`
}

// bury puts an image aside with its reason, and has it known as its result.
func (q *Queue) bury(ctx context.Context, d digest.Digest, l DeadLetter) error {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	if len(l.Why) > 4000 {
		l.Why = l.Why[:4000]
	}
	letter, err := json.Marshal(l)
	if err != nil {
		return err
	}
	raw, err := encode(head{Digest: d, Error: l.Why}, nil)
	if err != nil {
		return err
	}
	if _, err := q.js.Publish(ctx, q.grave(part(d)), letter); err != nil {
		return err
	}
	return q.keep(ctx, d, raw)
}

// DeadLetters yields the images that were put aside, the oldest first, each
// with its last reason. They are kept for 90 days.
func (q *Queue) DeadLetters(ctx context.Context) iter.Seq2[DeadLetter, error] {
	return func(yield func(DeadLetter, error) bool) {
		s, err := q.js.Stream(ctx, q.dead())
		if err != nil {
			yield(DeadLetter{}, fmt.Errorf("queue: %w", err))
			return
		}
		last := s.CachedInfo().State.LastSeq
		for n := uint64(1); n <= last; {
			m, err := s.GetMsg(ctx, n, jetstream.WithGetMsgSubject(q.grave("*"))) // the next there is
			if errors.Is(err, jetstream.ErrMsgNotFound) {
				return
			}
			if err != nil {
				yield(DeadLetter{}, fmt.Errorf("queue: %w", err))
				return
			}
			var l DeadLetter
			if err := json.Unmarshal(m.Data, &l); err != nil {
				err = fmt.Errorf("dead letter %d: %w", m.Sequence, err)
				if !yield(DeadLetter{}, err) {
					return
				}
			} else if !yield(l, nil) {
				return
			}
			n = m.Sequence + 1
		}
	}
}
