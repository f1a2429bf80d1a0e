package boltseal_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

func TestVerdictZeroIsUnknown(t *testing.T) {
	var c boltseal.Check
	require.Equal(t, boltseal.VerdictUnknown, c.Verdict)
	require.NotEqual(t, boltseal.VerdictPass, c.Verdict)
}

func TestVerdictText(t *testing.T) {
	for v := boltseal.VerdictUnknown; v <= boltseal.VerdictNotApplicable; v++ {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		var back boltseal.Verdict
		require.NoError(t, json.Unmarshal(b, &back))
		require.Equal(t, v, back)
	}
	var v boltseal.Verdict
	require.ErrorIs(t, v.UnmarshalText([]byte("passed")), boltseal.ErrMalformed)
	require.Equal(t, "verdict(9)", boltseal.Verdict(9).String())
}
