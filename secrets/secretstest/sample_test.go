package secretstest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSamplesAreStable(t *testing.T) {
	for _, family := range Families() {
		one, err := New(family, 7)
		require.NoError(t, err, family)
		again, err := New(family, 7)
		require.NoError(t, err, family)
		require.Equal(t, one, again)
		other, err := New(family, 9)
		require.NoError(t, err, family)
		if family != "sealed-secret" && family != "ansible-vault" { // nothing in them is drawn
			require.NotEqual(t, one.Token, other.Token, family)
		}
	}
}
