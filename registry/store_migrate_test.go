package registry_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/registry"
)

// oldStore unpacks a store that version 1 of the layout wrote: twelve images,
// digests of the numbers 0 to 11, of which each holds ssl at 1 plus its number
// modulo 4, zip at 1, and an Ubuntu package of its own; number 5 is incomplete;
// each with a tag in registry.example.com/shop/web, of which t1 is gone; eight of
// them folded. It was evaluated with generation 1, which had CVE-1 fixed in ssl
// at 3, and then 2, which is returned.
func oldStore(t *testing.T) (path string, g *world) {
	f, err := os.Open("testdata/store-1.gz")
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	path = filepath.Join(t.TempDir(), "store")
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	_, err = io.Copy(out, z)
	require.NoError(t, err)
	require.NoError(t, out.Close())
	return path, &world{
		Name: "2", Fixed: map[string]map[string]int{"ssl": {"CVE-1": 4}, "zip": {"CVE-2": 9}},
		Severity: map[string]boltseal.Severity{"CVE-1": boltseal.SeverityHigh}, Exploited: map[string]string{"CVE-2": "2026-01-02"},
	}
}

func TestMigrate(t *testing.T) {
	path, g := oldStore(t)
	// What a migration that was broken off left.
	require.NoError(t, os.WriteFile(path+".migrating", []byte("half a file"), 0o600))
	s, err := registry.OpenStore(t.Context(), path)
	require.NoError(t, err)
	require.NoError(t, s.Verify(t.Context(), g))
	stats, err := s.Stats()
	require.NoError(t, err)
	require.Equal(t, registry.Stats{Generation: "2", References: 11, Images: 12, Live: 11, Components: 18, Pending: 4, Events: stats.Events, Bytes: stats.Bytes}, stats)
	st, err := s.Status(digest.FromString("5"))
	require.NoError(t, err)
	require.Equal(t, "a layer could not be read", st.Incomplete)
	require.Equal(t, 4, st.Packages)
	require.Equal(t, []string{"registry.example.com/shop/web:t5"}, st.References)
	require.Len(t, st.Findings, 2) // ssl 2 is below 4, zip 1 below 9
	n, err := s.Cursor("webhook")
	require.NoError(t, err)
	require.EqualValues(t, 5, n)
	lines, last := said(t, s, 0)
	require.Len(t, lines, int(stats.Events))
	// 8 new, 4 new, one gone, then what generation 2 brought: CVE-1 rated and fixed
	// otherwise for ssl 1 and 2, opened for 3; CVE-2 opened; the generation itself.
	require.Equal(t, "image.gone registry.example.com/shop/web:t1", lines[12])
	require.Len(t, lines, 13+5)

	// It goes on from there.
	put(t, s, g, "new", pkg("ssl", 1))
	list(t, s, "registry.example.com/shop/api", map[string]digest.Digest{"1": digest.FromString("new")})
	lines, _ = said(t, s, last)
	require.Equal(t, []string{"image.new registry.example.com/shop/api:1"}, lines)
	_, err = s.Fold(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.Verify(t.Context(), g))
	require.NoError(t, s.Close())
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1)
}

// TestMigrateFails keeps what was there, whatever stands in the way.
func TestMigrateFails(t *testing.T) {
	path, _ := oldStore(t)
	db, err := bolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("image")).Put([]byte{0, 0, 0, 0}, []byte{200})
	}))
	require.NoError(t, db.Close())
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	_, err = registry.OpenStore(t.Context(), path)
	require.ErrorIs(t, err, boltseal.ErrMalformed)
	require.ErrorContains(t, err, "migrate from version 1")
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1)
}

// TestMigrateTogether has many open the same old store at once: one of them
// migrates it, and what that one wrote then is there for the others.
func TestMigrateTogether(t *testing.T) {
	path, g := oldStore(t)
	done := make(chan error)
	const openers = 8
	for i := range openers {
		go func() {
			done <- func() error {
				s, err := registry.OpenStore(t.Context(), path)
				if err != nil {
					return err
				}
				time.Sleep(time.Millisecond)
				_, err = s.Put(digest.FromString(fmt.Sprint("opener ", i)), registry.Inventory{}, g)
				if err != nil {
					return err
				}
				return s.Close()
			}()
		}()
	}
	for range openers {
		require.NoError(t, <-done)
	}
	s, err := registry.OpenStore(t.Context(), path)
	require.NoError(t, err)
	defer s.Close()
	for i := range openers {
		has, err := s.Has(digest.FromString(fmt.Sprint("opener ", i)))
		require.NoError(t, err)
		require.True(t, has)
	}
}
