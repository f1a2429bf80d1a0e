package image

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// joiner renames every package, and may never end.
type joiner struct {
	finder
	id    string
	hangs bool
	runs  *int
	free  chan struct{}
}

func (j joiner) Info() boltseal.Info { return boltseal.Info{ID: j.id, Version: 1} }

func (j joiner) Join(_ context.Context, v boltseal.View, p *boltseal.Pass) error {
	*j.runs++
	for _, pkg := range v.Packages() {
		pkg.Version += "+" + j.id
		if j.hangs {
			<-j.free
			pkg.Version = "late"
		}
	}
	p.Finding(boltseal.Finding{Title: j.id})
	if j.hangs && len(v.Packages()) > 0 {
		panic("it still sees the tree")
	}
	return nil
}

// A Join that does not end is given up on, and those that do are not harmed,
// wherever it stands among them.
func TestJoinThatHangs(t *testing.T) {
	raw := layerTar(t, fileNamed("a"))
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		good, bad := 0, 0
		analyzers := []Analyzer{
			joiner{id: "t/1", runs: &good}, joiner{id: "t/hangs", hangs: true, runs: &bad, free: free}, joiner{id: "t/2", runs: &good},
		}
		cache := &spyCache{Cache: NewMemoryCache(1 << 20), hits: map[string]int{}}
		o := &AnalyzeOptions{Limits: boltseal.Limits{JoinTime: time.Second}, Cache: cache}
		for range 2 {
			inv, err := Analyze(t.Context(), &Image{Layers: []Layer{blobLayer(raw, raw)}}, o, analyzers...)
			require.NoError(t, err)
			require.Len(t, inv.Packages, 3) // each analyzer found one
			for _, p := range inv.Packages {
				require.Equal(t, "1+t/1+t/2", p.Version)
			}
			require.Len(t, inv.Findings, 2)
			require.False(t, inv.Complete)
			require.Equal(t, "t/hangs", inv.Skipped[0].Rule)
			require.Contains(t, inv.Skipped[0].Reason, "Limits.JoinTime")
		}
		require.Equal(t, 6, good, "twice before and once behind, in each run")
		require.Equal(t, 2, bad)
		require.Zero(t, cache.hits["image"], "the next run may give more")
		require.Equal(t, 1, cache.hits["layer"])

		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		start := time.Now()
		_, err := Analyze(ctx, &Image{Layers: []Layer{blobLayer(raw, raw)}}, nil, analyzers...)
		require.ErrorIs(t, err, context.Canceled)
		require.LessOrEqual(t, time.Since(start), 200*time.Millisecond)
		close(free)
		synctest.Wait()
	})
}
