package secrets_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/secrets/secretstest"
)

func TestNegativesAreSilent(t *testing.T) {
	for seed := range uint64(4) {
		for _, n := range secretstest.Negatives(seed) {
			for _, m := range scanText(t, n.Path, n.Text) {
				t.Errorf("%s, seed %d: %s %v %q at %v", n.Kind, seed, m.Rule, m.Secret, m.Name, m.Locations)
			}
		}
	}
	require.Greater(t, len(secretstest.Negatives(0)), 45)
}
