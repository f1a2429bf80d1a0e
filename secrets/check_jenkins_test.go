package secrets

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestJenkinsSecret(t *testing.T) {
	frame := func(head []byte, data int) string {
		raw := append([]byte{}, head...)
		for i := range 16 + data {
			raw = append(raw, byte(i*89+13))
		}
		return "<password>{" + base64.StdEncoding.EncodeToString(raw) + "}</password>\n"
	}
	for text, want := range map[string]int{
		frame([]byte{1, 0, 0, 0, 16, 0, 0, 0, 32}, 32): 1,
		frame([]byte{1, 0, 0, 0, 16, 0, 0, 0, 16}, 16): 1,
		frame([]byte{1, 0, 0, 0, 16, 0, 0, 0, 32}, 16): 0, // shorter than it says
		frame([]byte{1, 0, 0, 0, 16, 0, 0, 0, 24}, 24): 0, // no whole blocks
		frame([]byte{2, 0, 0, 0, 16, 0, 0, 0, 32}, 32): 0, // another version
	} {
		res, err := scannerFor(t).Bytes(t.Context(), "var/jenkins_home/credentials.xml", []byte(text))
		require.NoError(t, err)
		require.Len(t, ofRule(res, "jenkins-secret"), want, text)
		for _, m := range res.Matches {
			require.Equal(t, KindEncrypted, m.Kind)
		}
	}
}
