package orchestrator

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHittingIsBruteForce compares with all subsets.
func TestHittingIsBruteForce(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		n := 2 + rnd.IntN(9)
		h := newHitting()
		var masks []uint
		for range 1 + rnd.IntN(10) {
			var mask uint
			var set []any
			for range 1 + rnd.IntN(4) {
				if e := rnd.IntN(n); mask&(1<<e) == 0 {
					mask |= 1 << e
					set = append(set, fmt.Sprint(e))
				}
			}
			masks = append(masks, mask)
			h.demand("x", set)
		}
		best := n
		for chosen := range uint(1) << n {
			hits := true
			for _, m := range masks {
				hits = hits && m&chosen != 0
			}
			if hits {
				best = min(best, bits.OnesCount(chosen))
			}
		}
		got := h.solve(func(a, b any) bool { return a.(string) < b.(string) })
		require.True(t, h.exact)
		require.Len(t, got, best)
		var chosen uint
		for _, e := range got {
			var i int
			fmt.Sscan(e.(string), &i)
			chosen |= 1 << i
		}
		for _, m := range masks {
			require.NotZero(t, m&chosen)
		}
	}
}

// TestHittingGivesUp has more demands than can be searched through.
func TestHittingGivesUp(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	h := newHitting()
	for range 600 {
		var set []any
		for range 5 {
			set = append(set, rnd.IntN(90))
		}
		h.demand("x", set)
	}
	got := h.solve(func(a, b any) bool { return a.(int) < b.(int) })
	require.False(t, h.exact)
	hit := map[any]bool{}
	for _, e := range got {
		hit[e] = true
	}
	for _, d := range h.demands {
		some := false
		for _, e := range d.set {
			some = some || hit[h.element[e]]
		}
		require.True(t, some)
	}
}

// TestMinimalCutIsBruteForce compares the size of cuts in random worlds with
// the smallest of all sets of subjects that can be taken from bindings.
func TestMinimalCutIsBruteForce(t *testing.T) {
	sizes := map[int]int{}
	for seed := range 120 {
		w := randomWorld(rand.New(rand.NewPCG(uint64(seed), 21)))
		g := NewGraph(w.access(t), nil)
		opts := &CutOptions{Objects: []string{"binding"}}
		c := newCutter(g, ClusterAdmin, opts)
		var all []Removal
		for b := range g.access.Bindings() {
			for i := range b.Subjects {
				all = append(all, Removal{key: bindingSubject{b, i}})
			}
		}
		require.LessOrEqual(t, len(all), 8)
		least := len(c.left(t.Context(), all)) // whom nothing stops
		best := len(all)
		for chosen := range uint(1) << len(all) {
			var some []Removal
			for i := range all {
				if chosen&(1<<i) != 0 {
					some = append(some, all[i])
				}
			}
			if len(some) < best && len(c.left(t.Context(), some)) == least {
				best = len(some)
			}
		}
		cut, err := g.MinimalCut(t.Context(), ClusterAdmin, opts)
		require.NoError(t, err)
		require.True(t, cut.Smallest)
		require.Len(t, cut.Rest, least, "seed %d\n%s", seed, describe(w))
		require.Len(t, cut.Removals, best, "seed %d: %v\n%s", seed, cut.Removals, describe(w))
		require.Len(t, c.left(t.Context(), cut.Removals), least)
		sizes[best]++
	}
	require.GreaterOrEqual(t, sizes[2]+sizes[3]+sizes[4], 8, "the worlds are too tame: %v", sizes)
}

// TestCuts tells what ends a path from what leaves a doubtful one.
func TestCuts(t *testing.T) {
	g := NewGraph(NewAccess(shortWorld(t, `ns ops restricted
sa ops/root
sa shop/web
role full: * *.*
bind root full ops/root
role tokens: create serviceaccounts/token
bind ops/tokens tokens shop/web
role hooks: create mutatingwebhookconfigurations.admissionregistration.k8s.io
bind hooks hooks shop/web`, &LoadOptions{Complete: true})), nil)
	cuts, err := g.Cuts(t.Context(), ClusterAdmin, &CutOptions{Objects: []string{"binding"}})
	require.NoError(t, err)
	require.Equal(t, "remove ServiceAccount:ops/root from ClusterRoleBinding root (full)", cuts[0].Text)
	root, web := ServiceAccount("ops", "root").Position(), ServiceAccount("shop", "web").Position()
	require.Equal(t, []Position{root}, cuts[0].Stops)
	require.Equal(t, []Position{web}, cuts[0].Eases, "the webhook is left")
	cut, err := g.MinimalCut(t.Context(), ClusterAdmin, &CutOptions{Objects: []string{"binding"}})
	require.NoError(t, err)
	require.Len(t, cut.Removals, 2)
}
