package registry_test

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"github.com/boltseal/boltseal/registry"
	"github.com/boltseal/boltseal/registry/registrytest"
)

// fleetStore makes a store of a fleet, each image with a tag of its own, folded
// but for the last half percent, and compacted. It is kept between runs in BOLTSEAL_FLEETS, if set.
func fleetStore(b *testing.B, images int) (path string, fleet registrytest.Fleet, g *registrytest.Advisories) {
	b.Helper()
	fleet = registrytest.Fleet{Seed: 1, Images: images, Packages: 250}
	g = &registrytest.Advisories{Name: "0"}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 5_000 {
		g.Fix(fleet.Name(rng.IntN(20_000)), fmt.Sprint("CVE-", i), 1+rng.IntN(5))
	}
	dir := os.Getenv("BOLTSEAL_FLEETS")
	if dir == "" {
		dir = b.TempDir()
	}
	path = filepath.Join(dir, fmt.Sprintf("fleet-%d", images))
	if _, err := os.Stat(path); err == nil {
		return path, fleet, g
	}
	start := time.Now()
	s, err := registry.OpenStore(b.Context(), path+".part")
	require.NoError(b, err)
	part := func(from, to int) iter.Seq2[digest.Digest, registry.Inventory] {
		return func(yield func(digest.Digest, registry.Inventory) bool) {
			n := 0
			for d, pkgs := range fleet.All() {
				if n++; n > to || n > from && !yield(d, registry.Inventory{Packages: pkgs}) {
					return
				}
			}
		}
	}
	folded := images - images/200
	_, err = s.PutAll(b.Context(), part(0, folded), g)
	require.NoError(b, err)
	b.Logf("%d images put after %v", folded, time.Since(start))
	_, err = s.Fold(b.Context())
	require.NoError(b, err)
	b.Logf("folded after %v", time.Since(start))
	_, err = s.PutAll(b.Context(), part(folded, images), g)
	require.NoError(b, err)
	for n := 0; n < images; n += 1000 {
		l := registry.Listing{Repository: fmt.Sprintf("registry.example.com/team-%d/app", n/1000), Tags: map[string]registry.Listed{}, At: time.Now()}
		for i := range min(1000, images-n) {
			d := fleet.Digest(n + i)
			l.Tags[fmt.Sprint(i)] = registry.Listed{Digest: d, Images: []digest.Digest{d}}
		}
		_, err := s.Apply(l)
		require.NoError(b, err)
	}
	b.Logf("listed after %v", time.Since(start))
	require.NoError(b, s.Compact(b.Context(), path+".part2"))
	require.NoError(b, s.Close())
	require.NoError(b, os.Remove(path+".part"))
	require.NoError(b, os.Rename(path+".part2", path))
	b.Logf("compacted after %v", time.Since(start))
	return path, fleet, g
}

// copyStore copies a store to a place where it may be changed, and has it on the disk.
func copyStore(b *testing.B, path string) string {
	from, err := os.Open(path)
	require.NoError(b, err)
	defer from.Close()
	to, err := os.Create(filepath.Join(b.TempDir(), "store"))
	require.NoError(b, err)
	_, err = io.Copy(to, from)
	require.NoError(b, err)
	require.NoError(b, to.Sync())
	require.NoError(b, to.Close())
	return to.Name()
}

// cpu is what this process has used so far.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// prepared are advisories that know what changed, as a database does that was
// compared with the one before.
type prepared struct {
	*registrytest.Advisories
	changed []string
}

func (p *prepared) Changed(string) iter.Seq[string] { return slices.Values(p.changed) }

// BenchmarkDelta opens the store of a fleet and evaluates a generation in which
// 1,000 advisories changed.
func BenchmarkDelta(b *testing.B) {
	sizes := []int{10_000}
	if os.Getenv("BOLTSEAL_LONG") != "" {
		sizes = []int{100_000, 1_000_000}
	}
	for _, images := range sizes {
		b.Run(fmt.Sprintf("images=%d", images), func(b *testing.B) {
			path, fleet, g := fleetStore(b, images)
			round, events, affected, used := 0, 0, uint64(0), time.Duration(0)
			for b.Loop() {
				b.StopTimer()
				copied := copyStore(b, path)
				round++
				rng := rand.New(rand.NewPCG(uint64(round), 3))
				next := g.Next("next", func(n *registrytest.Advisories) {
					for i := range 1000 {
						n.Fix(fleet.Name(rng.IntN(20_000)), fmt.Sprint("NEW-", i), 1+rng.IntN(5))
					}
				})
				ready := &prepared{next, slices.Collect(next.Changed("0"))}
				before := cpu(b)
				b.StartTimer()
				s, err := registry.OpenStore(b.Context(), copied)
				require.NoError(b, err)
				e, err := s.Evaluate(b.Context(), ready)
				require.NoError(b, err)
				b.StopTimer()
				used += cpu(b) - before
				events = e.Events
				affected = 0
				for e, err := range s.Events(b.Context(), uint64(images)) {
					require.NoError(b, err)
					affected += e.Count()
				}
				require.NoError(b, s.Close())
				require.NoError(b, os.Remove(copied))
				b.StartTimer()
			}
			b.ReportMetric(used.Seconds()*1000/float64(round), "CPU-ms/op")
			b.ReportMetric(float64(events), "events")
			b.ReportMetric(float64(affected), "images/round")
			var u syscall.Rusage
			require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
			b.ReportMetric(float64(u.Maxrss)/1024, "MB-peak")
		})
	}
}

// BenchmarkPut adds one image, durably, and has a bare commit of bbolt's and a
// bare write with fsync in between: what the disk takes for them is the floor.
func BenchmarkPut(b *testing.B) {
	images := 10_000
	if os.Getenv("BOLTSEAL_LONG") != "" {
		images = 100_000
	}
	path, fleet, g := fleetStore(b, images)
	s, err := registry.OpenStore(b.Context(), copyStore(b, path))
	require.NoError(b, err)
	defer s.Close()
	bare, err := bolt.Open(filepath.Join(b.TempDir(), "bare"), 0o600, nil)
	require.NoError(b, err)
	defer bare.Close()
	file, err := os.Create(filepath.Join(b.TempDir(), "file"))
	require.NoError(b, err)
	defer file.Close()
	fleet.Seed, fleet.Images = 99, 1<<30
	var put, commit, sync []time.Duration
	page := make([]byte, 4096)
	for d, pkgs := range fleet.All() {
		if !b.Loop() {
			break
		}
		start := time.Now()
		added, err := s.Put(d, registry.Inventory{Packages: pkgs}, g)
		require.NoError(b, err)
		require.True(b, added)
		put = append(put, time.Since(start))
		start = time.Now()
		require.NoError(b, bare.Update(func(tx *bolt.Tx) error {
			bucket, err := tx.CreateBucketIfNotExists([]byte("a"))
			if err != nil {
				return err
			}
			return bucket.Put([]byte(d[:20]), []byte(d))
		}))
		commit = append(commit, time.Since(start))
		start = time.Now()
		_, err = file.WriteAt(page, int64(len(put)%64)*4096)
		require.NoError(b, errors.Join(err, file.Sync()))
		sync = append(sync, time.Since(start))
	}
	median := func(list []time.Duration) time.Duration {
		slices.Sort(list)
		return list[len(list)/2]
	}
	b.ReportMetric(median(put).Seconds()*1000, "ms/put")
	b.ReportMetric(median(commit).Seconds()*1000, "ms/bbolt-commit")
	b.ReportMetric(median(sync).Seconds()*1000, "ms/fsync")
	b.ReportMetric(float64(median(put))/float64(median(commit)), "x-bbolt-commit")
	b.ReportMetric(0, "ns/op")
}
