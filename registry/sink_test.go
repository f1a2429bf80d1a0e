package registry_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/registry"
)

// eventful is a store with the events of n new references, and more.
func eventful(t testing.TB, n int) *registry.Store {
	t.Helper()
	s := newStore(t)
	g := &world{Name: "1", Fixed: map[string]map[string]int{}}
	_, err := s.Evaluate(t.Context(), g)
	require.NoError(t, err)
	grow(t, s, g, 0, n)
	return s
}

func grow(t testing.TB, s *registry.Store, g *world, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		d := put(t, s, g, fmt.Sprint(i), pkg("ssl", 1))
		list(t, s, fmt.Sprint("r/", i), map[string]digest.Digest{"1": d})
	}
}

// collector keeps what it is sent.
type collector struct {
	mu   sync.Mutex
	got  []uint64
	fail func(m *registry.Message) error
}

func (c *collector) Send(_ context.Context, m *registry.Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail != nil {
		if err := c.fail(m); err != nil {
			return err
		}
	}
	c.got = append(c.got, m.Sequence)
	return nil
}

func (c *collector) sequences() []uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.got)
}

func upTo(n int) (list []uint64) {
	for i := range n {
		list = append(list, uint64(i+1))
	}
	return list
}

// deliver runs Deliver in the background until the test, or stop, ends it.
func deliver(t testing.TB, s *registry.Store, name string, sink registry.Sink, o *registry.DeliverOptions) (stop func() error) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- registry.Deliver(ctx, s, name, sink, o) }()
	var once sync.Once
	var err error
	stop = func() error {
		once.Do(func() { cancel(); err = <-done })
		return err
	}
	t.Cleanup(func() { _ = stop() })
	return stop
}

func TestDeliver(t *testing.T) {
	s := eventful(t, 3)
	var c collector
	stop := deliver(t, s, "a", &c, nil)
	require.Eventually(t, func() bool { return len(c.sequences()) == 3 }, 10*time.Second, 5*time.Millisecond)
	grow(t, s, &world{Name: "1"}, 3, 5)
	require.Eventually(t, func() bool { return len(c.sequences()) == 5 }, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, stop(), "the end of the context is no error")

	grow(t, s, &world{Name: "1"}, 5, 200)
	stop = deliver(t, s, "a", &c, nil)
	require.Eventually(t, func() bool { return len(c.sequences()) >= 200 }, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, stop())
	require.Equal(t, upTo(200), c.sequences(), "each once and in order, as nothing crashed")

	var odd collector
	stop = deliver(t, s, "odd", &odd, &registry.DeliverOptions{Wants: func(e *registry.Event) bool { return e.Sequence%2 == 1 }})
	require.Eventually(t, func() bool { return len(odd.sequences()) == 100 }, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, stop())
	sinks, err := s.Sinks()
	require.NoError(t, err)
	require.Equal(t, map[string]uint64{"a": 200, "odd": 200}, sinks)
	require.NoError(t, s.DropSink("odd"))
	n, err := s.Cursor("odd")
	require.NoError(t, err)
	require.Zero(t, n)
}

// TestSlowSink has one sink that hangs and one that does not.
func TestSlowSink(t *testing.T) {
	s := eventful(t, 10)
	hanging, release := make(chan struct{}), make(chan struct{})
	slow := registry.SinkFunc(func(ctx context.Context, m *registry.Message) error {
		if m.Sequence == 3 {
			close(hanging)
			select {
			case <-release:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	stop := deliver(t, s, "slow", slow, nil)
	var c collector
	deliver(t, s, "quick", &c, nil)
	require.Eventually(t, func() bool { return len(c.sequences()) == 10 }, 10*time.Second, 5*time.Millisecond)
	<-hanging
	require.NoError(t, stop())
	sinks, err := s.Sinks()
	require.NoError(t, err)
	require.EqualValues(t, 2, sinks["slow"], "it goes on with the one that it did not get")
	n, err := s.TrimEvents(time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, 2, n, "what a sink lacks is kept")
	close(release)
	var rest collector
	deliver(t, s, "slow", &rest, nil)
	require.Eventually(t, func() bool { return slices.Equal(rest.sequences(), upTo(10)[2:]) }, 10*time.Second, 5*time.Millisecond)
}

// TestDeliverAgain has deliveries end at random places: every event arrives, in
// order but for those that were not confirmed.
func TestDeliverAgain(t *testing.T) {
	s := eventful(t, 150)
	broken := errors.New("broken")
	var seen []uint64
	for try := 0; ; try++ {
		n := 0
		err := registry.Deliver(t.Context(), s, "x", registry.SinkFunc(func(_ context.Context, m *registry.Message) error {
			if n++; n > 17 || m.Sequence == 150 && try < 20 {
				return broken
			}
			seen = append(seen, m.Sequence)
			if m.Sequence == 150 {
				return fmt.Errorf("%w: and over", registry.ErrSinkGone)
			}
			return nil
		}), nil)
		if errors.Is(err, registry.ErrSinkGone) {
			break
		}
		require.ErrorIs(t, err, broken)
		require.ErrorContains(t, err, "deliver to x")
		require.Less(t, try, 50)
	}
	require.Equal(t, upTo(150), seen, "what was sent when another one failed is confirmed")
}

func TestDeadLetters(t *testing.T) {
	s := eventful(t, 5)
	c := collector{fail: func(m *registry.Message) error {
		if m.Sequence == 3 {
			return fmt.Errorf("%w: no", registry.ErrRejected)
		}
		return nil
	}}
	err := registry.Deliver(t.Context(), s, "x", &c, nil)
	require.ErrorIs(t, err, registry.ErrRejected, "nothing is dropped that nobody takes")
	require.Equal(t, upTo(2), c.sequences())
	var out bytes.Buffer
	dead := registry.NewLines(&out)
	stop := deliver(t, s, "x", &c, &registry.DeliverOptions{Dead: dead})
	require.Eventually(t, func() bool { return len(c.sequences()) == 4 }, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, stop())
	require.Equal(t, 1, strings.Count(out.String(), "\n"))
	require.Contains(t, out.String(), `"sequence":3,`)
}

// TestMessage holds the JSON form to the keys that its readers rely on.
func TestMessage(t *testing.T) {
	s := newStore(t)
	g := &world{Name: "1", Fixed: map[string]map[string]int{}}
	_, err := s.Evaluate(t.Context(), g)
	require.NoError(t, err)
	tags := map[string]digest.Digest{}
	for i := range 30 {
		d := put(t, s, g, fmt.Sprint(i), pkg("ssl", 1+i%2))
		tags[fmt.Sprintf("v%02d", i)] = d
		if i == 0 {
			for j := range 25 {
				tags[fmt.Sprintf("also%02d", j)] = d
			}
		}
	}
	list(t, s, "r/x", tags)
	after, err := s.Stats()
	require.NoError(t, err)
	_, err = s.Evaluate(t.Context(), g.Next("2", func(n *world) {
		n.Fix("ssl", "CVE-1", 9)
		n.Severity["CVE-1"] = boltseal.SeverityHigh
	}))
	require.NoError(t, err)
	e, err := first(s.Events(t.Context(), after.Events))
	require.NoError(t, err)
	m, err := s.Message(e, 7)
	require.NoError(t, err)
	require.EqualValues(t, 30, m.Count)
	require.Len(t, m.Images, 7)
	require.Len(t, m.Images[0].References, 20)
	require.True(t, m.Truncated)
	raw, err := json.Marshal(m)
	require.NoError(t, err)
	var doc map[string]any
	require.NoError(t, json.Unmarshal(raw, &doc))
	require.Equal(t, map[string]any{
		"id": e.ID, "sequence": float64(e.Sequence), "type": "io.boltseal.registry.vulnerability.opened", "time": e.Time.Format(time.RFC3339Nano),
		"rule": "CVE-1", "severity": "high", "fixed": "9", "package": "generic:ssl", "versions": []any{"1", "2"},
		"why": "the advisories now say that this version is affected", "generation": "2", "count": float64(30), "truncated": true, "images": doc["images"],
	}, doc)
	image := doc["images"].([]any)[1].(map[string]any)
	require.Equal(t, map[string]any{"digest": string(m.Images[1].Digest), "references": []any{"r/x:v01"}, "packages": []any{map[string]any{"purl": "pkg:generic/ssl@2"}}}, image)
	m, err = s.Message(e, 0)
	require.NoError(t, err)
	require.Len(t, m.Images, 30)
}

func TestLines(t *testing.T) {
	s := eventful(t, 120)
	path := filepath.Join(t.TempDir(), "events.jsonl")
	for _, torn := range []string{"", `{"id":"cut sho`, strings.Repeat("x", 200_000)} {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		require.NoError(t, err)
		_, err = f.WriteString(torn)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		l, err := registry.OpenLines(path)
		require.NoError(t, err)
		stop := deliver(t, s, "file", l, nil)
		want, err := s.Stats()
		require.NoError(t, err)
		require.Eventually(t, func() bool { n, err := s.Cursor("file"); return err == nil && n == want.Events }, 10*time.Second, 5*time.Millisecond)
		raw, err := os.ReadFile(path) // what is confirmed is in the file
		require.NoError(t, err)
		require.EqualValues(t, want.Events, bytes.Count(raw, []byte("\n")))
		require.NoError(t, stop())
		require.NoError(t, l.Close())
		var seqs []uint64
		for sc := bufio.NewScanner(bytes.NewReader(raw)); sc.Scan(); {
			var m registry.Message
			require.NoError(t, json.Unmarshal(sc.Bytes(), &m))
			seqs = append(seqs, m.Sequence)
		}
		require.Equal(t, upTo(int(want.Events)), seqs)
		grow(t, s, &world{Name: "1"}, int(want.Events), int(want.Events)+3)
	}
	_, err := registry.OpenLines(t.TempDir())
	require.Error(t, err)
}
