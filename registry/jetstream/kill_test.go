package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/registry"
	"github.com/boltseal/boltseal/registry/jetstream"
)

// TestCluster kills one server of three after the other while images are
// analysed, the leader of the stream among them.
func TestCluster(t *testing.T) {
	servers := startServers(t, 3)
	urls := servers[0].url + "," + servers[1].url + "," + servers[2].url
	q, err := jetstream.Connect(t.Context(), urls, &jetstream.Options{Replicas: 3, Lost: 2 * time.Second})
	require.NoError(t, err)
	defer q.Close()
	work(t, q, 4, func(_ context.Context, r string) (registry.Inventory, error) {
		time.Sleep(20 * time.Millisecond)
		return named(r), nil
	})
	var wg sync.WaitGroup
	results := make(chan error, 100)
	for i := range 100 {
		wg.Go(func() {
			inv, err := q.Index(t.Context(), ref(i))
			if err == nil && inv.Packages[0].Name != ref(i) {
				err = errors.New("another's result")
			}
			results <- err
		})
	}
	for _, s := range servers {
		s.kill()
		time.Sleep(time.Second)
		s.run()
		time.Sleep(3 * time.Second)
	}
	wg.Wait()
	close(results)
	for err := range results {
		require.NoError(t, err)
	}
}

// TestWorkerKilled kills worker processes in the middle of their work.
func TestWorkerKilled(t *testing.T) {
	url := startServers(t, 1)[0].url
	q, err := jetstream.Connect(t.Context(), url, &jetstream.Options{Lost: time.Second})
	require.NoError(t, err)
	defer q.Close()
	var wg sync.WaitGroup
	results := make(chan error, 30)
	for i := range 30 {
		wg.Go(func() {
			inv, err := q.Index(t.Context(), ref(i))
			if err == nil && inv.Packages[0].Name != ref(i) {
				err = errors.New("another's result")
			}
			results <- err
		})
	}
	for range 3 {
		cmd := startWorker(t, url)
		time.Sleep(1500 * time.Millisecond)
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait()
	}
	startWorker(t, url)
	wg.Wait()
	close(results)
	for err := range results {
		require.NoError(t, err)
	}
}

// startWorker starts a worker as a process of its own, until the test ends.
func startWorker(t testing.TB, url string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "BOLTSEAL_TEST_ROLE=worker", "BOLTSEAL_TEST_URL="+url)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

func runWorker() {
	ctx := context.Background()
	q, err := jetstream.Connect(ctx, os.Getenv("BOLTSEAL_TEST_URL"), &jetstream.Options{Lost: time.Second})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	err = q.Work(ctx, registry.IndexerFunc(func(_ context.Context, r string) (registry.Inventory, error) {
		if r == ref(-1) {
			os.Exit(9) // as a worker that the kernel ends for its memory
		}
		time.Sleep(100 * time.Millisecond)
		return named(r), nil
	}), 2)
	fmt.Fprintln(os.Stderr, err)
	os.Exit(3)
}

func long(t *testing.T) {
	if os.Getenv("BOLTSEAL_LONG") == "" {
		t.Skip("minutes: set BOLTSEAL_LONG")
	}
}

// TestDeadly has an image that no worker survives: it is put aside in the end,
// and the rest goes on.
func TestDeadly(t *testing.T) {
	long(t)
	url := startServers(t, 1)[0].url
	q, err := jetstream.Connect(t.Context(), url, &jetstream.Options{Lost: time.Second})
	require.NoError(t, err)
	defer q.Close()
	type answer struct {
		inv registry.Inventory
		err error
	}
	ask := func(n int) chan answer {
		c := make(chan answer, 1)
		go func() { inv, err := q.Index(t.Context(), ref(n)); c <- answer{inv, err} }()
		return c
	}
	poison, good := ask(-1), ask(1)
	for deaths := 0; ; deaths++ {
		cmd := startWorker(t, url)
		ended := make(chan struct{})
		go func() { _ = cmd.Wait(); close(ended) }()
		select {
		case <-ended:
			continue
		case a := <-poison:
			require.ErrorContains(t, a.err, "died")
			require.Equal(t, 20, deaths)
		}
		require.NoError(t, (<-good).err)
		return
	}
}

// TestRounds kills, at random moments, a worker, a server of three, all servers,
// or stops a worker for so long that another has its image too: then both answer.
// BOLTSEAL_ROUNDS says how often; 200 by default.
func TestRounds(t *testing.T) {
	long(t)
	rounds := 200
	if s := os.Getenv("BOLTSEAL_ROUNDS"); s != "" {
		_, err := fmt.Sscan(s, &rounds)
		require.NoError(t, err)
	}
	servers := startServers(t, 3)
	urls := servers[0].url + "," + servers[1].url + "," + servers[2].url
	q, err := jetstream.Connect(t.Context(), urls, &jetstream.Options{Replicas: 3, Lost: time.Second})
	require.NoError(t, err)
	defer q.Close()
	workers := []*exec.Cmd{startWorker(t, urls), startWorker(t, urls)}
	done := map[string]int{}
	const images = 6
	for round := range rounds {
		results := make(chan error, images)
		for i := range images {
			go func() {
				n := round*images + i
				inv, err := q.Index(t.Context(), ref(n))
				if err == nil && inv.Packages[0].Name != ref(n) {
					err = errors.New("another's result")
				}
				results <- err
			}()
		}
		time.Sleep(rand.N(500 * time.Millisecond))
		i := rand.IntN(2)
		var what string
		switch n := rand.IntN(20); {
		case n < 8:
			what = "worker killed"
			require.NoError(t, workers[i].Process.Kill())
			_ = workers[i].Wait()
			workers[i] = startWorker(t, urls)
		case n < 12:
			what = "worker stopped"
			require.NoError(t, workers[i].Process.Signal(syscall.SIGSTOP))
			time.Sleep(1500 * time.Millisecond)
			require.NoError(t, workers[i].Process.Signal(syscall.SIGCONT))
		case n < 19:
			what = "server killed"
			s := servers[rand.IntN(3)]
			s.kill()
			time.Sleep(rand.N(time.Second))
			s.run()
		default:
			what = "all servers killed"
			for _, s := range servers {
				s.kill()
			}
			for _, s := range servers {
				s.run()
			}
		}
		for range images {
			select {
			case err := <-results:
				require.NoError(t, err, "round %d, %s", round, what)
			case <-time.After(3 * time.Minute):
				t.Fatalf("round %d, %s: a result does not come", round, what)
			}
		}
		done[what]++
	}
	require.Eventually(t, func() bool { n, err := q.Depth(t.Context()); return err == nil && n == 0 }, time.Minute, 100*time.Millisecond)
	for l, err := range q.DeadLetters(t.Context()) {
		require.NoError(t, err)
		t.Errorf("put aside: %+v", l)
	}
	t.Logf("%d rounds, %d images: %v", rounds, rounds*images, done)
}
