package distribution

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": -1, "0": 0, "120": 2 * time.Minute, "-1": -1, "soon": -1, "1.5": -1, "99999999999": -1,
		"Fri, 02 Jan 2026 03:05:05 GMT": time.Minute,
		"Fri, 02 Jan 2026 03:00:00 GMT": 0,
	} {
		after, ok := retryAfter(&http.Response{Header: http.Header{"Retry-After": {header}}}, now)
		if want < 0 {
			require.False(t, ok, header)
			continue
		}
		require.True(t, ok, header)
		require.Equal(t, want, after, header)
	}
}

func TestQuota(t *testing.T) {
	now := time.Now()
	q, ok := quotaOf(http.Header{"Ratelimit-Remaining": {"76;w=21600"}, "Ratelimit-Limit": {"100;w=21600"}}, now)
	require.True(t, ok)
	require.Equal(t, Quota{Known: true, Limit: 100, Remaining: 76, Window: 6 * time.Hour, Seen: now}, q)
	for _, bad := range []string{"", "x", "-1", ";w=1"} {
		_, ok := quotaOf(http.Header{"Ratelimit-Remaining": {bad}}, now)
		require.False(t, ok, bad)
	}
}

// TestPace drives a pacer through a burst, a complaint and the way back, in
// synthetic time.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer()
		fine, enough := &http.Response{StatusCode: 200, Header: http.Header{}}, &http.Response{StatusCode: 429, Header: http.Header{}}
		ask := func(n int, resp *http.Response) time.Duration {
			start := time.Now()
			for range n {
				tooLong, err := p.wait(t.Context(), time.Minute)
				require.NoError(t, err)
				require.Zero(t, tooLong)
				p.learn(resp, 0)
			}
			return time.Since(start)
		}
		require.Zero(t, ask(100, fine), "free until somebody complains")
		p.learn(enough, 3*time.Second)
		for range 50 {
			p.learn(enough, 0) // the rest of the burst is the same complaint
		}
		took := ask(1, fine)
		require.GreaterOrEqual(t, took, 3*time.Second, "what was asked for is kept")
		took = ask(50, fine)
		require.InDelta(t, 1, took.Seconds(), .3, "half of a hundred a second")
		for range 1000 {
			time.Sleep(time.Second)
			ask(1, fine)
		}
		require.Zero(t, ask(1000, fine), "free again")

		p.learn(enough, time.Hour)
		start := time.Now()
		tooLong, err := p.wait(t.Context(), time.Minute)
		require.NoError(t, err)
		require.Equal(t, time.Hour, tooLong, "an hour is said, not waited for")
		require.Zero(t, time.Since(start))
	})
}

type drip struct{ every time.Duration }

func (d drip) Read(p []byte) (int, error) {
	time.Sleep(d.every)
	p[0] = 'x'
	return 1, nil
}

func TestSteady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSteady(io.NopCloser(drip{time.Second}), func(error) {})
		_, err := io.Copy(io.Discard, b)
		require.ErrorIs(t, err, errSlow)
		require.NoError(t, b.Close())

		// A reader that takes its time is not the peer's fault.
		b = newSteady(io.NopCloser(strings.NewReader(strings.Repeat("x", 100))), func(error) {})
		for {
			time.Sleep(time.Minute)
			if _, err := b.Read(make([]byte, 10)); err != nil {
				require.Equal(t, io.EOF, err)
				break
			}
		}
		require.NoError(t, b.Close())
	})
}
