package secrets_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/boltseal/boltseal/secrets"
)

// BenchmarkQuality scans the folders in BOLTSEAL_TREES, a list like $PATH, with
// the default rules and lists every finding, redacted, for somebody to look at.
func BenchmarkQuality(b *testing.B) {
	trees := filepath.SplitList(os.Getenv("BOLTSEAL_TREES"))
	if len(trees) == 0 {
		b.Skip("BOLTSEAL_TREES names no folders to scan")
	}
	spent := func() float64 {
		var u unix.Rusage
		require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &u))
		return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
	}
	for _, dir := range trees {
		b.Run(filepath.Base(dir), func(b *testing.B) {
			size := int64(0)
			_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
				if err == nil && d.Type().IsRegular() {
					if info, err := d.Info(); err == nil {
						size += info.Size()
					}
				}
				return nil
			})
			scanner := secrets.NewScanner(&secrets.Options{Salt: []byte("bench")})
			found, skipped, start, first := 0, 0, spent(), true
			for b.Loop() {
				for res, err := range scanner.FS(b.Context(), os.DirFS(dir)) {
					if !first {
						continue
					}
					if err != nil {
						b.Log(err)
					}
					skipped += len(res.Skipped)
					for _, m := range res.Matches {
						found++
						b.Logf("%s %v %s %s %v", m.Rule, m.Confidence, m.Secret, m.Locations[0], m.Notes)
					}
				}
				first = false
			}
			b.ReportMetric(float64(size)/1e6, "MB")
			b.ReportMetric(float64(found), "findings")
			b.ReportMetric(float64(skipped), "skipped")
			b.ReportMetric(float64(size)*float64(b.N)/1e6/(spent()-start), "MB/cpu-s")
		})
	}
}
