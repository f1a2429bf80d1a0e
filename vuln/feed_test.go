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
	"testing/iotest"
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

// A transfer that breaks off is no malformed feed, wherever it does.
func TestBrokenTransfer(t *testing.T) {
	broken := errors.New("connection reset")
	kev := `{"vulnerabilities":[{"cveID":"CVE-1","dateAdded":"2026-01-01"}`
	epss := "cve,epss,percentile\nCVE-1,0.5,0.5\nCVE-2,0.5"
	for _, zip := range []bool{false, true} {
		for cut := range 12 {
			in := func(s string) io.Reader {
				if zip {
					var b bytes.Buffer
					w := gzip.NewWriter(&b)
					w.Write([]byte(s))
					w.Close()
					s = b.String()
				}
				return io.MultiReader(strings.NewReader(s[:len(s)-len(s)*cut/12-1]), iotest.ErrReader(broken))
			}
			_, err := ReadKEV(in(kev), func(KEV) error { return nil })
			require.ErrorIs(t, err, broken)
			require.NotErrorIs(t, err, boltseal.ErrMalformed)
			_, err = ReadEPSS(in(epss), func(EPSS) error { return nil })
			require.ErrorIs(t, err, broken)
			require.NotErrorIs(t, err, boltseal.ErrMalformed)
		}
	}
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
