package secrets_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/secrets"
	"github.com/boltseal/boltseal/secrets/secretstest"
)

// Both halves of a pair are one finding, which has both.
func TestPairs(t *testing.T) {
	for family, half := range map[string]string{
		"aws-key-id": "secret access key", "twilio-auth": "secret", "twilio-key": "secret", "alibaba-key": "secret", "tencent-key": "secret", "razorpay": "secret",
	} {
		t.Run(family, func(t *testing.T) {
			s, err := secretstest.New(family, 5)
			require.NoError(t, err)
			object := `{"other": {"a": 1}, "id": "` + s.Token + `",` + strings.Repeat("\n  \"x\": 1,", 20) + `"secret": "` + s.Other + `"}`
			for name, text := range map[string]string{
				"next line":           "id = " + s.Token + "\nsecret = " + s.Other + "\n",
				"line above":          "secret = " + s.Other + "\nid = " + s.Token + "\n",
				"five lines":          "id = " + s.Token + strings.Repeat("\n", 5) + "secret = " + s.Other + "\n",
				"one line":            `connect("` + s.Token + `", "` + s.Other + `")`,
				"same object, far":    object,
				"same object, packed": strings.ReplaceAll(object, "\n", ""),
			} {
				got := scanText(t, "app/config", text)
				require.Len(t, got, 1, "%s: %s", name, rulesOf(got))
				require.Equal(t, family, got[0].Rule, name)
				require.Equal(t, secrets.KindSecret, got[0].Kind, name)
				require.Equal(t, boltseal.SeverityCritical, got[0].Severity, name)
				require.Contains(t, got[0].Halves, half, name)
			}
		})
	}
}

func TestHalvesAlone(t *testing.T) {
	for family, severity := range map[string]boltseal.Severity{
		"aws-key-id":  boltseal.SeverityLow,     // worth a look: the other half is somewhere
		"twilio-auth": boltseal.SeverityUnknown, // an account's number is public
	} {
		s, err := secretstest.New(family, 6)
		require.NoError(t, err)
		for name, text := range map[string]string{
			"alone":    "id = " + s.Token + "\n",
			"too far":  "id = " + s.Token + strings.Repeat("\n", 6) + s.Other + "\n",
			"a path":   "id = " + s.Token + "\n" + strings.Repeat("/usr/lib", 5) + "\n",
			"not both": "id = " + s.Token + "\nsum = " + strings.Repeat("0123abcd", 5) + "\n",
		} {
			got := scanText(t, "app/config", text)
			if severity == boltseal.SeverityUnknown {
				require.Empty(t, got, name)
				continue
			}
			require.Len(t, got, 1, name)
			require.Equal(t, severity, got[0].Severity, name)
			require.Equal(t, secrets.KindHalf, got[0].Kind, name)
			require.Empty(t, got[0].Halves, name)
		}
	}
}

func TestAccountOfAnAccessKey(t *testing.T) {
	got := scanText(t, "app/config", "AWS_ACCESS_KEY_ID="+"ASIAQNZGKIQY"+"56JQ7WML\n")
	require.Len(t, got, 1)
	require.Equal(t, "029608264753", got[0].Context["account"])
}
