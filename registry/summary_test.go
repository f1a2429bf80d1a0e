package registry_test

import (
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/registry"
)

func TestSummaries(t *testing.T) {
	s := newStore(t)
	g := &world{Name: "1", Fixed: map[string]map[string]int{"ssl": {"CVE-1": 3}, "zip": {"CVE-2": 2}},
		Severity: map[string]boltseal.Severity{"CVE-1": boltseal.SeverityHigh}, Exploited: map[string]string{"CVE-2": "2026-01-02"}}
	add := func(name string, inv registry.Inventory, pkgs ...boltseal.Package) digest.Digest {
		inv.Packages = pkgs
		_, err := s.Put(digest.FromString(name), inv, g)
		require.NoError(t, err)
		return digest.FromString(name)
	}
	a := add("a", registry.Inventory{Team: "shop"}, pkg("ssl", 1), pkg("zip", 1))
	b := add("b", registry.Inventory{Team: "shop", Incomplete: "a layer"}, pkg("zip", 1))
	c := add("c", registry.Inventory{Incomplete: "a layer"}, pkg("ssl", 9))
	long := strings.Repeat("ä", 150)
	d := add("d", registry.Inventory{Team: long})
	add("nothing leads here", registry.Inventory{Team: "old"}, pkg("ssl", 1))
	list(t, s, "r:5000/x", map[string]digest.Digest{"1": a, "2": b, "3": a})
	list(t, s, "r:5000/y", map[string]digest.Digest{"1": a, "2": c, "3": d})

	type worst = map[boltseal.Severity]int
	sums, err := s.Summaries(t.Context(), registry.ByRepository)
	require.NoError(t, err)
	require.Equal(t, []registry.Summary{
		{Name: "r:5000/x", Images: 2, Worst: worst{boltseal.SeverityHigh: 1, boltseal.SeverityUnknown: 1}, Exploited: 2, Fixable: 2},
		{Name: "r:5000/y", Images: 3, Worst: worst{boltseal.SeverityHigh: 1}, Exploited: 1, Fixable: 1, Incomplete: 1},
	}, sums)
	sums, err = s.Summaries(t.Context(), registry.ByTeam)
	require.NoError(t, err)
	require.Equal(t, []registry.Summary{
		{Name: "", Images: 1, Worst: worst{}, Incomplete: 1},
		{Name: "shop", Images: 2, Worst: worst{boltseal.SeverityHigh: 1, boltseal.SeverityUnknown: 1}, Exploited: 2, Fixable: 2},
		{Name: long[:200], Images: 1, Worst: worst{}},
	}, sums)
	st, err := s.Status(a)
	require.NoError(t, err)
	require.Equal(t, "shop", st.Team)
}
