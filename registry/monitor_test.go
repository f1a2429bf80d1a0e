package registry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/registryserver"
	"github.com/boltseal/boltseal/registry"
)

// reader is an indexer of the images that pushImage makes: the layer's text
// says what it holds, "ssl=2,zip=1".
func reader(c registry.Client) registry.IndexerFunc {
	return func(ctx context.Context, ref string) (registry.Inventory, error) {
		repo, d, _ := strings.Cut(strings.TrimPrefix(ref, c.Host()+"/"), "@")
		m, err := c.Manifest(ctx, repo, d)
		if err != nil {
			return registry.Inventory{}, err
		}
		b, err := c.Blob(ctx, repo, m.Layers[0])
		if err != nil {
			return registry.Inventory{}, err
		}
		defer b.Close()
		text, err := io.ReadAll(b)
		if err != nil {
			return registry.Inventory{}, err
		}
		inv := registry.Inventory{Platform: "linux/amd64"}
		for _, line := range strings.Split(strings.TrimPrefix(string(text), "layer "), ",") {
			name, version, ok := strings.Cut(line, "=")
			if !ok {
				return inv, fmt.Errorf("layer: %w: %q", boltseal.ErrMalformed, line)
			}
			var n int
			if _, err := fmt.Sscan(version, &n); err != nil {
				return inv, err
			}
			inv.Packages = append(inv.Packages, pkg(name, n))
		}
		return inv, nil
	}
}

// fixedWorld returns advisories that a test may replace.
func fixedWorld(w *world) (*atomic.Pointer[world], func(context.Context) (registry.Matcher, error)) {
	p := &atomic.Pointer[world]{}
	p.Store(w)
	return p, func(context.Context) (registry.Matcher, error) { return p.Load(), nil }
}

func monitor(t testing.TB, s *registry.Store, o registry.MonitorOptions) *registry.Monitor {
	t.Helper()
	m, err := registry.NewMonitor(s, o)
	require.NoError(t, err)
	return m
}

func reconcile(t testing.TB, m *registry.Monitor) registry.Round {
	t.Helper()
	r, err := m.Reconcile(t.Context())
	require.NoError(t, err)
	return r
}

func TestMonitor(t *testing.T) {
	everywhere(t, registryserver.Options{Delete: true}, func(t *testing.T, server *registryserver.Server) {
		ctx := t.Context()
		var requests atomic.Int64
		c := open(t, server, registry.Options{Observe: func(x registry.Exchange) {
			if x.Status != 0 {
				requests.Add(1)
			}
		}})
		a := pushImage(t, c, "team/shop", "1", "ssl=2,zip=1")
		b := pushImage(t, c, "team/shop", "2", "ssl=5")
		pushImage(t, c, "team/copy", "1", "ssl=2,zip=1") // the same digest
		pushImage(t, c, "other", "1", "ssl=1")
		index := parse(t, v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex, Manifests: []v1.Descriptor{
			{MediaType: a.MediaType, Digest: a.Digest, Size: a.Size, Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}},
			{MediaType: b.MediaType, Digest: b.Digest, Size: b.Size, Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"}},
		}})
		require.NoError(t, c.PushManifest(ctx, "team/shop", "all", index))

		s := newStore(t)
		g := &world{Name: "1", Fixed: map[string]map[string]int{"ssl": {"CVE-1": 3}}}
		current, advisories := fixedWorld(g)
		var analysed sync.Map
		index1 := reader(c)
		m := monitor(t, s, registry.MonitorOptions{
			Sources: []registry.Source{{Client: c, Repositories: []string{"team/shop", "team/copy"}}}, Advisories: advisories,
			Indexer: registry.IndexerFunc(func(ctx context.Context, ref string) (registry.Inventory, error) {
				_, d, _ := strings.Cut(ref, "@")
				if n, _ := analysed.LoadOrStore(d, new(atomic.Int32)); n.(*atomic.Int32).Add(1) > 1 {
					return registry.Inventory{}, errors.New("analysed twice")
				}
				return index1(ctx, ref)
			}),
		})
		r := reconcile(t, m)
		require.Empty(t, r.Errors)
		require.Equal(t, [4]int{2, 4, 2, 4}, [4]int{r.Repositories, r.Tags, r.Analysed, r.Events}, "two digests behind four tags")
		lines, at := said(t, s, 0)
		require.Equal(t, []string{"image.new team/copy:1", "image.new team/shop:1", "image.new team/shop:2", "image.new team/shop:all"}, sorted(lines, server.Host+"/"))

		before := requests.Load()
		r = reconcile(t, m)
		require.Zero(t, r.Analysed+r.Events)
		require.LessOrEqual(t, requests.Load()-before, int64(2+4), "a listing each repository, a HEAD each tag")

		// A new advisory names the images, without asking the registry.
		before = requests.Load()
		current.Store(g.Next("2", func(n *world) { n.Fix("ssl", "CVE-2", 9) }))
		_, err := s.Evaluate(ctx, current.Load())
		require.NoError(t, err)
		require.Equal(t, before, requests.Load())
		lines, at = said(t, s, at)
		require.Equal(t, []string{
			"vulnerability.opened CVE-2 generic:ssl [2 5] > [team/copy:1 team/shop:1 team/shop:2 team/shop:all]",
			"generation.activated",
		}, trimmed(lines, server.Host+"/"))

		// A tag moves; another goes.
		require.NoError(t, c.PushManifest(ctx, "team/shop", "1", b))
		reconcile(t, m)
		lines, _ = said(t, s, at)
		require.Equal(t, []string{"image.retagged team/shop:1"}, trimmed(lines, server.Host+"/"))
		require.NoError(t, s.Verify(ctx, current.Load()))
	})
}

func trimmed(lines []string, host string) []string {
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], host, "")
	}
	return lines
}

func sorted(lines []string, host string) []string {
	lines = trimmed(lines, host)
	slices.Sort(lines)
	return lines
}

func TestCatalogAndPatterns(t *testing.T) {
	server := registryserver.Start(t, registryserver.Distribution2, registryserver.Options{})
	c := open(t, server, registry.Options{})
	for _, repo := range []string{"team/a", "team/b", "team/sub/c", "x"} {
		pushImage(t, c, repo, "1", "ssl=1")
	}
	for _, tt := range []struct {
		patterns []string
		want     int
	}{{nil, 4}, {[]string{"team/*"}, 2}, {[]string{"*"}, 1}, {[]string{"team/*", "x"}, 3}, {[]string{"x"}, 1}, {[]string{"*/*/*"}, 1}} {
		s := newStore(t)
		_, advisories := fixedWorld(&world{Name: "1"})
		r := reconcile(t, monitor(t, s, registry.MonitorOptions{Sources: []registry.Source{{Client: c, Repositories: tt.patterns}}, Indexer: reader(c), Advisories: advisories}))
		require.Empty(t, r.Errors)
		require.Equal(t, tt.want, r.Repositories, "%v", tt.patterns)
	}
	_, err := registry.NewMonitor(newStore(t), registry.MonitorOptions{Sources: []registry.Source{{Client: c, Repositories: []string{"[a"}}}, Indexer: reader(c), Advisories: func(context.Context) (registry.Matcher, error) { return nil, nil }})
	require.ErrorIs(t, err, boltseal.ErrMalformed)
}

// TestFailureClosesNothing has a registry fail in many ways: what was known stays.
func TestFailureClosesNothing(t *testing.T) {
	t.Parallel()
	s, _ := small(t)
	c := open(t, s, registry.Options{})
	for i := range 5 {
		pushImage(t, c, "shop", fmt.Sprint(i), fmt.Sprint("ssl=", i))
	}
	var mode atomic.Value
	mode.Store("")
	front := between(t, s, func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case mode.Load() == "500":
			w.WriteHeader(500)
		case mode.Load() == "429":
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(429)
		case mode.Load() == "401":
			w.WriteHeader(401)
		case mode.Load() == "cut list" && strings.HasSuffix(r.URL.Path, "/tags/list"):
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"tags":["0",`)
		case mode.Load() == "no next page" && strings.HasSuffix(r.URL.Path, "/tags/list"):
			w.Header().Set("Link", `</v2/shop/tags/list?last=0&bad>; rel="next"`)
			if strings.HasSuffix(r.URL.RawQuery, "bad") {
				w.WriteHeader(404)
				return true
			}
			_, _ = io.WriteString(w, `{"tags":["0"]}`)
		case mode.Load() == "no HEAD" && r.Method == http.MethodHead:
			w.WriteHeader(503)
		default:
			return false
		}
		return true
	})
	watched := open(t, front, registry.Options{Tries: 1})
	store := newStore(t)
	_, advisories := fixedWorld(&world{Name: "1", Fixed: map[string]map[string]int{"ssl": {"CVE-1": 3}}})
	m := monitor(t, store, registry.MonitorOptions{Sources: []registry.Source{{Client: watched, Repositories: []string{"shop"}}}, Indexer: reader(watched), Advisories: advisories})
	r := reconcile(t, m)
	require.Empty(t, r.Errors)
	require.Equal(t, [2]int{5, 0}, [2]int{r.Analysed, r.Failed})
	_, at := said(t, store, 0)
	for _, how := range []string{"500", "429", "401", "cut list", "no next page", "no HEAD"} {
		mode.Store(how)
		for range 3 { // more often than makes a tag gone
			r := reconcile(t, m)
			require.NotEmpty(t, r.Errors, how)
		}
		lines, last := said(t, store, at)
		require.Empty(t, lines, how)
		at = last
	}
	mode.Store("")
	r = reconcile(t, m)
	lines, _ := said(t, store, at)
	require.Empty(t, lines)
}

// TestPoison has images that cannot be analysed, each in another way.
func TestPoison(t *testing.T) {
	s, _ := small(t)
	c := open(t, s, registry.Options{})
	pushImage(t, c, "p", "good", "ssl=1")
	pushImage(t, c, "p", "panics", "panic=1")
	pushImage(t, c, "p", "hangs", "hang=1")
	pushImage(t, c, "p", "fails", "nonsense")
	store := newStore(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	read := reader(c)
	_, advisories := fixedWorld(&world{Name: "1"})
	m := monitor(t, store, registry.MonitorOptions{Sources: []registry.Source{{Client: c, Repositories: []string{"p"}}}, Advisories: advisories, ImageTime: 300 * time.Millisecond,
		Indexer: registry.IndexerFunc(func(ctx context.Context, ref string) (registry.Inventory, error) {
			inv, err := read(context.WithoutCancel(ctx), ref)
			if err == nil && inv.Packages[0].Name == "panic" {
				panic("poison")
			}
			if err == nil && inv.Packages[0].Name == "hang" {
				<-release // whatever the context says
			}
			return inv, err
		})})
	for round := range 5 {
		r := reconcile(t, m)
		if round < 3 {
			require.Equal(t, 3, r.Failed, "round %d", round)
		} else {
			require.Zero(t, r.Failed, "three tries are enough")
		}
	}
	list, err := store.Failures()
	require.NoError(t, err)
	require.Len(t, list, 3)
	var whys []string
	for _, f := range list {
		require.Equal(t, 3, f.Tries)
		require.True(t, strings.HasPrefix(f.Name, s.Host+"/p@sha256:"), f.Name)
		whys = append(whys, f.Why)
	}
	require.Contains(t, strings.Join(whys, "\n"), "poison")
	require.Contains(t, strings.Join(whys, "\n"), "given up")
	require.Contains(t, strings.Join(whys, "\n"), "malformed")
	st, err := store.Stats()
	require.NoError(t, err)
	require.Equal(t, [2]int{4, 1}, [2]int{st.References, st.Images}, "the good one is there, and all tags are known")
	n, err := store.Retry()
	require.NoError(t, err)
	require.Equal(t, 3, n)
	require.Equal(t, 3, reconcile(t, m).Failed)
}

func TestRun(t *testing.T) {
	s, _ := small(t)
	c := open(t, s, registry.Options{})
	a := pushImage(t, c, "shop", "1", "ssl=1")
	store := newStore(t)
	g := &world{Name: "1"}
	current, advisories := fixedWorld(g)
	o := registry.MonitorOptions{Sources: []registry.Source{{Client: c, Repositories: []string{"shop"}}}, Indexer: reader(c), Advisories: advisories, Interval: time.Hour}
	m := monitor(t, store, o)
	var got []registry.EventType
	for e, err := range m.Run(t.Context(), "test") {
		require.NoError(t, err)
		got = append(got, e.Type)
		switch e.Type {
		case registry.ImageNew:
			current.Store(g.Next("2", func(n *world) { n.Fix("ssl", "CVE-1", 2) }))
		case registry.VulnerabilityOpened:
			require.NoError(t, c.PushManifest(t.Context(), "shop", "2", a))
			m.Hint(c.Host(), "shop")
			m.Hint(c.Host(), "elsewhere")
			m.Hint("evil.example.com", "shop")
		}
		if len(got) == 4 {
			break
		}
	}
	require.Equal(t, []registry.EventType{registry.ImageNew, registry.VulnerabilityOpened, registry.GenerationActivated, registry.ImageNew}, got)

	// What was under way is yielded again, what was before is not.
	again := 0
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for e, err := range monitor(t, store, o).Run(ctx, "test") {
		require.NoError(t, err)
		require.Equal(t, registry.ImageNew, e.Type)
		require.True(t, strings.HasSuffix(e.Reference, "shop:2"))
		again++
		break
	}
	require.Equal(t, 1, again)
}

func TestCompact(t *testing.T) {
	s := newStore(t)
	g := &world{Name: "1", Fixed: map[string]map[string]int{"ssl": {"CVE-1": 3}}}
	for i := range 50 {
		put(t, s, g, fmt.Sprint(i), pkg("ssl", i%5))
	}
	list(t, s, "r/x", map[string]digest.Digest{"1": digest.FromString("1")})
	_, err := s.Forget(time.Now().Add(time.Hour))
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "compact")
	require.NoError(t, s.Compact(t.Context(), path))
	c, err := registry.OpenStore(t.Context(), path)
	require.NoError(t, err)
	require.NoError(t, c.Verify(t.Context(), g))
	x, err := s.Stats()
	require.NoError(t, err)
	y, err := c.Stats()
	require.NoError(t, err)
	x.Bytes, y.Bytes = 0, 0
	require.Equal(t, x, y)
	require.NoError(t, c.Close())
}
