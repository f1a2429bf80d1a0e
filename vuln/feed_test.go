package vuln

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

func feedFile(t testing.TB, name string) *os.File {
	root := os.Getenv("BOLTSEAL_SHARED")
	if root == "" {
		root = "../../shared"
	}
	f, err := os.Open(filepath.Join(root, "data/feeds", name))
	if err != nil {
		t.Skipf("no shared data (BOLTSEAL_SHARED): %v", err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func zipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

const kevText = `{"title":"x","dateReleased":"2026-08-07T16:45:47.0648Z","vulnerabilities":[
{"cveID":"CVE-1","vulnerabilityName":"n","dateAdded":"2026-08-01","dueDate":"2026-08-10","knownRansomwareCampaignUse":"Known"},
{"cveID":"CVE-2","dateAdded":"2026-08-02"}]}`

const epssText = "#model_version:v4,score_date:2026-08-16T00:00:00+0000\ncve,epss,percentile\nCVE-1,0.5,0.9\r\nCVE-2,0,0.1"

func TestReadKEV(t *testing.T) {
	for _, in := range []string{kevText, zipped(kevText)} {
		var got []KEV
		released, err := ReadKEV(strings.NewReader(in), func(k KEV) error { got = append(got, k); return nil })
		require.NoError(t, err)
		require.Equal(t, "2026-08-07", released.Format(time.DateOnly))
		require.Len(t, got, 2)
		require.True(t, got[0].Ransomware)
		require.Equal(t, "2026-08-10", got[0].Due.Format(time.DateOnly))
		require.True(t, got[1].Due.IsZero())
	}
	for _, in := range []string{"", "[]", "{}", kevText[:200], `{"vulnerabilities":[{"cveID":"","dateAdded":"2026-01-01"}]}`, `{"vulnerabilities":7}`, "\x1f\x8bxx"} {
		_, err := ReadKEV(strings.NewReader(in), func(KEV) error { return nil })
		require.ErrorIs(t, err, boltseal.ErrMalformed, in)
	}
	stop := errors.New("stop")
	_, err := ReadKEV(strings.NewReader(kevText), func(KEV) error { return stop })
	require.Equal(t, stop, err)
}

func TestReadEPSS(t *testing.T) {
	for _, in := range []string{epssText, zipped(epssText)} {
		var got []EPSS
		date, err := ReadEPSS(strings.NewReader(in), func(e EPSS) error { got = append(got, e); return nil })
		require.NoError(t, err)
		require.Equal(t, "2026-08-16", date.Format(time.DateOnly))
		require.Equal(t, []EPSS{{"CVE-1", 0.5, 0.9}, {"CVE-2", 0, 0.1}}, got)
	}
	const head = "cve,epss,percentile\n"
	for _, in := range []string{"", "x", head + "CVE-1,2,0", head + "CVE-1,NaN,0", head + "CVE-1", head + "X,0,0", "#" + strings.Repeat("a", 1<<17)} {
		_, err := ReadEPSS(strings.NewReader(in), func(EPSS) error { return nil })
		require.ErrorIs(t, err, boltseal.ErrMalformed, "%.40q", in)
	}
	// Exactly as much as is allowed is fine, a byte more is not.
	got, err := io.ReadAll(&cappedReader{strings.NewReader("abc"), 3})
	require.NoError(t, err)
	require.Equal(t, "abc", string(got))
	_, err = io.ReadAll(&cappedReader{strings.NewReader("abcd"), 3})
	require.ErrorIs(t, err, boltseal.ErrLimit)
}

func TestRealFeeds(t *testing.T) {
	n := 0
	_, err := ReadKEV(feedFile(t, "kev.json.gz"), func(KEV) error { n++; return nil })
	require.NoError(t, err)
	require.Equal(t, 1662, n)
	n = 0
	_, err = ReadEPSS(feedFile(t, "epss.csv.gz"), func(EPSS) error { n++; return nil })
	require.NoError(t, err)
	require.Equal(t, 360142, n)
}

// Scores from FIRST's specifications and examples.
func TestScore(t *testing.T) {
	for vector, want := range map[string]struct {
		score float64
		cvss  string
	}{
		"AV:N/AC:L/Au:N/C:N/I:N/A:C":                                      {7.8, "2.0"}, // CVE-2002-0392
		"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H":                    {9.8, "3.0"},
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N":                    {6.1, "3.1"},
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N":                    {0, "3.1"},
		"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H": {10, "4.0"},
	} {
		score, severity, cvss, err := Score(vector)
		require.NoError(t, err)
		require.Equal(t, want.score, score, vector)
		require.Equal(t, want.cvss, cvss)
		require.Equal(t, boltseal.SeverityFromScore(want.score), severity)
	}
	for _, v := range []string{"", "high", "CVSS:5.0/AV:N", "CVSS:3.1/AV:N", "AV:N", strings.Repeat("A", 1000)} {
		_, severity, _, err := Score(v)
		require.ErrorIs(t, err, boltseal.ErrMalformed, v)
		require.Equal(t, boltseal.SeverityUnknown, severity)
	}
	score, _, vector, ok := BestScore("AV:N/AC:L/Au:N/C:C/I:C/A:C", "bad", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N")
	require.True(t, ok)
	require.Equal(t, 6.1, score)
	require.Contains(t, vector, "3.1")
	_, _, _, ok = BestScore("bad")
	require.False(t, ok)
}

func TestRank(t *testing.T) {
	now := time.Now()
	want := []Match{
		{Advisory: Advisory{ID: "kev"}, Exploited: now},
		{Advisory: Advisory{ID: "used"}},
		{Advisory: Advisory{ID: "reachable"}},
		{Advisory: Advisory{ID: "fixable"}, Fixed: "1"},
		{Advisory: Advisory{ID: "likely"}, EPSS: 0.9},
		{Advisory: Advisory{ID: "severe"}, Severity: boltseal.SeverityCritical},
		{Advisory: Advisory{ID: "a"}},
		{Advisory: Advisory{ID: "b"}},
		{Advisory: Advisory{ID: "suppressed"}, Exploited: now, Suppressed: "VEX"},
	}
	got := make([]Match, len(want))
	for i := range want {
		got[len(want)-1-i] = want[i]
	}
	is := func(id string) func(*Match) bool { return func(m *Match) bool { return m.Advisory.ID == id } }
	Rank(got, &Context{InUse: is("used"), Reachable: is("reachable")})
	require.Equal(t, want, got)
	Rank(got, nil)
	require.Equal(t, "fixable", got[1].Advisory.ID)
}

func FuzzReadKEV(f *testing.F) {
	f.Add([]byte(kevText))
	f.Add([]byte(zipped(kevText)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := ReadKEV(bytes.NewReader(data), func(KEV) error { return nil }); err != nil {
			require.True(t, errors.Is(err, boltseal.ErrMalformed) || errors.Is(err, boltseal.ErrLimit))
		}
	})
}

func FuzzReadEPSS(f *testing.F) {
	f.Add([]byte(epssText))
	f.Add([]byte(zipped(epssText)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := ReadEPSS(bytes.NewReader(data), func(EPSS) error { return nil }); err != nil {
			require.True(t, errors.Is(err, boltseal.ErrMalformed) || errors.Is(err, boltseal.ErrLimit))
		}
	})
}

func FuzzScore(f *testing.F) {
	f.Add("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H")
	f.Add("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N")
	f.Add("AV:N/AC:L/Au:N/C:N/I:N/A:C")
	f.Fuzz(func(t *testing.T, v string) {
		score, severity, _, err := Score(v)
		require.Equal(t, err != nil, severity == boltseal.SeverityUnknown)
		require.True(t, score >= 0 && score <= 10)
	})
}
