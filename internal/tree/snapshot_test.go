package tree

import (
	"io/fs"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/wire"
)

// everything is all that a tree says.
func everything(t *Tree) any {
	var lines []any
	for e, first := range t.All() {
		lines = append(lines, e, first)
	}
	return []any{lines, t.Packages(), t.Findings, t.Skipped, slices.Collect(t.Facts("k")), t.Layers}
}

// layersWithLinks is decodeLayers with links: of two kinds, to a path that the
// entry's own bytes name.
func layersWithLinks(b []byte) []*Record {
	recs := decodeLayers(b)
	for i, rec := range recs {
		if i >= len(b) {
			break
		}
		target := []byte([]string{"a", "b/a", "c", "a/b/c", ".."}[b[i]%5])
		rec.Entries.Add(&Entry{Kind: Hardlink, Path: []byte([]string{"h", "a/h", "c"}[b[i]%3]), Mode: 0o644, Link: target})
		rec.Entries.Add(&Entry{Kind: Symlink, Path: []byte([]string{"b", "c/l", "a/b"}[b[i]%7%3]), Mode: fs.ModeSymlink, Link: target})
	}
	return recs
}

// FuzzSnapshot puts layers on a restored squash and on one that never was
// written, at every height.
func FuzzSnapshot(f *testing.F) {
	f.Add([]byte{0, 1, 3, 2, 0, 0x12, 7, 0, 5, 1, 6, 2, 0, 0x16, 7, 0, 0, 2, 0, 0x19})
	f.Add([]byte{0, 1, 7, 0, 0, 1, 7, 0, 5, 1, 7, 0, 0, 1})
	limits := (*boltseal.Limits)(nil).WithDefaults()
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 120 {
			return
		}
		recs := layersWithLinks(b)
		fold := func(cut int) any {
			s := NewSquash(limits)
			for i, rec := range recs {
				require.NoError(t, s.Apply(t.Context(), rec))
				if i+1 == cut {
					var err error
					s, err = Restore(s.Snapshot(), recs[:cut], limits)
					require.NoError(t, err)
				}
			}
			return everything(s.Finish())
		}
		want := fold(0)
		for cut := 1; cut <= len(recs); cut++ {
			require.Equal(t, want, fold(cut), "after layer %d", cut)
		}
	})
}

// FuzzRestore reads snapshots whose checksum is right and whose content is not.
func FuzzRestore(f *testing.F) {
	limits := (*boltseal.Limits)(nil).WithDefaults()
	recs := layersWithLinks([]byte{0, 1, 3, 2, 0, 0x12, 7, 0, 5, 1, 6, 2, 0, 0x16})
	s := NewSquash(limits)
	for _, rec := range recs {
		require.NoError(f, s.Apply(f.Context(), rec))
	}
	var good snapshot
	require.NoError(f, wire.Unmarshal(s.Snapshot(), &good))
	f.Add(good.Nodes, good.Text, good.Alive, uint32(2), uint32(3), uint32(2), 0)
	f.Fuzz(func(t *testing.T, nodes, text []byte, alive int, a, b, c uint32, result int) {
		bad := good
		bad.Nodes, bad.Text, bad.Alive = nodes, text, alive
		bad.Found = []foundNode{{a, uint16(b), result}, {b, 0, 0}}
		bad.Prev, bad.Twins = [][]uint32{{a, b}, {b, c}}, [][]uint32{{c, a}}
		s, err := Restore(wire.Marshal(&bad, 0), recs, limits)
		if err != nil {
			require.ErrorIs(t, err, boltseal.ErrMalformed)
			return
		}
		require.NoError(t, s.Apply(t.Context(), recs[0]))
		for range s.Finish().All() {
		}
	})
}

// Only folders that a layer touches cost anything.
func TestSnapshotIsLazy(t *testing.T) {
	limits := (*boltseal.Limits)(nil).WithDefaults()
	low, high := &Record{DiffID: "low"}, &Record{DiffID: "high"}
	for _, p := range []string{"etc/a", "etc/b", "usr/bin/a", "usr/bin/b", "usr/lib/a"} {
		low.Entries.Add(&Entry{Kind: File, Path: []byte(p), Mode: 0o644})
	}
	high.Entries.Add(&Entry{Kind: File, Path: []byte("etc/c"), Mode: 0o644})
	s := NewSquash(limits)
	require.NoError(t, s.Apply(t.Context(), low))
	s, err := Restore(s.Snapshot(), []*Record{low}, limits)
	require.NoError(t, err)
	require.NoError(t, s.Apply(t.Context(), high))
	require.Equal(t, 5, s.used, "etc, usr, and what etc holds")

	_, err = Restore(s.Snapshot(), []*Record{high, low}, limits)
	require.ErrorIs(t, err, boltseal.ErrMalformed, "other layers")
}
