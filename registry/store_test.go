package registry_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/registry"
	"github.com/boltseal/boltseal/registry/registrytest"
)

type world = registrytest.Advisories

func pkg(name string, version int) boltseal.Package {
	return boltseal.Package{PURL: fmt.Sprintf("pkg:generic/%s@%d", name, version), Type: "generic", Name: name, Version: fmt.Sprint(version)}
}

func newStore(t testing.TB) *registry.Store {
	t.Helper()
	s, err := registry.OpenStore(context.Background(), filepath.Join(t.TempDir(), "store"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func put(t testing.TB, s *registry.Store, m registry.Matcher, name string, pkgs ...boltseal.Package) digest.Digest {
	t.Helper()
	d := digest.FromString(name)
	_, err := s.Put(d, registry.Inventory{Packages: pkgs, Platform: "linux/amd64"}, m)
	require.NoError(t, err)
	return d
}

// list applies a complete listing: tag → image.
func list(t testing.TB, s *registry.Store, repo string, tags map[string]digest.Digest) {
	t.Helper()
	l := registry.Listing{Repository: repo, Tags: map[string]registry.Listed{}, Complete: true, At: time.Now()}
	for tag, d := range tags {
		l.Tags[tag] = registry.Listed{Digest: d, Images: []digest.Digest{d}}
	}
	_, err := s.Apply(l)
	require.NoError(t, err)
}

// said returns the events after a sequence as lines, and the last sequence.
func said(t testing.TB, s *registry.Store, after uint64) (lines []string, last uint64) {
	t.Helper()
	last = after
	for e, err := range s.Events(t.Context(), after) {
		require.NoError(t, err)
		require.Equal(t, last+1, e.Sequence)
		last = e.Sequence
		_, kind, _ := strings.Cut(string(e.Type), "registry.")
		line := kind
		switch {
		case e.Reference != "":
			line += " " + e.Reference
		case e.Rule != "":
			line += fmt.Sprintf(" %s %s %v %s>%s", e.Rule, e.Package, e.Versions, e.From, e.To)
			var refs []string
			for a, err := range s.Images(e) {
				require.NoError(t, err)
				refs = append(refs, a.References...)
			}
			slices.Sort(refs)
			line += fmt.Sprint(" ", refs)
			require.NotZero(t, e.Count())
		}
		lines = append(lines, line)
	}
	return lines, last
}

func TestEvents(t *testing.T) {
	s := newStore(t)
	g1 := &world{Name: "1", Fixed: map[string]map[string]int{"ssl": {"CVE-1": 3}}, Severity: map[string]boltseal.Severity{"CVE-1": boltseal.SeverityLow}}
	_, err := s.Evaluate(t.Context(), g1)
	require.NoError(t, err)
	a, b := put(t, s, g1, "a", pkg("ssl", 2), pkg("zip", 1)), put(t, s, g1, "b", pkg("ssl", 5))
	list(t, s, "r/shop", map[string]digest.Digest{"1": a, "2": b})
	lines, at := said(t, s, 0)
	require.Equal(t, []string{"image.new r/shop:1", "image.new r/shop:2"}, lines)
	st, err := s.Status(a)
	require.NoError(t, err)
	require.Len(t, st.Findings, 1)
	require.Equal(t, []string{"r/shop:1"}, st.References)

	g2 := &world{Name: "2", Previous: g1,
		Fixed:     map[string]map[string]int{"ssl": {"CVE-1": 4, "CVE-2": 9}, "zip": {"CVE-3": 2}},
		Severity:  map[string]boltseal.Severity{"CVE-1": boltseal.SeverityHigh, "CVE-2": boltseal.SeverityCritical},
		Exploited: map[string]string{"CVE-1": "2026-01-02"},
	}
	e, err := s.Evaluate(t.Context(), g2)
	require.NoError(t, err)
	require.Equal(t, registry.Evaluation{Generation: "2", Components: 3, Changed: 3, Events: 6}, e)
	lines, at = said(t, s, at)
	require.Equal(t, []string{
		"vulnerability.opened CVE-2 generic:ssl [2 5] > [r/shop:1 r/shop:2]",
		"vulnerability.exploited CVE-1 generic:ssl [2] >2026-01-02 [r/shop:1]",
		"vulnerability.fix CVE-1 generic:ssl [2] 3>4 [r/shop:1]",
		"vulnerability.severity CVE-1 generic:ssl [2] low>high [r/shop:1]",
		"vulnerability.opened CVE-3 generic:zip [1] > [r/shop:1]",
		"generation.activated",
	}, lines)
	e, err = s.Evaluate(t.Context(), g2)
	require.NoError(t, err)
	require.Zero(t, e.Events+e.Components, "nothing twice")

	g3 := &world{Name: "3", Previous: g2, Fixed: map[string]map[string]int{"ssl": {"CVE-1": 4, "CVE-2": 9}}, Severity: g2.Severity, Exploited: g2.Exploited, Suppressed: map[string]string{"CVE-2": "not affected"}}
	_, err = s.Evaluate(t.Context(), g3)
	require.NoError(t, err)
	lines, at = said(t, s, at)
	require.Equal(t, []string{
		"vulnerability.vex CVE-2 generic:ssl [2 5] >not affected [r/shop:1 r/shop:2]",
		"vulnerability.closed CVE-3 generic:zip [1] > [r/shop:1]",
		"generation.activated",
	}, lines)
	require.NoError(t, s.Verify(t.Context(), g3))

	// Back and forth again: each time is an event of its own.
	for range 2 {
		for _, g := range []*world{{Name: "4", Fixed: map[string]map[string]int{}}, g3} {
			_, err = s.Evaluate(t.Context(), g)
			require.NoError(t, err)
		}
	}
	lines, _ = said(t, s, at)
	require.Len(t, slices.DeleteFunc(lines, func(l string) bool { return !strings.HasPrefix(l, "vulnerability.closed CVE-1") }), 2)
}

func TestReferencesComeAndGo(t *testing.T) {
	s := newStore(t)
	g := &world{Name: "1", Fixed: map[string]map[string]int{"ssl": {"CVE-1": 3}}}
	a, b := put(t, s, g, "a", pkg("ssl", 2)), put(t, s, g, "b", pkg("ssl", 1))
	list(t, s, "r/x", map[string]digest.Digest{"1": a, "2": b})
	list(t, s, "r/x-other", map[string]digest.Digest{"1": b})
	_, at := said(t, s, 0)

	list(t, s, "r/x", map[string]digest.Digest{"1": a, "2": b})
	lines, at := said(t, s, at)
	require.Empty(t, lines, "nothing new is no event")

	list(t, s, "r/x", map[string]digest.Digest{"1": b, "2": b})
	lines, at = said(t, s, at)
	require.Equal(t, []string{"image.retagged r/x:1"}, lines)

	_, err := s.Apply(registry.Listing{Repository: "r/x", At: time.Now()}) // cut short: it says nothing of what it lacks
	require.NoError(t, err)
	list(t, s, "r/x", map[string]digest.Digest{"1": b})
	lines, at = said(t, s, at)
	require.Empty(t, lines, "one listing without it may be a mistake")
	list(t, s, "r/x", map[string]digest.Digest{"1": b})
	lines, at = said(t, s, at)
	require.Equal(t, []string{"image.gone r/x:2"}, lines)
	list(t, s, "r/x", map[string]digest.Digest{"1": b, "2": a})
	lines, at = said(t, s, at)
	require.Equal(t, []string{"image.returned r/x:2"}, lines)
	for _, d := range []digest.Digest{a, b, a} {
		list(t, s, "r/x", map[string]digest.Digest{"1": d, "2": a})
	}
	lines, at = said(t, s, at)
	require.Equal(t, []string{"image.retagged r/x:1", "image.retagged r/x:1"}, lines[:2], "each time is an event of its own")
	require.NoError(t, s.Verify(t.Context(), g))

	// An image that nothing leads to is not told of, and forgotten after a while.
	for range 2 {
		list(t, s, "r/x", nil)
		list(t, s, "r/x-other", nil)
	}
	_, at = said(t, s, at)
	_, err = s.Fold(t.Context())
	require.NoError(t, err)
	_, err = s.Evaluate(t.Context(), &world{Name: "2", Fixed: map[string]map[string]int{"ssl": {"CVE-9": 9}}, Previous: g})
	require.NoError(t, err)
	lines, _ = said(t, s, at)
	require.Equal(t, []string{"generation.activated"}, lines)
	n, err := s.Forget(time.Now().Add(-time.Hour))
	require.NoError(t, err)
	require.Zero(t, n, "they left just now")
	n, err = s.Forget(time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.NoError(t, s.Verify(t.Context(), nil))
	stats, err := s.Stats()
	require.NoError(t, err)
	require.Zero(t, stats.Images+stats.References+stats.Live)
}

// TestDeltaEqualsRescan compares, over random fleets and random changes, what
// the index says with what asking each image again says.
func TestDeltaEqualsRescan(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 1))
			s := newStore(t)
			w := &world{Name: "0", Fixed: map[string]map[string]int{}}
			holds := map[digest.Digest][]boltseal.Package{}
			tags := map[string]digest.Digest{}
			now := map[string]bool{} // "image rule package version" that counts
			var after uint64
			for epoch := range 25 {
				for range rng.IntN(8) {
					d := digest.FromString(fmt.Sprint(seed, epoch, rng.Int()))
					var pkgs []boltseal.Package
					for range rng.IntN(12) {
						pkgs = append(pkgs, pkg(fmt.Sprint("p", rng.IntN(15)), rng.IntN(6)))
					}
					holds[d] = pkgs
					put(t, s, w, "", pkgs...) // the same digest each time: the first wins
					added, err := s.Put(d, registry.Inventory{Packages: pkgs}, w)
					require.NoError(t, err)
					require.True(t, added)
					tags[fmt.Sprint("t", rng.IntN(20))] = d
				}
				list(t, s, "r/x", tags)
				if rng.IntN(2) == 0 {
					_, err := s.Fold(t.Context())
					require.NoError(t, err)
				}
				now = scan(w, tags, holds)
				_, after = said(t, s, after)

				next := &world{Name: fmt.Sprint(epoch + 1), Previous: w, Fixed: map[string]map[string]int{}}
				if rng.IntN(5) == 0 {
					next.Previous = nil // it cannot tell: all is matched again
				}
				for name, ids := range w.Fixed {
					next.Fixed[name] = maps.Clone(ids)
				}
				for range rng.IntN(6) {
					name, id := fmt.Sprint("p", rng.IntN(15)), fmt.Sprint("CVE-", rng.IntN(30))
					if next.Fixed[name] == nil {
						next.Fixed[name] = map[string]int{}
					}
					if rng.IntN(3) == 0 {
						delete(next.Fixed[name], id)
					} else {
						next.Fixed[name][id] = rng.IntN(7)
					}
				}
				_, err := s.Evaluate(t.Context(), next)
				require.NoError(t, err)
				for e, err := range s.Events(t.Context(), after) {
					require.NoError(t, err)
					after = e.Sequence
					if e.Type != registry.VulnerabilityOpened && e.Type != registry.VulnerabilityClosed {
						continue
					}
					for a, err := range s.Images(e) {
						require.NoError(t, err)
						for _, p := range holds[a.Digest] {
							if "generic:"+p.Name != e.Package || !slices.Contains(e.Versions, p.Version) {
								continue
							}
							key := fmt.Sprint(a.Digest, e.Rule, p.Name, p.Version)
							if e.Type == registry.VulnerabilityOpened {
								now[key] = true
							} else {
								delete(now, key)
							}
						}
					}
				}
				w = next
				require.Equal(t, scan(w, tags, holds), now, "epoch %d", epoch)
			}
			require.NoError(t, s.Verify(t.Context(), w))
		})
	}
}

// scan asks each image that a tag leads to.
func scan(w *world, tags map[string]digest.Digest, holds map[digest.Digest][]boltseal.Package) map[string]bool {
	out := map[string]bool{}
	for _, d := range tags {
		for _, p := range holds[d] {
			for _, f := range w.Match(&p) {
				out[fmt.Sprint(d, f.Rule, p.Name, p.Version)] = true
			}
		}
	}
	return out
}

func TestStoreRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s, err := registry.OpenStore(t.Context(), path)
	require.NoError(t, err)
	g := &world{Name: "1"}
	put(t, s, g, "a", pkg("ssl", 1))
	_, err = s.Put(digest.FromString("b"), registry.Inventory{}, &world{Name: "2"})
	require.ErrorContains(t, err, "Evaluate first")
	_, err = s.Put("sha256:x", registry.Inventory{}, g)
	require.ErrorIs(t, err, boltseal.ErrMalformed)
	_, err = s.Status(digest.FromString("b"))
	require.ErrorContains(t, err, "not exist")

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = registry.OpenStore(ctx, path)
	require.Error(t, err, "one process at a time")
	require.NoError(t, s.Close())

	db, err := bolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("meta")).Put([]byte("version"), []byte{0, 0, 0, 99})
	}))
	require.NoError(t, db.Close())
	_, err = registry.OpenStore(t.Context(), path)
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.ErrorContains(t, err, "version 99")
}

func TestVerifyFinds(t *testing.T) {
	for name, damage := range map[string]func(tx *bolt.Tx) error{
		"a posting": func(tx *bolt.Tx) error { return tx.Bucket([]byte("posting")).Delete([]byte("ssl\x00\x00\x00\x00\x00")) },
		"a finding": func(tx *bolt.Tx) error {
			return tx.Bucket([]byte("finding")).Delete([]byte("ssl\x00\x00\x00\x00\x00"))
		},
		"the live": func(tx *bolt.Tx) error { return tx.Bucket([]byte("meta")).Delete([]byte("live")) },
		"an event": func(tx *bolt.Tx) error { return tx.Bucket([]byte("event")).Delete([]byte{0, 0, 0, 0, 0, 0, 0, 2}) },
		"an image": func(tx *bolt.Tx) error { return tx.Bucket([]byte("image")).Put([]byte{0, 0, 0, 0}, []byte{200}) },
		"a package": func(tx *bolt.Tx) error {
			return tx.Bucket([]byte("component")).Put([]byte("ssl\x00\x00\x00\x00\x00"), []byte{0, 9, 'x'})
		},
		"a family": func(tx *bolt.Tx) error { return tx.Bucket([]byte("family")).Delete([]byte{0, 0, 0, 0}) },
		"a finding too many": func(tx *bolt.Tx) error {
			return tx.Bucket([]byte("finding")).Put([]byte("zip\x00\x00\x00\x00\x07"), []byte{0})
		},
		"a posting too many": func(tx *bolt.Tx) error {
			return tx.Bucket([]byte("large")).Put([]byte("ssl\x00\x00\x00\x00\x00"), tx.Bucket([]byte("posting")).Get([]byte("ssl\x00\x00\x00\x00\x00")))
		},
		"a reference": func(tx *bolt.Tx) error { return tx.Bucket([]byte("refof")).Delete(append(make([]byte, 4), "r/x:1"...)) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "store")
			s, err := registry.OpenStore(t.Context(), path)
			require.NoError(t, err)
			g := &world{Name: "1", Fixed: map[string]map[string]int{"ssl": {"CVE-1": 3}}}
			a := put(t, s, g, "a", pkg("ssl", 2))
			list(t, s, "r/x", map[string]digest.Digest{"1": a, "2": a, "3": a})
			_, err = s.Fold(t.Context())
			require.NoError(t, err)
			require.NoError(t, s.Verify(t.Context(), g))
			require.NoError(t, s.Close())
			db, err := bolt.Open(path, 0o600, nil)
			require.NoError(t, err)
			require.NoError(t, db.Update(damage))
			require.NoError(t, db.Close())
			s, err = registry.OpenStore(t.Context(), path)
			require.NoError(t, err)
			require.ErrorIs(t, s.Verify(t.Context(), g), boltseal.ErrMalformed)
			require.NoError(t, s.Close())
		})
	}
}

func TestCursor(t *testing.T) {
	s := newStore(t)
	for _, c := range []struct{ confirm, want uint64 }{{3, 3}, {2, 3}, {9, 9}} {
		require.NoError(t, s.Confirm("webhook", c.confirm))
		n, err := s.Cursor("webhook")
		require.NoError(t, err)
		require.Equal(t, c.want, n)
	}
	n, err := s.Cursor("other")
	require.NoError(t, err)
	require.Zero(t, n)
}

// TestLayers has an event say which package of an image it is about, and which
// layer brought it.
func TestLayers(t *testing.T) {
	s := newStore(t)
	g := &world{Name: "1"}
	in := func(p boltseal.Package, layer string) boltseal.Package {
		p.Locations = []boltseal.Location{{Layer: layer, Path: "x"}}
		return p
	}
	base, upper := string(digest.FromString("base")), string(digest.FromString("upper"))
	a := put(t, s, g, "a", in(pkg("ssl", 1), base), in(pkg("ssl", 2), upper), in(pkg("ssl", 1), upper), pkg("zip", 1))
	b := put(t, s, g, "b", in(pkg("ssl", 2), base), in(pkg("ssl", 9), base))
	list(t, s, "r/x", map[string]digest.Digest{"1": a, "2": b})
	_, err := s.Fold(t.Context())
	require.NoError(t, err)
	_, at := said(t, s, 0)
	_, err = s.Evaluate(t.Context(), g.Next("2", func(n *world) { n.Fix("ssl", "CVE-1", 5) }))
	require.NoError(t, err)
	e, err := first(s.Events(t.Context(), at))
	require.NoError(t, err)
	require.Equal(t, []registry.Affected{
		{Digest: a, References: []string{"r/x:1"}, Packages: []registry.Held{
			{PURL: "pkg:generic/ssl@1", Layer: base}, {PURL: "pkg:generic/ssl@1", Layer: upper}, {PURL: "pkg:generic/ssl@2", Layer: upper}}},
		{Digest: b, References: []string{"r/x:2"}, Packages: []registry.Held{{PURL: "pkg:generic/ssl@2", Layer: base}}},
	}, collect(t, s.Images(e)))
	st, err := s.Status(a)
	require.NoError(t, err)
	require.Len(t, st.Findings, 2)
	require.Equal(t, []boltseal.Location{{Layer: base}}, st.Findings[0].Locations)
	require.Equal(t, []boltseal.Location{{Layer: upper}}, st.Findings[1].Locations)
}
