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

// unexpected returns what speaks against finding exactly one secret of the
// rule in a text, besides finds in what the text means when decoded; "" for none.
func unexpected(matches []secrets.Match, rule string) string {
	found := rule == ""
	for _, m := range matches {
		switch {
		case m.Rule == rule:
			found = true
		case rule == "" || len(m.Via) == 0:
			return "also " + rulesOf(matches)
		}
	}
	if !found {
		return "only " + rulesOf(matches)
	}
	return ""
}

func rulesOf(matches []secrets.Match) string {
	var ids []string
	for _, m := range matches {
		ids = append(ids, m.Rule)
	}
	return strings.Join(ids, " ")
}

func TestEveryFamilyHasARecipe(t *testing.T) {
	have := map[string]bool{}
	for _, f := range secretstest.Families() {
		have[f] = true
	}
	known := map[string]bool{}
	for _, r := range secrets.Families() {
		known[r.ID] = true
		if r.By != secrets.ByPlace {
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
					if bad := unexpected(got, want); bad != "" {
						missed = append(missed, fmt.Sprintf("%s/%d: %s", p.Syntax, seed, bad))
					}
				}
			}
			require.Empty(t, missed)
		})
	}
}

func TestNearMissesAreSilent(t *testing.T) {
	generic := map[string]bool{}
	for _, r := range secrets.Families() {
		generic[r.ID] = r.Generic
	}
	for _, family := range secretstest.Families() {
		t.Run(family, func(t *testing.T) {
			s, err := secretstest.New(family, 3)
			require.NoError(t, err)
			var loud []string
			for _, m := range s.NearMisses() {
				for _, got := range scanText(t, s.Path, m.Text) {
					// A name that says token is a finding whatever its value's
					// shape, and a Paystack key of another length is Stripe's.
					if !(s.Name != "value" && generic[got.Rule] && got.Rule != family) && !(family == "paystack" && got.Rule == "stripe-live") {
						loud = append(loud, m.Why+": "+got.Rule)
					}
				}
			}
			require.Empty(t, loud)
		})
	}
}
