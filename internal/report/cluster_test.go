package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

func clusterPage(t *testing.T, c *Cluster) string {
	if c.Report == nil {
		c.Report = &boltseal.Report{Complete: true}
	}
	var b bytes.Buffer
	require.NoError(t, ClusterHTML(&b, c))
	return b.String()
}

func TestClusterHTML(t *testing.T) {
	hostile := `<script>alert(1)</script>"><svg onload=x>`
	page := clusterPage(t, &Cluster{
		Name:  hostile,
		Facts: []Fact{{"Kubernetes", hostile}},
		Report: &boltseal.Report{
			Findings: []boltseal.Finding{{Rule: "H08", Title: hostile, Severity: boltseal.SeverityCritical, Asset: "workload:" + hostile, Evidence: []boltseal.Evidence{{Detail: hostile}}}},
			Checks:   []boltseal.Check{{Rule: "H08", Title: hostile, Reason: hostile}},
			Skipped:  []boltseal.Skip{{Path: hostile, Reason: hostile}},
		},
		Paths:    []AttackPath{{From: hostile, To: "cluster-admin", Steps: []AttackStep{{From: []string{hostile}, To: "cluster-admin", ID: hostile, Text: hostile, Remove: []string{hostile}}}}},
		Removals: []PathRemoval{{hostile, 1}},
	})
	require.NotContains(t, page, "<script>alert")
	require.NotContains(t, page, "<svg onload")
	require.Contains(t, page, "This audit is incomplete.")
	require.Equal(t, 1, strings.Count(page, "<script>"), "the page's own")
	require.Contains(t, page, "default-src &#39;none&#39;")
}

func TestDrawPaths(t *testing.T) {
	require.Nil(t, drawPaths(nil))
	step := func(from, to string, maybe bool) AttackStep {
		return AttackStep{From: []string{from}, To: to, ID: "E15", Text: from + to, Conditional: maybe}
	}
	g := drawPaths([]AttackPath{
		{From: "code in shop/Deployment/web", To: "cluster-admin", Steps: []AttackStep{step("code in shop/Deployment/web", "service account shop/web", false), step("service account shop/web", "cluster-admin", true)}},
		{From: "service account shop/web", To: "cluster-admin", Steps: []AttackStep{step("service account shop/web", "cluster-admin", true)}},
	})
	require.Len(t, g.Boxes, 3, "a position is drawn once")
	require.Len(t, g.Lines, 2, "and so is a step")
	x := map[string]int{}
	for _, b := range g.Boxes {
		x[b.Name] = b.X
		require.LessOrEqual(t, b.X+b.W, g.Width)
		require.LessOrEqual(t, b.Y+b.H, g.Height)
	}
	require.Less(t, x["shop/web"], x["cluster-admin"], "what leads somewhere stands left of it")
	var classes []string
	for _, l := range g.Lines {
		classes = append(classes, l.Class)
	}
	require.ElementsMatch(t, []string{"", "maybe"}, classes)

	// Circles, and more paths than are drawn, end.
	var many []AttackPath
	for i := range 300 {
		a, b := fmt.Sprint("a", i), fmt.Sprint("a", (i+1)%300)
		many = append(many, AttackPath{From: a, To: "cluster-admin", Steps: []AttackStep{step(a, b, false), step(b, a, false), step(b, "cluster-admin", false)}})
	}
	g = drawPaths(many)
	require.Equal(t, 300-drawnPaths, g.Left)
	require.LessOrEqual(t, len(g.Boxes), 2*drawnPaths+1)
}

func TestMiddle(t *testing.T) {
	require.Equal(t, "short", middle("short", 25))
	require.Len(t, []rune(middle(strings.Repeat("é", 60), 25)), 25)
}
