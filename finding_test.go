package boltseal_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

func TestFingerprint(t *testing.T) {
	// printf '13:vulnerability1:a' | sha256sum | cut -c1-32
	require.Equal(t, "65d8aba3724d5c531f7436e09a82de01", boltseal.Fingerprint("vulnerability", "a"))
	require.NotEqual(t, boltseal.Fingerprint("ab", "c"), boltseal.Fingerprint("a", "bc"), "parts do not run together")
	require.NotEqual(t, boltseal.Fingerprint("a", ""), boltseal.Fingerprint("a"))
}

func TestLocationString(t *testing.T) {
	for want, l := range map[string]boltseal.Location{
		"a/b":            {Path: "a/b"},
		"a.war!b.jar!c":  {Path: "a.war", Member: []string{"b.jar", "c"}},
		"a:3":            {Path: "a", Line: 3, Offset: 9},
		"a@9":            {Path: "a", Offset: 9},
		"layer sha256:x": {Layer: "sha256:x"},
		"":               {},
	} {
		require.Equal(t, want, l.String())
	}
}

func TestErrorSaysWhere(t *testing.T) {
	err := error(&boltseal.Error{Op: "parse", Location: boltseal.Location{Path: "etc/x", Line: 2}, Err: boltseal.ErrMalformed})
	require.EqualError(t, err, "parse: etc/x:2: malformed")
	require.ErrorIs(t, err, boltseal.ErrMalformed)
	var located *boltseal.Error
	require.True(t, errors.As(err, &located))
	require.EqualError(t, &boltseal.Error{Op: "read", Err: boltseal.ErrLimit}, "read: limit exceeded")
}
