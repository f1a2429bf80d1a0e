package snapshot_test

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/vuln"
	"github.com/boltseal/boltseal/vuln/snapshot"
)

var update = flag.Bool("update", false, "rewrite the snapshot from the shared OSV export")

const file = "advisories.db.zst"

// shared is where the OSV exports are, if they are.
func shared(t *testing.T) string {
	dir := os.Getenv("BOLTSEAL_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	dir = filepath.Join(dir, "data", "osv")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no OSV exports (BOLTSEAL_SHARED): ", err)
	}
	return dir
}

// keep says which advisories go into the snapshot: those that their publisher
// states, under a licence that allows to redistribute facts.
func keep(_, source string, derived bool) bool {
	switch source {
	case "Go Vulnerability Database", "PyPA Advisory Database", "GitHub Advisory Database", "RustSec", "Ruby Advisory Database",
		"Bitnami", "FriendsOfPHP", "AlmaLinux", "Azure Linux", "Node.js Security WG", "GitLab Advisory Database (community)", "Elixir Security Advisories":
		return !derived
	}
	return false
}

func TestSnapshot(t *testing.T) {
	if *update {
		dir := shared(t)
		var sources []fs.FS
		for _, eco := range []string{"AlmaLinux", "Azure Linux", "Bitnami", "ConanCenter", "Go", "Hex", "Maven", "NuGet", "Packagist", "PyPI", "RubyGems", "crates.io", "npm"} {
			sources = append(sources, os.DirFS(filepath.Join(dir, eco)))
		}
		kev, err := os.Open(filepath.Join(dir, "..", "feeds", "kev.json.gz"))
		require.NoError(t, err)
		defer kev.Close()
		db, stats, err := vuln.Encode(t.Context(), sources, &vuln.BuildOptions{NoTitles: true, Only: keep, KEV: kev})
		require.NoError(t, err)
		require.Empty(t, stats.Skipped)
		packed, err := vuln.Pack(db)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, packed, 0o644))
	}

	st, err := os.Stat(file)
	require.NoError(t, err)
	require.LessOrEqual(t, st.Size(), int64(2<<20), "the snapshot is embedded in every program that uses it")

	packed, err := os.ReadFile(file)
	require.NoError(t, err)
	raw, err := vuln.Unpack(packed)
	require.NoError(t, err)
	db, err := vuln.Load(raw)
	require.NoError(t, err)
	require.NoError(t, db.Verify())

	info := db.Info()
	require.Greater(t, info.Advisories, 20_000)
	for _, s := range info.Sources {
		require.NotEmpty(t, s.License, s.Name)
		name, _, _ := strings.Cut(s.Name, " (")
		require.Contains(t, snapshot.Notice, name)
	}
	for _, a := range []string{"DEBIAN-CVE-2023-0464", "UBUNTU-CVE-2021-2146", "ALPINE-CVE-2016-7946"} {
		_, ok := db.Advisory(a)
		require.False(t, ok, a)
	}
}

// The affected versions are those of the advisories' own pages.
func TestOpen(t *testing.T) {
	db, err := snapshot.Open()
	require.NoError(t, err)
	ids := func(p boltseal.Package) (out []string) {
		for m := range db.MatchOne(&p) {
			require.Empty(t, m.Advisory.Title)
			out = append(append(out, m.Advisory.ID), m.Advisory.Aliases...)
		}
		return out
	}
	require.Contains(t, ids(boltseal.Package{Type: "golang", Name: "golang.org/x/text", Version: "v0.3.7"}), "CVE-2022-32149") // fixed in v0.3.8
	require.NotContains(t, ids(boltseal.Package{Type: "golang", Name: "golang.org/x/text", Version: "v0.3.8"}), "CVE-2022-32149")
	require.Contains(t, ids(boltseal.Package{Type: "maven", Namespace: "org.apache.logging.log4j", Name: "log4j-core", Version: "2.14.1"}), "CVE-2021-44228")
	require.Contains(t, ids(boltseal.Package{Type: "pypi", Name: "Jinja2", Version: "2.10"}), "CVE-2019-10906") // fixed in 2.10.1
	require.NotContains(t, ids(boltseal.Package{Type: "pypi", Name: "Jinja2", Version: "2.10.1"}), "CVE-2019-10906")
}
