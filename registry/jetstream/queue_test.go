package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/registry"
	"github.com/boltseal/boltseal/registry/jetstream"
)

// TestMain runs a NATS server, or a worker, instead of the tests if it is told to.
func TestMain(m *testing.M) {
	switch os.Getenv("BOLTSEAL_TEST_ROLE") {
	case "server":
		runServer()
	case "worker":
		runWorker()
	default:
		os.Exit(m.Run())
	}
}

func embed(t testing.TB, o *jetstream.Options) *jetstream.Queue {
	t.Helper()
	q, err := jetstream.Embed(t.Context(), t.TempDir(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, q.Close()) })
	return q
}

func ref(n int) string {
	return "registry.example.com/shop@" + digest.FromString(fmt.Sprint(n)).String()
}

var debian = &boltseal.Distro{ID: "debian", VersionID: "12"}

// named is an inventory that tells which image it is of.
func named(ref string) registry.Inventory {
	return registry.Inventory{Platform: "linux/amd64", Team: "shop", Incomplete: "part", Packages: []boltseal.Package{
		{Type: "deb", Name: ref, Version: "1", Distro: debian, Source: boltseal.Source{Name: "src"}, Locations: []boltseal.Location{{Layer: "l1"}}}, {Type: "npm", Name: "x", Version: "2"},
	}}
}

// work starts workers until the test ends, or stop is called.
func work(t testing.TB, q *jetstream.Queue, parallel int, ix registry.IndexerFunc) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { _ = q.Work(ctx, ix, parallel); close(done) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

func TestIndex(t *testing.T) {
	q := embed(t, nil)
	var calls atomic.Int32
	work(t, q, 4, func(_ context.Context, ref string) (registry.Inventory, error) {
		calls.Add(1)
		return named(ref), nil
	})
	var wg sync.WaitGroup
	for i := range 60 { // each digest is asked for three times at once
		wg.Go(func() {
			inv, err := q.Index(t.Context(), ref(i%20))
			if err != nil || !reflect.DeepEqual(inv, named(ref(i%20))) {
				t.Errorf("image %d: %+v %v", i, inv, err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 20, calls.Load(), "each digest once")
	_, err := q.Index(t.Context(), ref(1))
	require.NoError(t, err)
	require.EqualValues(t, 20, calls.Load(), "what is known is not asked for")
	require.Eventually(t, func() bool { n, err := q.Depth(t.Context()); return err == nil && n == 0 }, 10*time.Second, 10*time.Millisecond)
	_, err = q.Index(t.Context(), "no digest")
	require.ErrorIs(t, err, boltseal.ErrMalformed)
}

func TestPoison(t *testing.T) {
	q := embed(t, &jetstream.Options{Tries: 2, Time: 300 * time.Millisecond})
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	var calls atomic.Int32
	work(t, q, 4, func(ctx context.Context, r string) (registry.Inventory, error) {
		switch r {
		case ref(1):
			calls.Add(1)
			return registry.Inventory{}, errors.New("cannot be read")
		case ref(2):
			panic("poison")
		case ref(3):
			<-release
		}
		return named(r), nil
	})
	good := make(chan error, 1)
	go func() { _, err := q.Index(t.Context(), ref(4)); good <- err }()
	var wg sync.WaitGroup
	for i, want := range map[int]string{1: "cannot be read", 2: "poison", 3: "given up"} {
		wg.Go(func() {
			if _, err := q.Index(t.Context(), ref(i)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("image %d: %v", i, err)
			}
		})
	}
	require.NoError(t, <-good, "the rest goes on")
	wg.Wait()
	require.EqualValues(t, 2, calls.Load())
	var letters []string
	for l, err := range q.DeadLetters(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, 2, l.Tries)
		require.NotEmpty(t, l.Why)
		letters = append(letters, l.Ref)
	}
	require.ElementsMatch(t, []string{ref(1), ref(2), ref(3)}, letters)
	require.Eventually(t, func() bool { n, err := q.Depth(t.Context()); return err == nil && n == 0 }, 10*time.Second, 50*time.Millisecond, "and bars nothing")
	_, err := q.Index(t.Context(), ref(1))
	require.ErrorContains(t, err, "cannot be read")
	require.EqualValues(t, 4, calls.Load(), "who asks again has it tried again")
}

// TestRestart closes the queue with jobs in it, and finds them again.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	q, err := jetstream.Embed(t.Context(), dir, nil)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() { _, _ = q.Index(ctx, ref(i)) }) // nobody works
	}
	require.Eventually(t, func() bool { n, err := q.Depth(t.Context()); return err == nil && n == 10 }, 20*time.Second, 20*time.Millisecond)
	cancel()
	wg.Wait()
	require.NoError(t, q.Close())

	q, err = jetstream.Embed(t.Context(), dir, nil)
	require.NoError(t, err)
	defer q.Close()
	n, err := q.Depth(t.Context())
	require.NoError(t, err)
	require.Equal(t, 10, n)
	var calls atomic.Int32
	work(t, q, 2, func(_ context.Context, r string) (registry.Inventory, error) { calls.Add(1); return named(r), nil })
	for i := range 10 {
		_, err := q.Index(t.Context(), ref(i))
		require.NoError(t, err)
	}
	require.EqualValues(t, 10, calls.Load())
}

// TestWiped empties the queue while a monitor waits: it asks again.
func TestWiped(t *testing.T) {
	url := startServers(t, 1)[0].url
	q, err := jetstream.Connect(t.Context(), url, nil)
	require.NoError(t, err)
	defer q.Close()
	done := make(chan error, 1)
	go func() { _, err := q.Index(t.Context(), ref(1)); done <- err }()
	require.Eventually(t, func() bool { n, err := q.Depth(t.Context()); return err == nil && n == 1 }, 20*time.Second, 20*time.Millisecond)
	nc, err := nats.Connect(url)
	require.NoError(t, err)
	defer nc.Close()
	js, err := natsjs.New(nc)
	require.NoError(t, err)
	for lane := range 4 {
		s, err := js.Stream(t.Context(), fmt.Sprint("boltseal-jobs-", lane))
		require.NoError(t, err)
		require.NoError(t, s.Purge(t.Context()))
	}
	work(t, q, 1, func(_ context.Context, r string) (registry.Inventory, error) { return named(r), nil })
	require.NoError(t, <-done)
}

func TestLead(t *testing.T) {
	q := embed(t, nil)
	var leaders, most atomic.Int32
	var order []string
	var mu sync.Mutex
	lead := func(id string, stay time.Duration) func(context.Context) error {
		return func(ctx context.Context) error {
			most.Store(max(most.Load(), leaders.Add(1)))
			defer leaders.Add(-1)
			mu.Lock()
			order = append(order, id)
			mu.Unlock()
			select {
			case <-time.After(stay):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	first, die := context.WithCancel(ctx)
	wg.Go(func() { _ = q.Lead(first, "sweep", "a", 3*time.Second, lead("a", time.Hour)) })
	require.Eventually(t, func() bool { return leaders.Load() == 1 }, 10*time.Second, 10*time.Millisecond)
	for _, id := range []string{"b", "c"} {
		wg.Go(func() { _ = q.Lead(ctx, "sweep", id, 3*time.Second, lead(id, time.Hour)) })
	}
	time.Sleep(4 * time.Second) // longer than a lease: it is renewed
	mu.Lock()
	require.Equal(t, []string{"a"}, order)
	mu.Unlock()
	die()
	require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(order) == 2 }, 10*time.Second, 10*time.Millisecond, "another takes over")
	cancel()
	wg.Wait()
	require.EqualValues(t, 1, most.Load(), "never two at a time")
	require.NotEqual(t, "a", order[1])

	err := q.Lead(t.Context(), "other", "a", 0, func(context.Context) error { return errors.New("lead's own") })
	require.ErrorContains(t, err, "lead's own")
}
