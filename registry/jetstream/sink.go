package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/boltseal/boltseal/internal/wait"
	"github.com/boltseal/boltseal/registry"
)

// Sink returns a registry.Sink that publishes each message to a stream, as JSON
// under NAME.event.TYPE: boltseal.event.vulnerability.opened. Messages stay for
// 90 days. The ID of an event is that of its message: within an hour the server
// takes each once, and a receiver ignores one that it knows.
func (q *Queue) Sink(ctx context.Context) (registry.Sink, error) {
	err := q.stream(ctx, q.Name+"-events", func(c *jetstream.StreamConfig) {
		c.Subjects, c.MaxAge, c.Duplicates = []string{q.Name + ".event.>"}, 90*24*time.Hour, time.Hour
	})
	if err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	return registry.SinkFunc(q.send), nil
}

func (q *Queue) send(ctx context.Context, m *registry.Message) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	kind := strings.TrimPrefix(string(m.Type), "io.boltseal.registry.")
	for {
		short, cancel := context.WithTimeout(ctx, patience)
		_, err := q.js.Publish(short, q.Name+".event."+kind, raw, jetstream.WithMsgID(m.ID))
		cancel()
		switch {
		case err == nil:
			return nil
		case errors.Is(err, nats.ErrMaxPayload):
			return fmt.Errorf("event %d, %d bytes: %w: %w", m.Sequence, len(raw), registry.ErrRejected, err)
		case ctx.Err() != nil:
			return ctx.Err()
		case !passing(err):
			return fmt.Errorf("event %d: %w", m.Sequence, err)
		}
		q.Log.WarnContext(ctx, "event not published; tried again", "sequence", m.Sequence, "error", err)
		_ = wait.For(ctx, time.Second) // the context is looked at above
	}
}
