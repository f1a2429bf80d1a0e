package boltseal_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

func TestSeverityFromScore(t *testing.T) {
	// The bounds of the table in CVSS v3.1 section 5.
	for score, want := range map[float64]boltseal.Severity{
		0: boltseal.SeverityNone, 0.1: boltseal.SeverityLow, 3.9: boltseal.SeverityLow, 4: boltseal.SeverityMedium, 6.9: boltseal.SeverityMedium,
		7: boltseal.SeverityHigh, 8.9: boltseal.SeverityHigh, 9: boltseal.SeverityCritical, 10: boltseal.SeverityCritical,
		-0.1: boltseal.SeverityUnknown, 10.1: boltseal.SeverityUnknown, math.Inf(1): boltseal.SeverityUnknown,
	} {
		require.Equal(t, want, boltseal.SeverityFromScore(score), score)
	}
	require.Equal(t, boltseal.SeverityUnknown, boltseal.SeverityFromScore(math.NaN()))
}

func TestParseSeverity(t *testing.T) {
	for name, want := range map[string]boltseal.Severity{
		"CRITICAL": boltseal.SeverityCritical, " high ": boltseal.SeverityHigh, "Important": boltseal.SeverityHigh, "moderate": boltseal.SeverityMedium,
		"negligible": boltseal.SeverityLow, "none": boltseal.SeverityNone, "unknown": boltseal.SeverityUnknown,
	} {
		got, err := boltseal.ParseSeverity(name)
		require.NoError(t, err)
		require.Equal(t, want, got, name)
	}
	_, err := boltseal.ParseSeverity("")
	require.ErrorIs(t, err, boltseal.ErrMalformed)
}

func TestSeverityOrderAndText(t *testing.T) {
	require.Less(t, boltseal.SeverityUnknown, boltseal.SeverityNone)
	require.Less(t, boltseal.SeverityHigh, boltseal.SeverityCritical)
	require.Equal(t, "severity(99)", boltseal.Severity(99).String())
	for s := boltseal.SeverityUnknown; s <= boltseal.SeverityCritical; s++ {
		b, err := json.Marshal(s)
		require.NoError(t, err)
		var back boltseal.Severity
		require.NoError(t, json.Unmarshal(b, &back))
		require.Equal(t, s, back)
	}
}
