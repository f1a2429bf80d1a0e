package vuln_test

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/vuln"
)

func TestKeys(t *testing.T) {
	db := build(t, doc("GO-1", "Go", "x", events("SEMVER", "introduced 0")))
	alpine := &boltseal.Distro{ID: "alpine", VersionID: "3.20.2"}
	for _, tt := range []struct {
		pkg  boltseal.Package
		want []string
	}{
		{debian("libssl3", "openssl", "3.0.8-1", ""), []string{"Debian:12\topenssl"}},
		{debian("adduser", "", "3", ""), []string{"Debian:12\tadduser"}},
		{boltseal.Package{Type: "apk", Name: "libcrypto3", Version: "3", Source: boltseal.Source{Name: "openssl"}, Distro: alpine}, []string{"Alpine:v3.20\topenssl"}},
		{boltseal.Package{Type: "pypi", Name: "Ruamel.Yaml", Version: "1"}, []string{"PyPI\truamel-yaml"}},
		{boltseal.Package{Type: "npm", Namespace: "@babel", Name: "core", Version: "1"}, []string{"npm\t@babel/core"}},
		{boltseal.Package{Type: "maven", Namespace: "org.x", Name: "y", Version: "1"}, []string{"Maven\torg.x:y"}},
		{boltseal.Package{Type: "golang", Name: "example.com/A", Version: "v1"}, []string{"Go\texample.com/A"}},
		{boltseal.Package{Type: "composer", Namespace: "drupal", Name: "Core", Version: "1"}, []string{"Packagist\tdrupal/core", "Packagist:https://packages.drupal.org/8\tdrupal/core"}},
		{boltseal.Package{Type: "pypi", Name: "x", Version: "1", OwnedBy: "pkg:deb/debian/python3-x@1-2?distro=debian-12&upstream=x-src"}, []string{"PyPI\tx", "Debian:12\tx-src"}},
		{boltseal.Package{Type: "pypi", Name: "x\x00y", Version: "1"}, []string{"PyPI\txy"}},
		{boltseal.Package{Type: "pypi", Name: "x"}, nil},
		{boltseal.Package{Type: "pypi", Name: "x", Version: "1", State: boltseal.StateDeclared}, nil},
		{boltseal.Package{Type: "deb", Name: "x", Version: "1"}, nil},
		{boltseal.Package{Type: "unheard-of", Name: "x", Version: "1"}, nil},
	} {
		require.Equal(t, tt.want, db.Keys(&tt.pkg), tt.pkg.Name)
	}
}

// TestFindingsOfOnePackage expects what TestOwnedByTheDistribution does, from
// the owner's package URL alone.
func TestFindingsOfOnePackage(t *testing.T) {
	db := build(t,
		doc("PYSEC-1", "PyPI", "requests", events("ECOSYSTEM", "introduced 0, fixed 2.32"), `"aliases":["CVE-1"]`),
		doc("PYSEC-2", "PyPI", "requests", events("ECOSYSTEM", "introduced 0, fixed 2.33"), `"aliases":["CVE-2"]`),
		doc("PYSEC-3", "PyPI", "requests", events("ECOSYSTEM", "introduced 0, fixed 2.34"), `"aliases":["CVE-3"]`),
		doc("DSA-1", "Debian:12", "requests", events("ECOSYSTEM", "introduced 0, fixed 2.28.1-1"), `"upstream":["CVE-1"]`),
		doc("DSA-2", "Debian:12", "requests", events("ECOSYSTEM", "introduced 0, fixed 2.28.1-9"), `"upstream":["CVE-2"]`))
	py := boltseal.Package{Type: "pypi", Name: "requests", Version: "2.28.1", OwnedBy: "pkg:deb/debian/python3-requests@2.28.1-1?arch=all&distro=debian-12&upstream=requests"}
	var got []string
	for _, f := range db.Findings(&py) {
		got = append(got, f.Rule+" "+f.Suppressed)
	}
	require.Len(t, got, 3)
	require.True(t, strings.HasPrefix(got[0], "PYSEC-1 fixed by the distribution: DSA-1"), got[0])
	require.True(t, strings.HasPrefix(got[1], "PYSEC-2 reported as DSA-2"), got[1])
	require.Equal(t, "PYSEC-3 ", got[2])
	py.OwnedBy = "nonsense"
	require.Len(t, db.Findings(&py), 3)
}

func encode(t testing.TB, kev string, docs []string) *vuln.DB {
	t.Helper()
	fsys := fstest.MapFS{}
	for i, d := range docs {
		fsys[fmt.Sprintf("%03d.json", i)] = &fstest.MapFile{Data: []byte(d)}
	}
	b, stats, err := vuln.Encode(t.Context(), []fs.FS{fsys}, &vuln.BuildOptions{KEV: strings.NewReader(kev)})
	require.NoError(t, err)
	require.Empty(t, stats.Skipped)
	db, err := vuln.Load(b)
	require.NoError(t, err)
	return db
}

func TestChanged(t *testing.T) {
	r := events("SEMVER", "introduced 0, fixed 2.0.0")
	const kev = `{"title":"x","dateReleased":"2026-08-07T00:00:00Z","vulnerabilities":[%s]}`
	cve := `{"cveID":"CVE-2026-5","vulnerabilityName":"x","dateAdded":"2026-08-01","dueDate":"2026-08-21"}`
	same := doc("GO-1", "Go", "same", r)
	exploited := doc("GO-5", "Go", "exploited", r, `"aliases":["CVE-2026-5"]`)
	a := encode(t, fmt.Sprintf(kev, ""), []string{same, exploited, doc("GO-2", "Go", "titled", r), doc("GO-3", "Go", "rated", r), doc("GO-4", "Go", "gone", r)})
	b := encode(t, fmt.Sprintf(kev, cve), []string{same, exploited, doc("GO-2", "Go", "titled", r, `"summary":"words"`),
		doc("GO-3", "Go", "rated", r, `"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]`), doc("GO-6", "Go", "new", r)})
	require.Equal(t, []string{"Go\texploited", "Go\tgone", "Go\tnew", "Go\trated", "Go\ttitled"}, slices.Collect(b.Changed(a)))
	require.Empty(t, slices.Collect(b.Changed(b)))
}

// TestChangedTellsAll compares random databases: a package that has other
// findings has a key that changed.
func TestChangedTellsAll(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	pick := func(s ...string) string { return s[rng.IntN(len(s))] }
	random := func() string {
		n := rng.IntN(12)
		if rng.IntN(3) == 0 {
			return doc(fmt.Sprint("DSA-", n), "Debian:12", pick("a", "b"), events("ECOSYSTEM", pick("introduced 0, fixed 2-1", "introduced 0, fixed 1-1", "introduced 0")),
				fmt.Sprintf(`"upstream":["CVE-2026-%d"]`, rng.IntN(4)))
		}
		return doc(fmt.Sprint("PYSEC-", n), "PyPI", pick("a", "b"), events("ECOSYSTEM", pick("introduced 0, fixed 2", "introduced 1, fixed 3", "introduced 0")),
			fmt.Sprintf(`"aliases":["CVE-2026-%d"]`, rng.IntN(4)), `"summary":"`+pick("x", "y")+`"`, pick(`"schema_version":"1.6.0"`, `"withdrawn":"2026-01-01T00:00:00Z"`),
			`"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:`+pick("H", "N")+`/A:H"}]`)
	}
	var pkgs []boltseal.Package
	for _, name := range []string{"a", "b"} {
		d := debian("lib"+name, name, "1-1", "")
		pkgs = append(pkgs, d, boltseal.Package{Type: "pypi", Name: name, Version: "1"},
			boltseal.Package{Type: "pypi", Name: name, Version: "2", OwnedBy: "pkg:deb/debian/lib" + name + "@1-1?distro=debian-12&upstream=" + name})
	}
	said := func(db *vuln.DB, p *boltseal.Package) (out []string) {
		for _, f := range db.Findings(p) {
			out = append(out, fmt.Sprint(f.Rule, f.Title, f.Severity, f.Score, f.Fixed, f.Exploited, f.Suppressed, f.Aliases))
		}
		return out
	}
	different := 0
	docs := []string{random(), random(), random()}
	kev := `{"title":"x","dateReleased":"2026-08-07T00:00:00Z","vulnerabilities":[]}`
	last := encode(t, kev, docs)
	for range 400 {
		switch rng.IntN(4) {
		case 0:
			docs = append(docs, random())
		case 1:
			if len(docs) > 1 {
				i := rng.IntN(len(docs))
				docs = slices.Delete(slices.Clone(docs), i, i+1)
			}
		case 2:
			docs = slices.Clone(docs)
			docs[rng.IntN(len(docs))] = random()
		default:
			kev = fmt.Sprintf(`{"title":"x","dateReleased":"2026-08-07T00:00:00Z","vulnerabilities":[{"cveID":"CVE-2026-%d","vulnerabilityName":"x","dateAdded":"2026-08-0%d","dueDate":"2026-08-21"}]}`, rng.IntN(4), 1+rng.IntN(9))
		}
		next := encode(t, kev, docs)
		changed := slices.Collect(next.Changed(last))
		for i := range pkgs {
			x, y := said(last, &pkgs[i]), said(next, &pkgs[i])
			if !slices.Equal(x, y) {
				different++
				require.True(t, slices.ContainsFunc(next.Keys(&pkgs[i]), func(k string) bool { return slices.Contains(changed, k) }), "%v\n%v\n%v", changed, x, y)
			}
		}
		last = next
	}
	require.Greater(t, different, 100)
}

// undigested takes the last section from a database: the form of older versions.
func undigested(file []byte) []byte {
	const header, entry = 16, 24
	n := binary.LittleEndian.Uint32(file[8:]) - 1
	table := header + entry*int(n)
	last := binary.LittleEndian.Uint64(file[table+8:])
	out := append(slices.Clone(file[:table]), file[table+entry:last]...)
	binary.LittleEndian.PutUint32(out[8:], n)
	for i := range int(n) {
		e := out[header+entry*i+8:]
		binary.LittleEndian.PutUint64(e, binary.LittleEndian.Uint64(e)-entry)
	}
	binary.LittleEndian.PutUint32(out[12:], crc32.Checksum(out[header:table], crc32.MakeTable(crc32.Castagnoli)))
	return out
}

// TestChangedOld compares with a database that has no digests.
func TestChangedOld(t *testing.T) {
	r := events("SEMVER", "introduced 0, fixed 2.0.0")
	files := make([][]byte, 2)
	for i, docs := range [][]string{{doc("GO-1", "Go", "same", r), doc("GO-2", "Go", "gone", r)}, {doc("GO-1", "Go", "same", r), doc("A-1", "npm", "same", r)}} {
		fsys := fstest.MapFS{}
		for j, d := range docs {
			fsys[fmt.Sprint(j, ".json")] = &fstest.MapFile{Data: []byte(d)}
		}
		var err error
		files[i], _, err = vuln.Encode(t.Context(), []fs.FS{fsys}, nil)
		require.NoError(t, err)
	}
	load := func(b []byte) *vuln.DB {
		db, err := vuln.Load(b)
		require.NoError(t, err)
		require.NoError(t, db.Verify())
		return db
	}
	for _, pair := range [][2]*vuln.DB{{load(files[0]), load(files[1])}, {load(undigested(files[0])), load(files[1])}, {load(undigested(files[0])), load(undigested(files[1]))}} {
		require.Equal(t, []string{"Go\tgone", "npm\tsame"}, slices.Collect(pair[1].Changed(pair[0])))
		require.Empty(t, slices.Collect(pair[0].Changed(load(files[0]))))
	}

	// Digests that are not those of the content are found.
	bad := slices.Clone(files[0])
	bad[len(bad)-1]++
	section := 16 + 24*int(binary.LittleEndian.Uint32(bad[8:])-1)
	at := binary.LittleEndian.Uint64(bad[section+8:])
	binary.LittleEndian.PutUint32(bad[section+4:], crc32.Checksum(bad[at:], crc32.MakeTable(crc32.Castagnoli)))
	binary.LittleEndian.PutUint32(bad[12:], crc32.Checksum(bad[16:section+24], crc32.MakeTable(crc32.Castagnoli)))
	db, err := vuln.Load(bad)
	require.NoError(t, err)
	require.ErrorContains(t, db.Verify(), "digests of packages")
}

// BenchmarkChanged compares two databases of all shared advisories, one of which
// lacks a thousand of them.
func BenchmarkChanged(b *testing.B) {
	dir := osvDir(b)
	var dbs []*vuln.DB
	for _, skip := range []int{0, 1000} {
		raw, _, err := vuln.Encode(b.Context(), []fs.FS{os.DirFS(dir)}, &vuln.BuildOptions{Only: func(id, _ string, _ bool) bool {
			return skip == 0 || crc32.ChecksumIEEE([]byte(id))%100_000 >= uint32(skip)
		}})
		require.NoError(b, err)
		db, err := vuln.Load(raw)
		require.NoError(b, err)
		dbs = append(dbs, db)
	}
	changed := 0
	for b.Loop() {
		changed = 0
		for range dbs[1].Changed(dbs[0]) {
			changed++
		}
	}
	require.NotZero(b, changed)
	b.ReportMetric(float64(changed), "packages")
}
