package secrets_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/secrets"
)

func TestResultApply(t *testing.T) {
	report := &boltseal.Report{Complete: true, Findings: []boltseal.Finding{{Rule: "other"}}}
	note := boltseal.Skip{Path: "a", Reason: "looked at less deeply", Note: true}
	res := secrets.Result{Matches: []secrets.Match{{Rule: "x"}, {Rule: "y"}}, Skipped: []boltseal.Skip{note}}
	res.Apply(report)
	require.True(t, report.Complete, "notes leave it complete")
	require.Equal(t, []string{"other", "x", "y"}, []string{report.Findings[0].Rule, report.Findings[1].Rule, report.Findings[2].Rule})

	res = secrets.Result{Skipped: []boltseal.Skip{{Path: "b", Reason: "too large"}}}
	res.Apply(report)
	require.False(t, report.Complete)
	require.Len(t, report.Skipped, 2)
	require.Len(t, report.Findings, 3)
}
