package secrets_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/secrets"
	"github.com/boltseal/boltseal/secrets/secretstest"
)

// scanText scans a text with the default rules and fixed fingerprints.
func scanText(t *testing.T, path, text string) []secrets.Match {
	t.Helper()
	res, err := secrets.NewScanner(&secrets.Options{Salt: []byte("salt")}).Bytes(t.Context(), path, []byte(text))
	require.NoError(t, err)
	return res.Matches
}

func rulesOf(matches []secrets.Match) string {
	var ids []string
	for _, m := range matches {
		ids = append(ids, m.Rule)
	}
	return strings.Join(ids, " ")
}

// byPlace lists the families that are found by the format of a whole file, and
// are tested with it.
var byPlace = map[string]bool{"dotenv": true}

func TestEveryFamilyHasARecipe(t *testing.T) {
	have := map[string]bool{}
	for _, f := range secretstest.Families() {
		have[f] = true
	}
	known := map[string]bool{}
	for _, r := range secrets.Families() {
		known[r.ID] = true
		if r.By != secrets.ByPlace && !byPlace[r.ID] {
			require.True(t, have[r.ID], "rule %s has no recipe", r.ID)
		}
	}
	for f := range have {
		require.True(t, known[f], "recipe %s has no rule", f)
	}
}

func TestEveryFamilyIsFound(t *testing.T) {
	for _, family := range secretstest.Families() {
		t.Run(family, func(t *testing.T) {
			var missed []string
			for seed := range uint64(2) {
				s, err := secretstest.New(family, seed)
				require.NoError(t, err)
				placed := s.Placed()
				require.GreaterOrEqual(t, len(placed), 5)
				for _, p := range placed {
					got := scanText(t, p.Path, p.Text)
					want := family
					if s.Public {
						want = ""
					}
					if ids := rulesOf(got); ids != want {
						missed = append(missed, fmt.Sprintf("%s/%d: %q", p.Syntax, seed, ids))
					}
				}
			}
			require.Empty(t, missed)
		})
	}
}
