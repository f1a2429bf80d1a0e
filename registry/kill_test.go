package registry_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/internal/registryserver"
	"github.com/boltseal/boltseal/registry"
	"github.com/boltseal/boltseal/registry/registrytest"
)

// TestMain runs a monitor instead of the tests if it is told to: the process
// that TestKilled kills.
func TestMain(m *testing.M) {
	if host := os.Getenv("BOLTSEAL_TEST_MONITOR"); host != "" {
		if err := runMonitor(host, os.Getenv("BOLTSEAL_TEST_STORE"), os.Getenv("BOLTSEAL_TEST_ADVISORIES"), os.Getenv("BOLTSEAL_TEST_EVENTS")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		return
	}
	os.Exit(m.Run())
}

// What the monitor says it is about to do, a byte for each, on its fourth file.
const (
	sweeping   = 's'
	indexing   = 'i' // an inventory is there, and is written next
	evaluating = 'e'
	idle       = '-'
	starting   = '0' // nothing yet
)

// runMonitor watches until the process is killed, and appends each event's ID to
// a file before it counts as delivered.
func runMonitor(host, path, advisories, events string) error {
	ctx := context.Background()
	c, err := registry.Open(host, nil)
	if err != nil {
		return err
	}
	s, err := registry.OpenStore(ctx, path)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(events, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	phases := os.NewFile(3, "phases")
	now := func(phase byte) { _, _ = phases.Write([]byte{phase}) } // if nobody listens, nothing is lost
	read := reader(c)
	m, err := registry.NewMonitor(s, registry.MonitorOptions{
		Sources: []registry.Source{{Client: c, Repositories: []string{"a", "b", "c"}}}, Interval: 20 * time.Millisecond,
		Indexer: registry.IndexerFunc(func(ctx context.Context, ref string) (registry.Inventory, error) {
			inv, err := read(ctx, ref)
			now(indexing)
			return inv, err
		}),
		Advisories: func(context.Context) (registry.Matcher, error) {
			w, err := readWorld(advisories)
			if g, _ := s.Generation(); err == nil && g != w.Name {
				now(evaluating)
			}
			return w, err
		},
		Observer: &registry.Observer{
			Listed:    func(string, int) { now(sweeping) },
			Looked:    func(string) { now(sweeping) },
			Swept:     func(registry.Round, bool) { now(idle) },
			Evaluated: func(registry.Evaluation, time.Duration) { now(idle) },
		},
	})
	if err != nil {
		return err
	}
	for e, err := range m.Run(ctx, "file") {
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(log, "%d %s\n", e.Sequence, e.ID); err != nil {
			return err
		}
	}
	return nil
}

func readWorld(path string) (*registrytest.Advisories, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	w := &registrytest.Advisories{}
	return w, json.Unmarshal(raw, w)
}

// TestKilled kills a monitor at random moments, while tags and advisories
// change, and checks after each time that nothing is lost or half done: the
// store equals a full recomputation, and each event was delivered, all
// deliveries of one with the same identity.
func TestKilled(t *testing.T) {
	rounds := 15
	if os.Getenv("BOLTSEAL_LONG") != "" {
		rounds = 250
	}
	server := registryserver.Start(t, registryserver.Olareg, registryserver.Options{})
	c := open(t, server, registry.Options{})
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	dir := t.TempDir()
	store, advisories, events := filepath.Join(dir, "store"), filepath.Join(dir, "advisories"), filepath.Join(dir, "events")
	w := &registrytest.Advisories{Name: "0"}
	tags := map[string]map[string]string{"a": {}, "b": {}, "c": {}}
	save := func() {
		previous := w.Previous
		w.Previous = nil // the other process would have to have it
		raw, err := json.Marshal(w)
		require.NoError(t, err)
		w.Previous = previous
		require.NoError(t, os.WriteFile(advisories+".part", raw, 0o600))
		require.NoError(t, os.Rename(advisories+".part", advisories))
	}
	change := func() {
		for range rng.IntN(4) {
			repo, tag := string("abc"[rng.IntN(3)]), fmt.Sprint("t", rng.IntN(5))
			text := fmt.Sprintf("p%d=%d,p%d=%d", rng.IntN(6), rng.IntN(5), rng.IntN(6), rng.IntN(5))
			m := pushImage(t, c, repo, tag, text)
			tags[repo][tag] = string(m.Digest)
		}
		w = w.Next(strconv.Itoa(rng.Int()), func(n *registrytest.Advisories) {
			for range rng.IntN(3) {
				n.Fix(fmt.Sprint("p", rng.IntN(6)), fmt.Sprint("CVE-", rng.IntN(9)), rng.IntN(6))
			}
		})
		save()
	}
	change()
	hits := map[string]int{}
	for round := range rounds {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), "BOLTSEAL_TEST_MONITOR="+server.Host, "BOLTSEAL_TEST_STORE="+store, "BOLTSEAL_TEST_ADVISORIES="+advisories, "BOLTSEAL_TEST_EVENTS="+events)
		cmd.Stderr = os.Stderr
		heard, said, err := os.Pipe()
		require.NoError(t, err)
		cmd.ExtraFiles = []*os.File{said}
		require.NoError(t, cmd.Start())
		require.NoError(t, said.Close())
		dead := make(chan struct{})
		phase := byte(starting)
		target, nth, late := "sie0"[rng.IntN(4)], 1+rng.IntN(4), time.Duration(rng.IntN(6000))*time.Microsecond
		go func() {
			defer close(dead)
			steps := make([]byte, 1)
			for {
				if phase == target {
					nth--
				}
				if nth <= 0 || target == starting {
					time.Sleep(late)
					_ = cmd.Process.Kill() // it may have ended by itself, which its exit code tells
					nth = 1 << 30
				}
				if _, err := heard.Read(steps); err != nil {
					return
				}
				phase = steps[0]
			}
		}()
		for end, alive := time.After(10*time.Second), true; alive; {
			change()
			select {
			case <-dead:
				alive = false
			case <-end:
				require.NoError(t, cmd.Process.Kill())
				<-dead
				alive = false
			case <-time.After(time.Duration(rng.IntN(30)) * time.Millisecond):
			}
		}
		_ = cmd.Wait()
		require.False(t, cmd.ProcessState.Exited(), "it ended by itself")
		hits[map[byte]string{starting: "start", sweeping: "sweep", indexing: "index write", evaluating: "delta", idle: "idle"}[phase]]++
		require.NoError(t, heard.Close())

		s, err := registry.OpenStore(t.Context(), store)
		require.NoError(t, err, "round %d", round)
		require.NoError(t, s.Verify(t.Context(), nil), "round %d", round)
		require.NoError(t, s.Close())
	}

	// In peace, it catches up.
	s, err := registry.OpenStore(t.Context(), store)
	require.NoError(t, err)
	defer s.Close()
	m := monitor(t, s, registry.MonitorOptions{Sources: []registry.Source{{Client: c, Repositories: []string{"a", "b", "c"}}}, Indexer: reader(c),
		Advisories: func(context.Context) (registry.Matcher, error) { return readWorld(advisories) }})
	r := reconcile(t, m)
	require.Empty(t, r.Errors)
	require.NoError(t, s.Verify(t.Context(), w))
	have := map[string]string{}
	for ref, err := range s.References("") {
		require.NoError(t, err)
		have[ref.Name] = string(ref.Digest)
	}
	want := map[string]string{}
	for repo, list := range tags {
		for tag, d := range list {
			want[server.Host+"/"+repo+":"+tag] = d
		}
	}
	require.Equal(t, want, have)

	// Deliver the rest, then compare with what is in the store.
	f, err := os.OpenFile(events, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	after, err := s.Cursor("file")
	require.NoError(t, err)
	all := map[uint64]string{}
	for e, err := range s.Events(t.Context(), 0) {
		require.NoError(t, err)
		all[e.Sequence] = e.ID
		if e.Sequence > after {
			fmt.Fprintf(f, "%d %s\n", e.Sequence, e.ID)
		}
	}
	require.NoError(t, f.Close())
	raw, err := os.Open(events)
	require.NoError(t, err)
	defer raw.Close()
	delivered := map[uint64]string{}
	for {
		var n uint64
		var id string
		if _, err := fmt.Fscan(raw, &n, &id); err != nil {
			break
		}
		if have, again := delivered[n]; again {
			require.Equal(t, have, id, "delivered twice, and known by its identity")
		}
		delivered[n] = id
	}
	require.Equal(t, all, delivered, "each event was delivered")
	t.Logf("%d rounds, %d events, killed in %v", rounds, len(all), hits)
	if rounds >= 200 {
		for _, phase := range []string{"sweep", "index write", "delta"} {
			require.NotZero(t, hits[phase], phase)
		}
	}
}
