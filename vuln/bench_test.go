package vuln_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/vuln"
)

func benchPackages() []boltseal.Package {
	deb := &boltseal.Distro{ID: "debian", VersionID: "12"}
	known := []boltseal.Package{
		{Type: "deb", Name: "libssl3", Version: "3.0.16-1~deb12u1", Source: boltseal.Source{Name: "openssl"}, Distro: deb},
		{Type: "deb", Name: "curl", Version: "7.88.1-10+deb12u12", Distro: deb},
		{Type: "golang", Name: "golang.org/x/net", Version: "v0.38.0"}, {Type: "npm", Name: "lodash", Version: "4.17.21"},
	}
	var out []boltseal.Package
	for i := range 2400 { // a quarter is known to the database, the rest never heard of
		if i%4 == 0 {
			out = append(out, known[i/4%len(known)])
		} else {
			out = append(out, boltseal.Package{Type: "npm", Name: fmt.Sprintf("package-%d", i), Version: "1.2.3"})
		}
	}
	return out
}

func BenchmarkMatch(b *testing.B) { benchMatch(b, benchPackages()) }

func benchMatch(b *testing.B, pkgs []boltseal.Package) {
	osvDir(b)
	file, err := small()
	require.NoError(b, err)
	db, err := vuln.Load(file)
	require.NoError(b, err)
	b.ReportAllocs()
	found := 0
	for b.Loop() {
		found = 0
		for range db.Match(pkgs) {
			found++
		}
	}
	b.ReportMetric(float64(found), "matches")
	b.ReportMetric(float64(b.N)*float64(len(pkgs))/b.Elapsed().Seconds(), "packages/s")
}

// Packages of an ecosystem that the database holds, which nothing is said of:
// a name that it knows in a version past every range, and names it never heard of.
func BenchmarkMatchMiss(b *testing.B) {
	pkgs := make([]boltseal.Package, 2400)
	for i := range pkgs {
		if pkgs[i] = (boltseal.Package{Type: "npm", Name: fmt.Sprintf("package-%d", i), Version: "1.2.3"}); i%4 == 0 {
			pkgs[i].Name, pkgs[i].Version = "lodash", "99.0.0"
		}
	}
	benchMatch(b, pkgs)
}

// The proportions of an image of 2,255 packages with 240 matches.
func BenchmarkMatchImage(b *testing.B) {
	pkgs := benchPackages()[:2255]
	for i := range pkgs {
		if i%4 == 0 && i >= 4*18 {
			pkgs[i] = boltseal.Package{Type: "npm", Name: fmt.Sprintf("package-%d", i), Version: "1.2.3"}
		}
	}
	benchMatch(b, pkgs)
}

func BenchmarkOpenAndMatch(b *testing.B) {
	osvDir(b)
	file, err := small()
	require.NoError(b, err)
	path := filepath.Join(b.TempDir(), "a.db")
	require.NoError(b, os.WriteFile(path, file, 0o600))
	pkgs := benchPackages()
	for b.Loop() {
		db, err := vuln.Open(path)
		require.NoError(b, err)
		for range db.Match(pkgs) {
		}
		require.NoError(b, db.Close())
	}
}

func BenchmarkOpen(b *testing.B) {
	osvDir(b)
	file, err := small()
	require.NoError(b, err)
	path := filepath.Join(b.TempDir(), "a.db")
	require.NoError(b, os.WriteFile(path, file, 0o600))
	for b.Loop() {
		db, err := vuln.Open(path)
		require.NoError(b, err)
		require.NoError(b, db.Close())
	}
}
