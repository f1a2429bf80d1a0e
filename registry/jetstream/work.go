package jetstream

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/opencontainers/go-digest"

	"github.com/boltseal/boltseal/internal/wait"
	"github.com/boltseal/boltseal/registry"
)

// maxDeliveries is how often a job is given to a worker that never says what
// came of it, because it died, or was told to slow down. An image that kills
// those who read it must end, too.
const maxDeliveries = 20

func (w *worker) handle(ctx context.Context, m jetstream.Msg) {
	meta, err := m.Metadata()
	var ref string
	var d digest.Digest
	if err == nil {
		ref, d, err = w.read(m)
	}
	if err != nil {
		w.Log.ErrorContext(ctx, "no job: dropped", "subject", m.Subject(), "error", err)
		_ = m.TermWithReason("no job") // nobody could do it
		return
	}
	if meta.NumDelivered > 1 { // whoever had it may have ended after the result
		if _, err := w.result(ctx, d); err == nil {
			_ = m.Ack() // else it is delivered again, and found here again
			return
		}
	}
	if n := int(meta.NumDelivered); n > maxDeliveries {
		w.bury(ctx, m, d, DeadLetter{Ref: ref, Tries: n, Why: fmt.Sprintf("given to a worker %d times, without an end: they died at it, or the registry does not let them", maxDeliveries)})
		return
	}
	inv, err := w.analyse(ctx, m, ref)
	var raw []byte
	if err == nil {
		if raw, err = pack(d, inv); err == nil && int64(len(raw)+sha256.Size) > w.nc.MaxPayload() {
			err = fmt.Errorf("an inventory of %d bytes: the server's max_payload is %d", len(raw), w.nc.MaxPayload())
		}
	}
	if ctx.Err() != nil && err != nil {
		_ = m.Nak() // another may start at once
		return
	}
	if err != nil {
		w.failed(ctx, m, int(meta.NumDelivered), ref, d, err)
		return
	}
	// What was found is not thrown away because the process ends meanwhile.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := w.keep(end, d, raw); err != nil {
		w.Log.WarnContext(ctx, "result not kept; the image is analysed again", "image", ref, "error", err)
		return // it is delivered again
	}
	_ = m.Ack() // if it is lost, the job is delivered again, and the result found
}

// read returns what a job asks for. Its place must be that of the image.
func (w *worker) read(m jetstream.Msg) (string, digest.Digest, error) {
	raw, err := w.unseal(m.Subject(), m.Data())
	if err != nil {
		return "", "", err
	}
	var j job
	if err := json.Unmarshal(raw, &j); err != nil {
		return "", "", err
	}
	d, err := digestOf(j.Ref)
	if err == nil && m.Subject() != w.subject(d) {
		err = errors.New("it is queued as another image")
	}
	return j.Ref, d, err
}

// failed has a job tried again later, or puts it aside with its reason.
func (w *worker) failed(ctx context.Context, m jetstream.Msg, tries int, ref string, d digest.Digest, why error) {
	w.Log.WarnContext(ctx, "image not analysed", "image", ref, "try", tries, "error", why)
	var throttle *registry.ThrottleError
	if errors.As(why, &throttle) || tries < w.Tries {
		delay := time.Second << min(tries, 8)
		delay += rand.N(delay)
		if throttle != nil {
			delay = max(delay, throttle.After)
		}
		_ = m.NakWithDelay(delay) // without it, it is delivered again after Lost
		return
	}
	w.bury(ctx, m, d, DeadLetter{Ref: ref, Tries: tries, Why: why.Error()})
}

func (w *worker) bury(ctx context.Context, m jetstream.Msg, d digest.Digest, l DeadLetter) {
	l.Time = time.Now()
	l.Why = strings.ToValidUTF8(l.Why, "?")
	if err := w.Queue.bury(ctx, d, l); err != nil {
		w.Log.WarnContext(ctx, "not put aside; tried again", "image", l.Ref, "error", err)
		return
	}
	w.Log.ErrorContext(ctx, "image put aside", "image", l.Ref, "tries", l.Tries, "error", l.Why)
	_ = m.TermWithReason("put aside") // else it is delivered once more, and put aside again
}

// analyse calls the indexer, and tells the server now and then that it is at work.
func (w *worker) analyse(ctx context.Context, m jetstream.Msg, ref string) (registry.Inventory, error) {
	ctx, cancel := context.WithTimeout(ctx, w.Time)
	defer cancel()
	go func() {
		for wait.For(ctx, w.Lost/3) == nil {
			_ = m.InProgress() // a failure shows when the result is confirmed
		}
	}()
	return wait.Call(ctx, "the indexer", func(ctx context.Context) (registry.Inventory, error) { return w.indexer.Index(ctx, ref) })
}
