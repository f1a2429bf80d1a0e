package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/report"
)

// An advisory may concern a hundred packages: status says so within the width
// of a terminal.
func TestStatusFits(t *testing.T) {
	var names []string
	for range 100 {
		names = append(names, "libsomething-dev")
	}
	p := &report.Fleet{Name: "registry.example.com", Issues: []report.FleetIssue{{
		Rule: "CVE-2026-12345", Severity: boltseal.SeverityHigh, Images: 10_000, Packages: names, Fixed: []string{"1.2.3-4.el9_2", "1.2.3-5.el9_2"},
	}, {Rule: "CVE-2026-1", Packages: []string{"a", "b"}}}}
	var out strings.Builder
	require.NoError(t, writeStatus(&out, p))
	require.Contains(t, out.String(), "libsomething-dev +99  1.2.3-4.el9_2 +1\n")
	require.Contains(t, out.String(), "a, b                  -\n")
	for line := range strings.Lines(out.String()) {
		require.LessOrEqual(t, len(line), 81, line)
	}
}
