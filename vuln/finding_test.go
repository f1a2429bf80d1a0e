package vuln_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/vuln"
)

func TestFinding(t *testing.T) {
	rated := `"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]` // 9.8 by the specification's calculator
	r := events("SEMVER", "introduced 0, fixed 2.0.0")
	fsys := fstest.MapFS{
		"a.json": {Data: []byte(doc("GHSA-1", "npm", "m", r, `"aliases":["CVE-2021-1"]`, rated))},
		"b.json": {Data: []byte(doc("GHSA-2", "npm", "m", r))},
	}
	b, _, err := vuln.Encode(t.Context(), []fs.FS{fsys}, &vuln.BuildOptions{
		KEV:  strings.NewReader(`{"dateReleased":"2026-08-07T00:00:00Z","vulnerabilities":[{"cveID":"CVE-2021-1","dateAdded":"2021-12-10","dueDate":"2021-12-24"}]}`),
		EPSS: strings.NewReader("#model_version:v4,score_date:2026-08-16T00:00:00+0000\ncve,epss,percentile\nCVE-2021-1,0.94358,0.99958\n"),
	})
	require.NoError(t, err)
	db, err := vuln.Load(b)
	require.NoError(t, err)
	var got []boltseal.Finding
	for m := range db.MatchOne(&boltseal.Package{Type: "npm", Name: "m", Version: "1.0.0", PURL: "pkg:npm/m@1.0.0"}) {
		got = append(got, m.Finding())
	}
	require.Len(t, got, 2)
	require.Equal(t, boltseal.SeverityCritical, got[0].Severity)
	require.Equal(t, 9.8, got[0].Score)
	require.Equal(t, 0.94358, got[0].EPSS)
	require.Equal(t, "2021-12-10", got[0].Exploited)
	require.Equal(t, "upgrade m to 2.0.0 or later", got[0].Fix)
	require.Equal(t, boltseal.SeverityUnknown, got[1].Severity)
	require.Zero(t, got[1].Score)
	require.Zero(t, got[1].EPSS)
	require.Empty(t, got[1].Exploited)
}

// A caller that asks too late gets nothing, and no fault of the processor.
func TestWhyAfterClose(t *testing.T) {
	path := t.TempDir() + "/a.db"
	fsys := fstest.MapFS{"a.json": {Data: []byte(doc("GO-1", "Go", "m", events("SEMVER", "introduced 0, fixed 2.0.0")))}}
	_, err := vuln.Build(t.Context(), path, []fs.FS{fsys}, nil)
	require.NoError(t, err)
	db, err := vuln.Open(path)
	require.NoError(t, err)
	var all []vuln.Match
	for m := range db.MatchOne(&boltseal.Package{Type: "golang", Name: "m", Version: "v1.0.0"}) {
		require.Equal(t, "introduced 0, fixed 2.0.0", m.Why().Range)
		all = append(all, m)
	}
	require.NoError(t, db.Close())
	require.Len(t, all, 1)
	require.Equal(t, "v2.0.0", all[0].Fixed)
	require.Equal(t, "m", all[0].Why().Name)
	require.Empty(t, (&vuln.Match{}).Why())
}
