package secrets

import (
	"encoding/base64"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// Whether a token has expired is asked of the caller's clock.
func TestExpiryByTheCallersClock(t *testing.T) {
	part := base64.RawURLEncoding.EncodeToString
	end := time.Date(2031, 5, 1, 0, 0, 0, 0, time.UTC)
	jwt := part([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + part([]byte(`{"sub":"app","exp":1935360000}`)) + "." + part([]byte("x7Gq0Zk3Vt9mRw2nB5cR1dL8pQ4sT6uY"))
	rate := func(now time.Time) (boltseal.Severity, bool) {
		res, err := NewScanner(&Options{Salt: []byte("test"), Now: func() time.Time { return now }}).Bytes(t.Context(), "f", []byte("token: "+jwt+"\n"))
		require.NoError(t, err)
		require.Len(t, res.Matches, 1)
		require.Equal(t, end, *res.Matches[0].Expires)
		return res.Matches[0].Severity, slices.Contains(res.Matches[0].Notes, "it has expired")
	}
	before, gone := rate(end.Add(-time.Second))
	require.False(t, gone)
	after, gone := rate(end.Add(time.Second))
	require.True(t, gone)
	require.Less(t, after, before)
}
