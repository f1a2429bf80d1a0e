package vuln_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/vuln"
)

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
			_, err := vuln.ReadKEV(in(kev), func(vuln.KEV) error { return nil })
			require.ErrorIs(t, err, broken)
			require.NotErrorIs(t, err, boltseal.ErrMalformed)
			_, err = vuln.ReadEPSS(in(epss), func(vuln.EPSS) error { return nil })
			require.ErrorIs(t, err, broken)
			require.NotErrorIs(t, err, boltseal.ErrMalformed)
		}
	}
}
