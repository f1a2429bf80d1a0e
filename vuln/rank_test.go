package vuln

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

func TestRank(t *testing.T) {
	now := time.Now()
	want := []Match{
		{Advisory: Advisory{ID: "kev"}, Exploited: now},
		{Advisory: Advisory{ID: "used"}},
		{Advisory: Advisory{ID: "reachable"}},
		{Advisory: Advisory{ID: "fixable"}, Fixed: "1"},
		{Advisory: Advisory{ID: "likely"}, EPSS: 0.9},
		{Advisory: Advisory{ID: "severe"}, Severity: boltseal.SeverityCritical},
		{Advisory: Advisory{ID: "a"}},
		{Advisory: Advisory{ID: "b"}},
		{Advisory: Advisory{ID: "suppressed"}, Exploited: now, Suppressed: "VEX"},
	}
	got := make([]Match, len(want))
	for i := range want {
		got[len(want)-1-i] = want[i]
	}
	is := func(id string) func(*Match) bool { return func(m *Match) bool { return m.Advisory.ID == id } }
	Rank(got, &RankOptions{InUse: is("used"), Reachable: is("reachable")})
	require.Equal(t, want, got)
	Rank(got, nil)
	require.Equal(t, "fixable", got[1].Advisory.ID)
}
