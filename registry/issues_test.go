package registry_test

import (
	"fmt"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/registry"
)

func TestOverview(t *testing.T) {
	s := newStore(t)
	g := &world{Name: "1", Fixed: map[string]map[string]int{"ssl": {"CVE-1": 3, "CVE-2": 5}, "zip": {"CVE-3": 2, "CVE-4": 2}, "tar": {"CVE-1": 2}},
		Severity:  map[string]boltseal.Severity{"CVE-1": boltseal.SeverityHigh, "CVE-2": boltseal.SeverityLow, "CVE-3": boltseal.SeverityLow, "CVE-4": boltseal.SeverityCritical},
		Exploited: map[string]string{"CVE-3": "2026-01-02"}, Suppressed: map[string]string{"CVE-4": "no"}}
	_, err := s.Evaluate(t.Context(), g)
	require.NoError(t, err)
	tags := map[string]digest.Digest{
		"a": put(t, s, g, "a", pkg("ssl", 2), pkg("zip", 1)), // CVE-1, 2, 3
		"b": put(t, s, g, "b", pkg("ssl", 4)),                // CVE-2
		"c": put(t, s, g, "c", pkg("tar", 1)),                // CVE-1
		"d": put(t, s, g, "d", pkg("ssl", 9)),                // none
	}
	put(t, s, g, "e", pkg("ssl", 1)) // that nothing leads to
	list(t, s, "r/x", tags)
	for _, folded := range []bool{false, true} {
		if folded {
			_, err := s.Fold(t.Context())
			require.NoError(t, err)
		}
		o, err := s.Overview(t.Context())
		require.NoError(t, err)
		require.Equal(t, 4, o.Images)
		require.Equal(t, map[boltseal.Severity]int{boltseal.SeverityHigh: 2, boltseal.SeverityLow: 1}, o.Worst)
		var lines []string
		for _, i := range o.Issues {
			line := fmt.Sprint(i.Rule, " ", i.Severity, " ", i.Exploited, i.Packages, i.Fixed, i.Images)
			for a, err := range s.Holders(&i) {
				require.NoError(t, err)
				line += fmt.Sprint(" ", a.References)
			}
			lines = append(lines, line)
		}
		require.Equal(t, []string{
			"CVE-3 low 2026-01-02[generic:zip] [2] 1 [r/x:a]",
			"CVE-1 high [generic:ssl generic:tar] [2 3] 2 [r/x:a] [r/x:c]",
			"CVE-2 low [generic:ssl] [5] 2 [r/x:a] [r/x:b]",
		}, lines)
	}
}

func BenchmarkOverview(b *testing.B) {
	path, _, _ := fleetStore(b, 10_000)
	s, err := registry.OpenStore(b.Context(), copyStore(b, path))
	require.NoError(b, err)
	defer s.Close()
	var o *registry.Overview
	for b.Loop() {
		o, err = s.Overview(b.Context())
		require.NoError(b, err)
	}
	require.NotEmpty(b, o.Issues)
	b.ReportMetric(float64(len(o.Issues)), "issues")
}
