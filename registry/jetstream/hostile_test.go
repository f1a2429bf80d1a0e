package jetstream_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/registry"
	"github.com/boltseal/boltseal/registry/jetstream"
)

// stranger is a client of the server with all rights.
func stranger(t *testing.T, url string) (*nats.Conn, natsjs.JetStream) {
	nc, err := nats.Connect(url)
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := natsjs.New(nc)
	require.NoError(t, err)
	return nc, js
}

// TestHostile has a stranger with access to the server write jobs, results and
// leases. With a key, nothing of it is believed.
func TestHostile(t *testing.T) {
	url := startServers(t, 1)[0].url
	key := []byte("0123456789abcdef")
	q, err := jetstream.Connect(t.Context(), url, &jetstream.Options{Key: key, Analyzers: "1"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, q.Close()) })
	var jobs []string // subjects, as the queue writes them
	nc, js := stranger(t, url)
	sub, err := nc.SubscribeSync("boltseal.job.>")
	require.NoError(t, err)
	require.NoError(t, nc.Flush())

	// The first job is seen, and its result forged before any worker is there.
	done := make(chan registry.Inventory, 1)
	go func() {
		inv, err := q.Index(t.Context(), ref(1))
		if err != nil {
			t.Error(err)
		}
		done <- inv
	}()
	m, err := sub.NextMsg(10 * time.Second)
	require.NoError(t, err)
	jobs = append(jobs, m.Subject)
	part := strings.Split(jobs[0], ".") // boltseal.job.LANE.ANALYSIS.DIGEST
	kv, err := js.KeyValue(t.Context(), "boltseal-results-"+part[2])
	require.NoError(t, err)
	forger, err := jetstream.Connect(t.Context(), url, &jetstream.Options{Analyzers: "1", Name: "forger"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, forger.Close()) })
	clean := work(t, forger, 1, func(context.Context, string) (registry.Inventory, error) { return registry.Inventory{}, nil })
	_, err = forger.Index(t.Context(), ref(1))
	require.NoError(t, err)
	clean()
	forgers, err := js.KeyValue(t.Context(), "forger-results-"+part[2])
	require.NoError(t, err)
	forged, err := forgers.Get(t.Context(), part[4]+"."+part[3])
	require.NoError(t, err)
	for _, raw := range [][]byte{forged.Value(), make([]byte, 4096), nil} {
		_, err = kv.Put(t.Context(), part[4]+"."+part[3], raw)
		require.NoError(t, err)
	}

	// Jobs of his own: not sealed, sealed for another image, under another's name.
	queue := func(subject string, data []byte) {
		_, err := js.Publish(t.Context(), subject, data)
		require.NoError(t, err)
	}
	own := func(ref string) []byte {
		raw, err := json.Marshal(map[string]string{"ref": ref})
		require.NoError(t, err)
		return raw
	}
	prefix := strings.Join(part[:4], ".") + "."
	digestOf := func(n int) string { return "sha256-" + strings.Split(ref(n), ":")[1] }
	queue(prefix+digestOf(100), own(ref(100)))
	queue(prefix+digestOf(101), m.Data)
	queue(prefix+"anything", []byte("{"))
	queue(strings.Join(part[:3], ".")+".other.analysis", own(ref(102))) // nobody's

	var asked atomic.Int32
	work(t, q, 2, func(_ context.Context, r string) (registry.Inventory, error) {
		asked.Add(1)
		return named(r), nil
	})
	inv := <-done
	require.Equal(t, ref(1), inv.Packages[0].Name, "the worker's, not the stranger's")
	inv, err = q.Index(t.Context(), ref(2))
	require.NoError(t, err)
	require.Equal(t, ref(2), inv.Packages[0].Name)
	require.Eventually(t, func() bool { n, err := q.Depth(t.Context()); return err == nil && n == 1 }, 20*time.Second, 50*time.Millisecond, "his are dropped; the one for another analysis waits for its workers")
	require.LessOrEqual(t, asked.Load(), int32(3), "his were not analysed")

	// A lease that he takes away is lost at once, and won again.
	led := make(chan struct{}, 10)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- q.Lead(ctx, "sweep", "a", 3*time.Second, func(ctx context.Context) error {
			led <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		})
	}()
	<-led
	leases, err := js.KeyValue(t.Context(), "boltseal-leases")
	require.NoError(t, err)
	_, err = leases.Put(t.Context(), "sweep", make([]byte, 100_000))
	require.NoError(t, err)
	select {
	case <-led:
	case <-time.After(20 * time.Second):
		t.Fatal("it never leads again")
	}
	stop()
	require.ErrorIs(t, <-ended, context.Canceled)

	// Dead letters that are none are errors one by one.
	queue("boltseal.dead.x", []byte("{"))
	n := 0
	for _, err := range q.DeadLetters(t.Context()) {
		require.ErrorContains(t, err, "dead letter")
		n++
	}
	require.Equal(t, 1, n)
}

// TestTakenAway deletes the streams while a monitor waits and workers look.
func TestTakenAway(t *testing.T) {
	url := startServers(t, 1)[0].url
	q, err := jetstream.Connect(t.Context(), url, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, q.Close()) })
	work(t, q, 2, func(_ context.Context, r string) (registry.Inventory, error) { return named(r), nil })
	_, err = q.Index(t.Context(), ref(0))
	require.NoError(t, err)
	_, js := stranger(t, url)
	for lane := range 4 {
		require.NoError(t, js.DeleteStream(t.Context(), fmt.Sprint("boltseal-jobs-", lane)))
		require.NoError(t, js.DeleteKeyValue(t.Context(), fmt.Sprint("boltseal-results-", lane)))
	}
	for i := range 4 {
		inv, err := q.Index(t.Context(), ref(i))
		require.NoError(t, err)
		require.Equal(t, ref(i), inv.Packages[0].Name)
	}
}

// TestSink publishes an event twice; the stream has it once.
func TestSink(t *testing.T) {
	url := startServers(t, 1)[0].url
	q, err := jetstream.Connect(t.Context(), url, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, q.Close()) })
	sink, err := q.Sink(t.Context())
	require.NoError(t, err)
	m := &registry.Message{ID: "e1", Sequence: 7, Type: registry.VulnerabilityOpened, Rule: "CVE-2026-1"}
	require.NoError(t, sink.Send(t.Context(), m))
	require.NoError(t, sink.Send(t.Context(), m))
	m.ID, m.Title = "e2", strings.Repeat("x", 2<<20)
	require.ErrorIs(t, sink.Send(t.Context(), m), registry.ErrRejected)
	_, js := stranger(t, url)
	s, err := js.Stream(t.Context(), "boltseal-events")
	require.NoError(t, err)
	require.EqualValues(t, 1, s.CachedInfo().State.Msgs)
	raw, err := s.GetLastMsgForSubject(t.Context(), "boltseal.event.vulnerability.opened")
	require.NoError(t, err)
	var got registry.Message
	require.NoError(t, json.Unmarshal(raw.Data, &got))
	require.Equal(t, "CVE-2026-1", got.Rule)
}
