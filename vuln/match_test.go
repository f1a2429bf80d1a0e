package vuln_test

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/vuln"
)

// build makes a database of OSV documents.
func build(t testing.TB, docs ...string) *vuln.DB {
	t.Helper()
	fsys := fstest.MapFS{}
	for i, d := range docs {
		fsys[fmt.Sprintf("%03d.json", i)] = &fstest.MapFile{Data: []byte(d)}
	}
	b, stats, err := vuln.Encode(context.Background(), []fs.FS{fsys}, nil)
	require.NoError(t, err)
	require.Empty(t, stats.Skipped)
	db, err := vuln.Load(b)
	require.NoError(t, err)
	require.NoError(t, db.Verify())
	return db
}

// doc writes an OSV document with one affected entry.
func doc(id, ecosystem, name, affected string, more ...string) string {
	return fmt.Sprintf(`{"id":%q,"modified":"2026-06-01T00:00:00Z","affected":[{"package":{"ecosystem":%q,"name":%q},%s}]%s}`,
		id, ecosystem, name, affected, strings.Join(append([]string{""}, more...), ","))
}

// events writes ranges: "introduced 0, fixed 1.2" with " | " between ranges.
func events(kind, s string) string {
	var ranges []string
	for _, r := range strings.Split(s, " | ") {
		var ev []string
		for _, e := range strings.Split(r, ", ") {
			k, v, _ := strings.Cut(e, " ")
			ev = append(ev, fmt.Sprintf(`{%q:%q}`, k, v))
		}
		ranges = append(ranges, fmt.Sprintf(`{"type":%q,"events":[%s]}`, kind, strings.Join(ev, ",")))
	}
	return `"ranges":[` + strings.Join(ranges, ",") + `]`
}

func matches(db *vuln.DB, pkgs ...boltseal.Package) (out []string) {
	for m := range db.Match(pkgs) {
		s := m.Advisory.ID
		if m.Fixed != "" {
			s += " <" + m.Fixed
		}
		if m.Suppressed != "" {
			s += " !"
		}
		out = append(out, s)
	}
	return out
}

// The expectations follow from the evaluation rules of the OSV schema.
func TestRanges(t *testing.T) {
	for _, tt := range []struct {
		affected string
		hit      string // versions, space separated
		miss     string
	}{
		{events("ECOSYSTEM", "introduced 0, fixed 1.2"), "0.1 1.0 1.2rc1", "1.2 1.2.0 2"},
		{events("ECOSYSTEM", "introduced 0"), "0 1 99", ""},
		{events("ECOSYSTEM", "introduced 1.0, fixed 1.2, introduced 2.0, fixed 2.1"), "1.0 1.1 2.0 2.0.5", "0.9 1.2 1.9 2.1"},
		{events("ECOSYSTEM", "fixed 2.1, introduced 2.0, fixed 1.2, introduced 1.0"), "1.0 2.0", "0.9 1.2 2.1"}, // unsorted
		{events("ECOSYSTEM", "introduced 1.0, last_affected 1.2"), "1.0 1.1 1.2 1.2.0", "0.9 1.2.1 2"},
		{events("ECOSYSTEM", "introduced 1.0, limit 1.5"), "1.0 1.4", "0.9 1.5 2"},
		{events("ECOSYSTEM", "introduced 1.0, limit *"), "1.0 9", "0.9"},
		{events("ECOSYSTEM", "introduced 1.0, limit 1.5, limit 2.0"), "1.0 1.6", "2.0"}, // below any of them
		{events("ECOSYSTEM", "introduced 0, fixed 0"), "", "0 1 2"},                     // never affected
		{events("ECOSYSTEM", "introduced 1, fixed 2 | introduced 4, fixed 5"), "1 4", "2 3 5"},
		{events("ECOSYSTEM", "introduced 1, fixed 2, introduced 2.0, fixed 3"), "1", "2 2.5 3"}, // at one version, fixed comes after introduced
		{events("GIT", "introduced 0, fixed abc") + `,"versions":["1.0","1.1"]`, "1.0 1.1 1.0.0", "0.9 1.2"},
		{events("ECOSYSTEM", "introduced 2, fixed 3") + `,"versions":["1.0","2.1"]`, "1.0 2.1 2.2", "1.1 3"},
		{`"versions":["1.0","not a version"]`, "1.0", "1.1 other"},
	} {
		db := build(t, doc("X-1", "PyPI", "p", tt.affected), doc("X-2", "PyPI", "other", events("ECOSYSTEM", "introduced 0, fixed 1.1.1")))
		for _, v := range strings.Fields(tt.hit) {
			require.Len(t, matches(db, boltseal.Package{Type: "pypi", Name: "p", Version: v}), 1, "%s: %s", tt.affected, v)
		}
		for _, v := range strings.Fields(tt.miss) {
			require.Empty(t, matches(db, boltseal.Package{Type: "pypi", Name: "p", Version: v}), "%s: %s", tt.affected, v)
		}
	}
	db := build(t, doc("X-1", "Hex", "p", events("SEMVER", "introduced no version, fixed 2.0.0 | introduced 4.0.0, fixed 5.0.0")))
	require.Empty(t, matches(db, boltseal.Package{Type: "hex", Name: "p", Version: "1.0.0"}), "a bound without a place in the order voids its range")
	require.Len(t, matches(db, boltseal.Package{Type: "hex", Name: "p", Version: "4.0.0"}), 1, "and no other")
	bad := boltseal.Package{Type: "hex", Name: "p", Version: "1.0.0"}
	check := func(p boltseal.Package) boltseal.Check {
		checks := db.Coverage(time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), nil, []boltseal.Package{p})
		return checks[len(checks)-1]
	}
	require.Equal(t, boltseal.VerdictUnknown, check(bad).Verdict)
	require.Contains(t, check(bad).Reason, "1 with advisories whose ranges cannot be ordered: p (X-1)")
	require.Equal(t, boltseal.VerdictPass, check(boltseal.Package{Type: "hex", Name: "q", Version: "1.0.0"}).Verdict)
	require.Contains(t, db.Explain(&bad, "X-1")[0].Reason, "unknown")
	bad.Version = "4.0.0"
	for m := range db.MatchOne(&bad) {
		require.Contains(t, strings.Join(m.Why().Caveats, " "), "further range")
	}
	db = build(t, doc("X-1", "Hex", "p", events("SEMVER", "introduced no version, fixed 2.0.0")))
	require.Contains(t, check(boltseal.Package{Type: "hex", Name: "p", Version: "1.0.0"}).Reason, "p (X-1)", "of a row with nothing else")
	db = build(t, doc("X-1", "PyPI", "p", `"versions":["1.0","not a version"]`))
	require.Len(t, matches(db, boltseal.Package{Type: "pypi", Name: "p", Version: "not a version"}), 1, "equality holds without an order")
}

func TestNames(t *testing.T) {
	all := events("ECOSYSTEM", "introduced 0")
	db := build(t,
		doc("PY", "PyPI", "Foo.Bar_baz", all), doc("NU", "NuGet", "Newtonsoft.Json", all), doc("NPM", "npm", "@scope/Name", all),
		doc("MVN", "Maven", "org.x:Lib", all), doc("COMP", "Packagist", "Vendor/Pkg", all), doc("GO", "Go", "example.com/A", all),
		doc("DRU", "Packagist:https://packages.drupal.org/8", "drupal/x", all), doc("BIT", "Bitnami", "postgresql", all))
	for _, tt := range []struct {
		pkg  boltseal.Package
		want string
	}{
		{boltseal.Package{Type: "pypi", Name: "foo-bar--baz"}, "PY"},
		{boltseal.Package{Type: "nuget", Name: "newtonsoft.JSON"}, "NU"},
		{boltseal.Package{Type: "npm", Namespace: "@scope", Name: "Name"}, "NPM"},
		{boltseal.Package{Type: "npm", Namespace: "@scope", Name: "name"}, ""},
		{boltseal.Package{Type: "maven", Namespace: "org.x", Name: "Lib"}, "MVN"},
		{boltseal.Package{Type: "maven", Namespace: "org.x", Name: "lib"}, ""},
		{boltseal.Package{Type: "composer", Namespace: "vendor", Name: "pkg"}, "COMP"},
		{boltseal.Package{Type: "composer", Namespace: "drupal", Name: "x"}, "DRU"},
		{boltseal.Package{Type: "golang", Name: "example.com/A"}, "GO"},
		{boltseal.Package{Type: "golang", Name: "example.com/a"}, ""},
		{boltseal.Package{Type: "generic", Name: "postgres"}, "BIT"},
	} {
		tt.pkg.Version = "1.0.0"
		require.Equal(t, tt.want, strings.Join(matches(db, tt.pkg), " "), "%s %s", tt.pkg.Type, tt.pkg.Name)
		tt.pkg.Version = ""
		require.Empty(t, matches(db, tt.pkg), "no version: nothing can be said")
	}
}

func TestWithdrawnAndInformational(t *testing.T) {
	all := events("SEMVER", "introduced 0")
	db := build(t,
		doc("W-1", "Go", "m", all, `"withdrawn":"2026-01-01T00:00:00Z"`),
		doc("RUSTSEC-1", "crates.io", "m", all+`,"database_specific":{"informational":"unmaintained"}`),
		doc("RUSTSEC-2", "crates.io", "m", all+`,"database_specific":{"informational":"unsound"}`),
		doc("GO-1", "Go", "m", all+`,"ecosystem_specific":{"imports":[{"path":"m","goos":["windows"]}]}`),
		doc("GO-2", "Go", "m", all+`,"ecosystem_specific":{"imports":[{"path":"m","goos":["windows"]},{"path":"m/x"}]}`),
		doc("ALBA-1", "AlmaLinux:9", "m", all), doc("ALBA-2", "AlmaLinux:9", "m", all, `"related":["CVE-2026-1"]`))
	require.Equal(t, []string{"GO-2"}, matches(db, boltseal.Package{Type: "golang", Name: "m", Version: "v1.0.0"}))
	require.Equal(t, []string{"RUSTSEC-2"}, matches(db, boltseal.Package{Type: "cargo", Name: "m", Version: "1.0.0"}))
	require.Equal(t, []string{"ALBA-2"}, matches(db, boltseal.Package{Type: "rpm", Name: "m", Version: "1-1.el9", Distro: &boltseal.Distro{ID: "almalinux", VersionID: "9.3"}}))
	a, ok := db.Advisory("W-1")
	require.True(t, ok)
	require.Equal(t, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), a.Withdrawn)
	ex := db.Explain(&boltseal.Package{Type: "golang", Name: "m", Version: "v1.0.0"}, "W-1")
	require.Equal(t, "the advisory was withdrawn", ex[0].Reason)
}

func TestAliases(t *testing.T) {
	r := events("SEMVER", "introduced 0, fixed 2.0.0")
	db := build(t,
		doc("GLAD-1", "Go", "m", r, `"aliases":["CVE-1"]`),
		doc("GHSA-1", "Go", "m", r, `"aliases":["CVE-1"]`),
		doc("GO-1", "Go", "m", r, `"aliases":["GHSA-1"]`), // transitively the same
		doc("GO-2", "Go", "m", r, `"aliases":["CVE-2"]`, `"related":["CVE-1"]`))
	var got []vuln.Match
	for m := range db.MatchOne(&boltseal.Package{Type: "golang", Name: "m", Version: "v1.0.0"}) {
		got = append(got, m)
	}
	require.Len(t, got, 2)
	require.Equal(t, []string{"GLAD-1"}, got[0].Also[len(got[0].Also)-1:])
	f := got[0].Finding()
	require.Subset(t, append(f.Aliases, f.Rule), []string{"CVE-1", "GHSA-1", "GLAD-1", "GO-1"})
	require.NotContains(t, f.Aliases, "CVE-2")
	require.Equal(t, "v2.0.0", f.Fixed)
}

func debian(name, source, version, sourceVersion string) boltseal.Package {
	return boltseal.Package{Type: "deb", Name: name, Version: version, PURL: "pkg:deb/debian/" + name,
		Source: boltseal.Source{Name: source, Version: sourceVersion}, Distro: &boltseal.Distro{ID: "debian", VersionID: "12"}}
}

func TestDebian(t *testing.T) {
	db := build(t,
		doc("DSA-1", "Debian:12", "openssl", events("ECOSYSTEM", "introduced 0, fixed 3.0.9-1"), `"upstream":["CVE-1","CVE-2"]`),
		doc("DEBIAN-CVE-1", "Debian:12", "openssl", events("ECOSYSTEM", "introduced 0, fixed 3.0.9-1"), `"upstream":["CVE-1"]`, `"database_specific":{"derived":true}`),
		doc("DEBIAN-CVE-3", "Debian:12", "openssl", events("ECOSYSTEM", "introduced 0, fixed 3.0.8-2"), `"upstream":["CVE-3"]`, `"database_specific":{"derived":true}`),
		doc("DSA-9", "Debian:11", "openssl", events("ECOSYSTEM", "introduced 0")),
		doc("DSA-2", "Debian:12", "linux", events("ECOSYSTEM", "introduced 0, fixed 6.2-1")),
		doc("DEBIAN-CVE-4", "Debian:12", "openssl", events("ECOSYSTEM", "introduced 0")+`,"ecosystem_specific":{"urgency":"unimportant"}`))
	require.Equal(t, []string{"DEBIAN-CVE-4 !", "DSA-1 <3.0.9-1"}, matches(db, debian("libssl3", "openssl", "3.0.8-2", "")))
	require.Equal(t, []string{"DEBIAN-CVE-3 <3.0.8-2", "DEBIAN-CVE-4 !", "DSA-1 <3.0.9-1"}, matches(db, debian("libssl3", "openssl", "3.0.8-1", "")))
	// A binary rebuild (+b1) keeps its source's version, and that one counts.
	require.Equal(t, []string{"DEBIAN-CVE-4 !"}, matches(db, debian("libssl3", "openssl", "1:0", "3.0.9-1")))
	require.Equal(t, []string{"DSA-2 <6.2-1 !"}, matches(db, debian("linux-libc-dev", "linux", "6.1-1", "")))
	p := debian("libssl3", "openssl", "3.0.8-1", "")
	p.Distro = nil
	require.Empty(t, matches(db, p))
	p.Distro = &boltseal.Distro{ID: "kali", VersionID: "2026", IDLike: []string{"debian"}}
	require.Empty(t, matches(db, p), "no verdict by ID_LIKE")
	ex := db.Explain(&p, "CVE-1")
	require.False(t, ex[0].Matches)
	require.Contains(t, ex[0].Reason, "no OSV ecosystem covers kali-2026")
}

func TestUbuntuPro(t *testing.T) {
	db := build(t,
		doc("UBUNTU-CVE-1", "Ubuntu:18.04:LTS", "x", events("ECOSYSTEM", "introduced 0, fixed 1-2")),
		doc("UBUNTU-CVE-2", "Ubuntu:Pro:18.04:LTS", "x", events("ECOSYSTEM", "introduced 0, fixed 1-3+esm1")),
		fmt.Sprintf(`{"id":"UBUNTU-CVE-3","affected":[{"package":{"ecosystem":"Ubuntu:18.04:LTS","name":"x"},%s},{"package":{"ecosystem":"Ubuntu:Pro:18.04:LTS","name":"x"},%s}]}`,
			events("ECOSYSTEM", "introduced 0, fixed 1-2"), events("ECOSYSTEM", "introduced 0, fixed 1-4+esm1")))
	pkg := boltseal.Package{Type: "deb", Name: "x", Version: "1-2", Distro: &boltseal.Distro{ID: "ubuntu", VersionID: "18.04"}}
	require.Equal(t, []string{"UBUNTU-CVE-2 <1-3+esm1"}, matches(db, pkg), "the archive's word comes first without Pro")
	for m := range db.MatchOne(&pkg) {
		require.Contains(t, strings.Join(m.Why().Caveats, " "), "needs Ubuntu Pro")
	}
	pkg.Distro = &boltseal.Distro{ID: "ubuntu", VersionID: "18.04", Repositories: []string{"esm-infra"}}
	require.Equal(t, []string{"UBUNTU-CVE-2 <1-3+esm1", "UBUNTU-CVE-3 <1-4+esm1"}, matches(db, pkg))
}

func TestModules(t *testing.T) {
	multi := func(id, summary, name string, fixed ...string) string {
		var rows []string
		for _, f := range fixed {
			rows = append(rows, fmt.Sprintf(`{"package":{"ecosystem":"AlmaLinux:8","name":%q},%s}`, name, events("ECOSYSTEM", "introduced 0, fixed "+f)))
		}
		return fmt.Sprintf(`{"id":%q,"summary":%q,"related":["CVE-1"],"affected":[%s]}`, id, summary, strings.Join(rows, ","))
	}
	db := build(t,
		multi("ALSA-1", "Important: perl:5.30 security update", "perl", "4:5.30.1-452.module_el8.4.0+2178+e8d31c9f"),
		multi("ALSA-2", "Important: perl security update", "perl", "4:5.26.3-417.el8_3"),
		multi("ALSA-3", "Important: subversion:1.10 security update", "libserf",
			"1.3.9-9.module_el8.3.0+2053+ac338b6d", "1.3.9-9.module_el8.6.0+2912+eb1cdf5a"))
	rpm := func(name, version, label string) boltseal.Package {
		return boltseal.Package{Type: "rpm", Name: name, Version: version, Module: label, Distro: &boltseal.Distro{ID: "almalinux", VersionID: "8.6"}}
	}
	for _, tt := range []struct {
		pkg  boltseal.Package
		want string
	}{
		{rpm("perl", "4:5.26.3-416.el8", ""), "ALSA-2 <4:5.26.3-417.el8_3"},
		{rpm("perl", "4:5.26.3-420.el8", ""), ""}, // not 5.30's business
		{rpm("perl", "4:5.30.1-451.module_el8.4.0+1+aaaaaaaa", "perl:5.30:8040020:abc"), "ALSA-1 <4:5.30.1-452.module_el8.4.0+2178+e8d31c9f"},
		{rpm("perl", "4:5.24.0-1.module_el8.4.0+1+aaaaaaaa", "perl:5.24:8040020:abc"), ""}, // another stream
		{rpm("perl", "4:5.24.0-1.module_el8.4.0+1+aaaaaaaa", ""), ""},                      // unnamed, and another upstream version
		{rpm("perl", "4:5.30.1-1.module_el8.4.0+1+aaaaaaaa", ""), "ALSA-1 <4:5.30.1-452.module_el8.4.0+2178+e8d31c9f"},
		// The fixed build of 8.3 sorts below the one of 8.6, and is fixed.
		{rpm("libserf", "1.3.9-9.module_el8.3.0+2053+ac338b6d", "subversion:1.10:8030020:x"), ""},
		{rpm("libserf", "1.3.9-8.module_el8.3.0+9+ac338b6d", "subversion:1.10:8030020:x"), "ALSA-3 <1.3.9-9.module_el8.3.0+2053+ac338b6d"},
		{rpm("libserf", "1.3.9-9.module_el8.6.0+1+eb1cdf5a", "subversion:1.10:8060020:x"), "ALSA-3 <1.3.9-9.module_el8.6.0+2912+eb1cdf5a"},
	} {
		require.Equal(t, tt.want, strings.Join(matches(db, tt.pkg), " "), "%s %s", tt.pkg.Version, tt.pkg.Module)
	}
}

func TestSourceEpoch(t *testing.T) {
	db := build(t, doc("A-1", "Azure Linux:3", "vim", events("ECOSYSTEM", "introduced 0, fixed 9.1-1")),
		doc("A-2", "Azure Linux:3", "vim", events("ECOSYSTEM", "introduced 0, fixed 2:9.2-1")))
	p := boltseal.Package{Type: "rpm", Name: "vim-minimal", Version: "2:9.0-1", Source: boltseal.Source{Name: "vim", Version: "9.0-1"}, Distro: &boltseal.Distro{ID: "azurelinux", VersionID: "3.0"}}
	require.Equal(t, []string{"A-1 <9.1-1", "A-2 <2:9.2-1"}, matches(db, p), "a feed that leaves epochs out is compared without")
	p.Version, p.Source.Version = "2:9.1-1", "9.1-1"
	require.Equal(t, []string{"A-2 <2:9.2-1"}, matches(db, p))
}

func TestOwnedByTheDistribution(t *testing.T) {
	db := build(t,
		doc("PYSEC-1", "PyPI", "requests", events("ECOSYSTEM", "introduced 0, fixed 2.32"), `"aliases":["CVE-1"]`),
		doc("PYSEC-2", "PyPI", "requests", events("ECOSYSTEM", "introduced 0, fixed 2.33"), `"aliases":["CVE-2"]`),
		doc("PYSEC-3", "PyPI", "requests", events("ECOSYSTEM", "introduced 0, fixed 2.34"), `"aliases":["CVE-3"]`),
		doc("DSA-1", "Debian:12", "requests", events("ECOSYSTEM", "introduced 0, fixed 2.28.1-1"), `"upstream":["CVE-1"]`),
		doc("DSA-2", "Debian:12", "requests", events("ECOSYSTEM", "introduced 0, fixed 2.28.1-9"), `"upstream":["CVE-2"]`))
	owner := debian("python3-requests", "requests", "2.28.1-1", "")
	py := boltseal.Package{Type: "pypi", Name: "requests", Version: "2.28.1", OwnedBy: owner.PURL}
	var got []string
	for m := range db.Match([]boltseal.Package{owner, py}) {
		got = append(got, m.Advisory.ID+": "+m.Suppressed)
		if m.Advisory.ID == "PYSEC-3" {
			require.Contains(t, strings.Join(m.Why().Caveats, " "), "backported")
		}
	}
	require.Equal(t, []string{
		"DSA-2: ",
		"PYSEC-1: fixed by the distribution: DSA-1 does not affect python3-requests 2.28.1-1, which owns these files",
		"PYSEC-2: reported as DSA-2 for python3-requests, which owns these files",
		"PYSEC-3: ",
	}, got)
}
