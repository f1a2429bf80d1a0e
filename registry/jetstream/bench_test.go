package jetstream_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/registry"
	"github.com/boltseal/boltseal/registry/jetstream"
)

// BenchmarkQueue asks for images that cost nothing to analyse, and publishes as
// many messages in the same run, to one stream and to as many as the queue has;
// all of it synced, and 64 under way at once.
func BenchmarkQueue(b *testing.B) {
	q, err := jetstream.Embed(b.Context(), b.TempDir(), nil)
	require.NoError(b, err)
	defer q.Close()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	go func() {
		_ = q.Work(ctx, registry.IndexerFunc(func(_ context.Context, r string) (registry.Inventory, error) { return named(r), nil }), 16)
	}()
	s, err := server.NewServer(&server.Options{ServerName: "bare", DontListen: true, JetStream: true, StoreDir: b.TempDir(), SyncAlways: true, NoLog: true, NoSigs: true})
	require.NoError(b, err)
	s.Start()
	defer s.Shutdown()
	require.True(b, s.ReadyForConnections(time.Minute))
	nc, err := nats.Connect("", nats.InProcessServer(s))
	require.NoError(b, err)
	defer nc.Close()
	js, err := natsjs.New(nc)
	require.NoError(b, err)
	for i := range 8 {
		_, err = js.CreateStream(ctx, natsjs.StreamConfig{Name: fmt.Sprint("bare", i), Subjects: []string{fmt.Sprintf("bare.%d.>", i)}})
		require.NoError(b, err)
	}
	const batch = 400
	parallel := func(do func(i int) error) time.Duration {
		start := time.Now()
		var wg sync.WaitGroup
		slots := make(chan struct{}, 64)
		for i := range batch {
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				if err := do(i); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
		return time.Since(start)
	}
	publish := func(streams int) time.Duration {
		return parallel(func(i int) error {
			_, err := js.Publish(ctx, fmt.Sprintf("bare.%d.%d", i%streams, i), []byte("x"))
			return err
		})
	}
	var ours, one, eight time.Duration
	round := 0
	for b.Loop() {
		round++
		ours += parallel(func(i int) error { _, err := q.Index(ctx, ref(round*batch+i)); return err })
		one += publish(1)
		eight += publish(8)
	}
	n := float64(round * batch)
	b.ReportMetric(n/ours.Seconds(), "jobs/s")
	b.ReportMetric(n/one.Seconds(), "publishes/s")
	b.ReportMetric(one.Seconds()/ours.Seconds(), "x-publishes")
	b.ReportMetric(eight.Seconds()/ours.Seconds(), "x-publishes-8")
	b.ReportMetric(0, "ns/op")
}
