package orchestrator_test

import (
	"errors"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/orchestrator"
	"github.com/boltseal/boltseal/orchestrator/orchestratortest"
)

// TestPlantedChains looks for what the generator planted, and for nothing else.
func TestPlantedChains(t *testing.T) {
	w := orchestratortest.New(1, orchestratortest.Size{ServiceAccounts: 300, Roles: 200, Bindings: 350, Workloads: 100})
	snap, err := w.Snapshot()
	require.NoError(t, err)
	g := orchestrator.NewGraph(orchestrator.NewAccess(snap), nil)
	require.NotEmpty(t, w.Chains)
	for _, c := range w.Chains {
		p, ok := g.Shortest(c.Start.Position(), orchestrator.ClusterAdmin)
		require.True(t, ok, "%s: %v", c.Start, c.Steps)
		require.LessOrEqual(t, len(p.Steps), len(c.Steps)+2, "%s\n%v", p, c.Steps)
	}
	planted := map[orchestrator.Position]bool{}
	for _, c := range w.Chains {
		planted[c.Start.Position()] = true
		for _, s := range c.Steps {
			planted[s.Position()] = true
		}
	}
	for p := range g.Attackers(t.Context(), orchestrator.ClusterAdmin) {
		if !p.From.System() && p.Confirmed() && !strings.HasPrefix(string(p.From), "workload:") {
			require.True(t, planted[p.From], "%s", p)
		}
	}
	for _, s := range w.Misses {
		p, ok := g.Shortest(s.Position(), orchestrator.ClusterAdmin)
		require.False(t, ok && p.Confirmed(), "%s", p)
	}
}

// BenchmarkAttackers finds who becomes cluster administrator, and how, in a
// cluster of 2,000 service accounts, 1,200 roles and 2,300 bindings: the graph,
// and for each attacker up to 16 minimal paths, within 1,000 partial ones.
func BenchmarkAttackers(b *testing.B) {
	w := orchestratortest.New(1, orchestratortest.Size{ServiceAccounts: 2000, Roles: 1200, Bindings: 2300})
	snap, err := w.Snapshot()
	require.NoError(b, err)
	paths, attackers, cut := 0, 0, 0
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := cpuSeconds(b)
	for b.Loop() {
		paths, attackers, cut = 0, 0, 0
		g := orchestrator.NewGraph(orchestrator.NewAccess(snap), &orchestrator.PathOptions{MaxStates: 1000})
		last := orchestrator.Position("")
		for p, err := range g.AllPaths(b.Context(), orchestrator.ClusterAdmin, 16) {
			if errors.Is(err, boltseal.ErrLimit) {
				cut++
				continue
			}
			require.NoError(b, err)
			if paths++; p.From != last {
				attackers++
			}
			last = p.From
		}
	}
	runtime.ReadMemStats(&after)
	b.ReportMetric((cpuSeconds(b)-start)/float64(b.N), "cpu-s/op")
	b.ReportMetric(float64(attackers), "attackers")
	b.ReportMetric(float64(paths), "paths")
	b.ReportMetric(float64(cut), "cut-short")
	b.ReportMetric(float64(after.Sys-before.Sys)/1e6, "MB-grown")
}

func cpuSeconds(b *testing.B) float64 {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}
