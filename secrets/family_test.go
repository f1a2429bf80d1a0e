package secrets

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFamiliesCompile(t *testing.T) {
	set, err := Compile(Families())
	require.NoError(t, err)
	require.Greater(t, len(set.Rules()), 300)
	for _, r := range set.Rules() {
		require.NotEmpty(t, r.Title, r.ID)
		require.NotEmpty(t, r.Provider, r.ID)
		require.NotEmpty(t, r.Revoke, r.ID)
	}
}

// Alternatives that share their literal are all tried, whatever stands beside it.
func TestAlternativesThatShareALiteral(t *testing.T) {
	set, err := Compile([]Rule{{ID: "shared", Program: `"shared-name" ("\"")? ": " {"SHAREDMARK" w20}`}})
	require.NoError(t, err)
	for _, text := range []string{`shared-name: SHAREDMARK`, `"shared-name": SHAREDMARK`} {
		for _, pad := range []string{"", " "} {
			res, err := NewScanner(&Options{Rules: set}).Bytes(t.Context(), "f", []byte(pad+text+"a8Kd0qL3vX7mZ2nB5cR1\n"))
			require.NoError(t, err)
			require.Len(t, res.Matches, 1, text)
		}
	}
}
