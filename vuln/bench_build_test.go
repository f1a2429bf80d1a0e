package vuln_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/vuln"
)

// BenchmarkBuild builds the database of all shared advisories with KEV and
// EPSS, and reports its size in both forms.
func BenchmarkBuild(b *testing.B) {
	dir := osvDir(b)
	path := filepath.Join(b.TempDir(), "advisories.db")
	var stats vuln.Stats
	for b.Loop() {
		kev, err := os.Open(filepath.Join(dir, "..", "feeds", "kev.json.gz"))
		require.NoError(b, err)
		epss, err := os.Open(filepath.Join(dir, "..", "feeds", "epss.csv.gz"))
		require.NoError(b, err)
		stats, err = vuln.Build(b.Context(), path, []fs.FS{os.DirFS(dir)}, &vuln.BuildOptions{KEV: kev, EPSS: epss})
		require.NoError(b, err)
		require.NoError(b, kev.Close())
		require.NoError(b, epss.Close())
	}
	db, err := vuln.Open(path)
	require.NoError(b, err)
	defer db.Close()
	require.NoError(b, db.Verify())
	// Log4Shell was listed on 2021-12-10.
	for m := range db.MatchOne(&boltseal.Package{Type: "maven", Namespace: "org.apache.logging.log4j", Name: "log4j-core", Version: "2.14.1"}) {
		if len(m.Advisory.Aliases) > 0 && m.Advisory.Aliases[0] == "CVE-2021-44228" {
			require.Equal(b, "2021-12-10", m.Exploited.Format("2006-01-02"))
			require.Greater(b, m.EPSS, 0.9)
		}
	}
	file, err := os.ReadFile(path)
	require.NoError(b, err)
	packed, err := vuln.Pack(file)
	require.NoError(b, err)
	b.ReportMetric(float64(stats.Advisories), "advisories")
	b.ReportMetric(float64(len(file))/1e6, "MB")
	b.ReportMetric(float64(len(packed))/1e6, "MB-packed")
}
