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
