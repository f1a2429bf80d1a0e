package registry_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/registry"
)

// whole requires that a store equals a full recomputation, has the references
// that are wanted and no others, and no event twice.
func whole(t testing.TB, s *registry.Store, w registry.Matcher, want map[string]digest.Digest) {
	t.Helper()
	require.NoError(t, s.Verify(t.Context(), w))
	have := map[string]digest.Digest{}
	for ref, err := range s.References("") {
		require.NoError(t, err)
		if !ref.Gone {
			have[ref.Name] = ref.Digest
			require.NotEmpty(t, ref.Images, ref.Name)
		}
	}
	require.Equal(t, want, have)
	seen := map[string]uint64{}
	for e, err := range s.Events(t.Context(), 0) {
		require.NoError(t, err)
		require.NotContains(t, seen, e.ID, "one event, once")
		seen[e.ID] = e.Sequence
	}
}

// TestFaultyRegistry puts a fault before a real registry, in every second request
// that it fits, from the first sweep on: what can be known is, nothing that is
// wrong, and once the fault is over, all.
func TestFaultyRegistry(t *testing.T) {
	s, _ := small(t)
	c := open(t, s, registry.Options{})
	tags := map[string]digest.Digest{}
	for i := range 4 {
		tags[fmt.Sprint("t", i)] = pushImage(t, c, "web", fmt.Sprint("t", i), fmt.Sprint("ssl=", i)).Digest
	}
	other := pushImage(t, c, "other", "1", "zip=1")
	has := func(part string) func(*http.Request) bool {
		return func(r *http.Request) bool { return strings.Contains(r.URL.Path, part) }
	}
	status := func(code int) func(w http.ResponseWriter, r *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) }
	}
	for _, tt := range []struct {
		name string
		when func(*http.Request) bool // it fits
		do   func(w http.ResponseWriter, r *http.Request)
		// blamed is whether it looks as if the image could not be read.
		blamed bool
	}{
		{"429", has("/"), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
		}, false},
		{"500", has("/"), status(500), false},
		{"404 for manifests", has("/manifests/"), status(404), true},
		{"a list cut short", has("/tags/list"), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"tags":["t0",`)
		}, false},
		{"a list in a circle", has("/tags/list"), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", `<`+r.URL.Path+`?last=t1>; rel="next"`)
			_, _ = io.WriteString(w, `{"tags":["t0","t1"]}`)
		}, false},
		{"a catalog in a circle", has("/_catalog"), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", `</v2/_catalog?last=a>; rel="next"`)
			_, _ = io.WriteString(w, `{"repositories":["web"]}`)
		}, false},
		{"another manifest", has("/manifests/sha256:"), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", other.MediaType)
			_, _ = w.Write(other.Raw)
		}, true},
		{"a manifest cut short", has("/manifests/sha256:"), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", other.MediaType)
			w.Header().Set("Content-Length", "4000")
			_, _ = w.Write(other.Raw[:10])
		}, true},
		{"another blob", has("/blobs/"), func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "ssl=9") }, true},
		{"a blob that drips", has("/blobs/"), func(w http.ResponseWriter, r *http.Request) {
			for range 200 {
				_, _ = io.WriteString(w, "s")
				w.(http.Flusher).Flush()
				select {
				case <-r.Context().Done():
					return
				case <-time.After(20 * time.Millisecond):
				}
			}
		}, true},
		{"a page of HTML", has("/"), func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "<html>sign in</html>") }, true},
		{"a closed connection", has("/"), func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var over atomic.Bool
			var fits atomic.Int64
			front := between(t, s, func(w http.ResponseWriter, r *http.Request) bool {
				if over.Load() && strings.HasSuffix(r.URL.Path, "/_catalog") { // which this registry does not have
					_, _ = io.WriteString(w, `{"repositories":["web"]}`)
					return true
				}
				if over.Load() || !tt.when(r) {
					return false
				}
				n := fits.Add(1)
				if n%2 == 0 || tt.name == "429" && (n < 8 || n > 16) { // more of them slow the client down for long
					return false
				}
				tt.do(w, r)
				return true
			})
			watched := open(t, front, registry.Options{Tries: 1})
			store := newStore(t)
			w := &world{Name: "1", Fixed: map[string]map[string]int{"ssl": {"CVE-1": 3}}}
			_, advisories := fixedWorld(w)
			source := registry.Source{Client: watched, Repositories: []string{"web"}}
			if strings.Contains(tt.name, "catalog") {
				source.Repositories = []string{"we?"}
			}
			m := monitor(t, store, registry.MonitorOptions{Sources: []registry.Source{source}, Indexer: reader(watched), Advisories: advisories})
			if strings.Contains(tt.name, "drips") {
				m.ImageTime = 300 * time.Millisecond
			}
			for range 3 {
				reconcile(t, m)
				require.NoError(t, store.Verify(t.Context(), w))
				for ref, err := range store.References("") {
					require.NoError(t, err)
					require.Equal(t, tags[ref.Name[strings.LastIndexByte(ref.Name, ':')+1:]], ref.Digest, "nothing wrong is believed")
					require.False(t, ref.Gone, "and nothing is taken for gone")
				}
			}
			require.NotZero(t, fits.Load())
			over.Store(true)
			list, err := store.Failures()
			require.NoError(t, err)
			require.True(t, tt.blamed || len(list) == 0, "it is not the image's fault: %v", list)
			_, err = store.Retry() // of images that were given up
			require.NoError(t, err)
			require.Empty(t, reconcile(t, m).Errors)
			want := map[string]digest.Digest{}
			for tag, d := range tags {
				want[front.Host+"/web:"+tag] = d
			}
			whole(t, store, w, want)
		})
	}
}

// TestLateNotifications sends each notification several times, and in an order
// that has nothing to do with that of what they tell of: what the registry says
// when it is asked is what counts.
func TestLateNotifications(t *testing.T) {
	s, _ := small(t)
	c := open(t, s, registry.Options{})
	w := &world{Name: "1", Fixed: map[string]map[string]int{"ssl": {"CVE-1": 3}}}
	_, advisories := fixedWorld(w)
	store := newStore(t)
	m := monitor(t, store, registry.MonitorOptions{Sources: []registry.Source{{Client: c, Repositories: []string{"a", "b"}}}, Indexer: reader(c), Advisories: advisories, Interval: time.Hour})
	const auth = "Bearer 0123456789abcdef"
	h, err := m.HintHandler(registry.HintOptions{Authorization: auth})
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(1, 1))
	want := map[string]digest.Digest{}
	var notes []string
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		for _, err := range m.Run(ctx, "test") {
			if ctx.Err() == nil && err != nil {
				t.Error(err)
			}
		}
	})
	for i := range 12 {
		repo, tag := string("ab"[rng.IntN(2)]), fmt.Sprint(rng.IntN(3))
		d := pushImage(t, c, repo, tag, fmt.Sprint("ssl=", i)).Digest
		want[s.Host+"/"+repo+":"+tag] = d
		notes = append(notes, fmt.Sprintf(`{"events":[{"action":"push","target":{"repository":%q,"tag":%q,"digest":%q}}]}`, repo, tag, d))
		for range 4 {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(notes[rng.IntN(len(notes))]))
			r.Header.Set("Authorization", auth)
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, r)
			require.Equal(t, http.StatusAccepted, answer.Code)
		}
		time.Sleep(time.Duration(rng.IntN(40)) * time.Millisecond)
	}
	for _, repo := range []string{"a", "b"} { // the last one is lost to nobody
		m.Hint(s.Host, repo)
	}
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		for ref, d := range want {
			found := false
			for r, err := range store.References(ref) {
				found = found || err == nil && r.Digest == d
			}
			if !found {
				t.Errorf("%s does not lead to %s yet", ref, d)
			}
		}
	}, 30*time.Second, 50*time.Millisecond)
	cancel()
	running.Wait()
	whole(t, store, w, want)
}

// TestClockJumps gives listings times that go back and forth by years: what the
// store does follows the order in which it is told.
func TestClockJumps(t *testing.T) {
	s := newStore(t)
	w := &world{Name: "0", Fixed: map[string]map[string]int{"ssl": {"CVE-1": 3}}}
	rng := rand.New(rand.NewPCG(5, 5))
	jump := func() time.Time { return time.Now().AddDate(rng.IntN(40)-20, 0, rng.IntN(300)) }
	want := map[string]digest.Digest{}
	for round := range 30 {
		l := registry.Listing{Repository: "r/x", Tags: map[string]registry.Listed{}, Complete: true, At: jump()}
		clear(want)
		for i := range 4 {
			d := put(t, s, w, fmt.Sprint(rng.IntN(3)), pkg("ssl", 1+rng.IntN(3)))
			l.Tags[fmt.Sprint(i)] = registry.Listed{Digest: d, Images: []digest.Digest{d}}
			want[fmt.Sprint("r/x:", i)] = d
		}
		_, err := s.Apply(l)
		require.NoError(t, err)
		if round%5 == 4 {
			w = w.Next(fmt.Sprint(round), func(n *world) { n.Fix("ssl", "CVE-1", rng.IntN(5)) })
			_, err := s.Evaluate(t.Context(), w)
			require.NoError(t, err)
			_, err = s.Forget(jump()) // whatever it thinks the time is, what leads somewhere stays
			require.NoError(t, err)
		}
		whole(t, s, w, want)
	}
	_, err := s.TrimEvents(time.Now().AddDate(30, 0, 0))
	require.NoError(t, err)
	require.NoError(t, s.Verify(t.Context(), w))
}

// TestAdvisoriesHalfReplaced cuts the advisories short at every place: those in
// use stay, until others are whole.
func TestAdvisoriesHalfReplaced(t *testing.T) {
	s, _ := small(t)
	c := open(t, s, registry.Options{})
	d := pushImage(t, c, "web", "2", "ssl=2").Digest
	path := filepath.Join(t.TempDir(), "advisories")
	old := &world{Name: "1", Fixed: map[string]map[string]int{"ssl": {"CVE-1": 3}}}
	next := &world{Name: "2", Fixed: map[string]map[string]int{"ssl": {"CVE-1": 3, "CVE-2": 9}}}
	write := func(raw []byte) { require.NoError(t, os.WriteFile(path, raw, 0o600)) }
	marshal := func(w *world) []byte {
		raw, err := json.Marshal(w)
		require.NoError(t, err)
		return raw
	}
	store := newStore(t)
	m := monitor(t, store, registry.MonitorOptions{Sources: []registry.Source{{Client: c, Repositories: []string{"web"}}}, Indexer: reader(c),
		Advisories: func(context.Context) (registry.Matcher, error) { return readWorld(path) }})
	write(marshal(next)[:10])
	_, err := m.Reconcile(t.Context())
	require.Error(t, err, "there are none yet")
	write(marshal(old))
	require.Empty(t, reconcile(t, m).Errors)
	want := map[string]digest.Digest{s.Host + "/web:1": pushImage(t, c, "web", "1", "ssl=1").Digest, s.Host + "/web:2": d}
	raw := marshal(next)
	for n := 0; n < len(raw); n += 7 {
		write(raw[:n])
		require.Empty(t, reconcile(t, m).Errors)
		g, err := store.Generation()
		require.NoError(t, err)
		require.Equal(t, "1", g)
	}
	whole(t, store, old, want) // an image that came meanwhile is judged by them
	write(raw)
	require.Empty(t, reconcile(t, m).Errors)
	whole(t, store, next, want)
	var opened int
	for e, err := range store.Events(t.Context(), 0) {
		require.NoError(t, err)
		if e.Type == registry.VulnerabilityOpened {
			require.Equal(t, "CVE-2", e.Rule)
			opened++
		}
	}
	require.Equal(t, 1, opened)
}
