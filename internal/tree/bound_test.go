package tree

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// Each entry of 4 KiB implies two thousand folders: memory must follow
// Limits.ImageEntries all the same.
func TestImpliedFoldersBounded(t *testing.T) {
	limits := (&boltseal.Limits{ImageEntries: 1000}).WithDefaults()
	deep := strings.Repeat("/a", 1900)
	var files, marks Record
	for i := range 100 {
		files.Entries.Add(&Entry{Kind: File, Path: fmt.Appendf(nil, "%d%s/f", i, deep), Mode: 0o644})
		marks.Marks.Add(&Entry{Kind: Opaque, Path: fmt.Appendf(nil, "%d%s", i, deep)})
	}
	for _, rec := range []*Record{&files, &marks} {
		s := NewSquash(limits)
		require.ErrorIs(t, s.Apply(t.Context(), rec), boltseal.ErrLimit)
		require.Less(t, len(s.nodes), 5000)
	}
}

// A folder that becomes a file and a folder again leaves dead nodes behind,
// which must not be gone over again and again.
func TestDeadNodesAmortized(t *testing.T) {
	var rec Record
	for i := range 200_000 {
		rec.Entries.Add(&Entry{Kind: File, Path: []byte("d"), Mode: 0o644})
		rec.Entries.Add(&Entry{Kind: File, Path: fmt.Appendf(nil, "d/%d", i), Mode: 0o644})
	}
	s := NewSquash((*boltseal.Limits)(nil).WithDefaults())
	require.NoError(t, s.Apply(t.Context(), &rec))
	require.GreaterOrEqual(t, 8*len(s.table), len(s.nodes)/2, "a table too small is rehashed too often")
}

// Following links counts against their budget, also those at a path's end,
// and running out of it is a limit, not an oddity.
func TestLinksFollowedBounded(t *testing.T) {
	var rec Record
	rec.Entries.Add(&Entry{Kind: Symlink, Path: []byte("l"), Mode: fs.ModeSymlink, Link: []byte(strings.Repeat("./", 2000) + "d")})
	rec.Entries.Add(&Entry{Kind: Dir, Path: []byte("d"), Mode: fs.ModeDir})
	rec.Entries.Add(&Entry{Kind: File, Path: []byte("l/f")})
	s := NewSquash((*boltseal.Limits)(nil).WithDefaults())
	require.NoError(t, s.Apply(t.Context(), &rec))
	require.EqualValues(t, 4001, s.linked)
	s.linked = maxLinked + 1
	require.ErrorIs(t, s.Apply(t.Context(), &rec), boltseal.ErrLimit)
}
