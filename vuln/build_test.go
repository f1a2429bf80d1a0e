package vuln_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/vuln"
)

func zipOf(t testing.TB, files map[string]string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, s := range files {
		w, err := z.Create(name)
		require.NoError(t, err)
		_, err = w.Write([]byte(s))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

func TestFetchAndBuild(t *testing.T) {
	export := map[string][]byte{
		"/Go/all.zip":          zipOf(t, map[string]string{"GO-1.json": doc("GO-1", "Go", "m", events("SEMVER", "introduced 0"))}),
		"/Azure Linux/all.zip": zipOf(t, map[string]string{"AZL-1.json": doc("AZL-1", "Azure Linux:3", "m", events("ECOSYSTEM", "introduced 0"))}),
		"/ecosystems.txt":      []byte("Go\nAzure Linux\nAzure Linux:3\n[EMPTY]\n"),
	}
	sent := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, ok := export[r.URL.Path]
		switch {
		case !ok:
			http.NotFound(w, r)
		case r.Header.Get("If-None-Match") == `"1"`:
			w.WriteHeader(http.StatusNotModified)
		default:
			sent++
			w.Header().Set("ETag", `"1"`)
			w.Write(b)
		}
	}))
	defer srv.Close()
	dir := t.TempDir()
	require.NoError(t, vuln.Fetch(t.Context(), srv.URL, dir, nil))
	require.Equal(t, 3, sent)
	require.NoError(t, vuln.Fetch(t.Context(), srv.URL, dir, nil))
	require.Equal(t, 4, sent, "the zips are current: only the list was sent again")
	require.ErrorIs(t, vuln.Fetch(t.Context(), srv.URL, dir, &vuln.FetchOptions{Ecosystems: []string{"npm"}}), fs.ErrNotExist)
	require.ErrorIs(t, vuln.Fetch(t.Context(), srv.URL, dir, &vuln.FetchOptions{Ecosystems: []string{"../x"}}), boltseal.ErrMalformed)
	require.ErrorIs(t, vuln.Fetch(t.Context(), srv.URL, t.TempDir(), &vuln.FetchOptions{MaxBytes: 10}), boltseal.ErrLimit)

	path := filepath.Join(t.TempDir(), "advisories.db")
	stats, err := vuln.Build(t.Context(), path, []fs.FS{os.DirFS(dir)}, nil)
	require.NoError(t, err)
	require.Equal(t, 2, stats.Advisories)
	db, err := vuln.Open(path)
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, db.Verify())
	require.Equal(t, stats.Generation, db.Info().Generation)
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary file is left")
}

func TestHostileSources(t *testing.T) {
	good := doc("GO-1", "Go", "m", events("SEMVER", "introduced 0"))
	fsys := fstest.MapFS{
		"Go/all.zip":  {Data: zipOf(t, map[string]string{"bomb.json": strings.Repeat(" ", 17<<20), "ok.json": good, "bad.json": "{"})},
		"x/all.zip":   {Data: []byte("PK not a zip")},
		"noid.json":   {Data: []byte(`{}`)},
		"manyev.json": {Data: []byte(`{"id":"Y","affected":[{"versions":[` + strings.Repeat(`"1",`, 100_001) + `"2"]}]}`)},
	}
	_, stats, err := vuln.Encode(t.Context(), []fs.FS{fsys}, nil)
	require.NoError(t, err)
	require.Equal(t, 1, stats.Advisories)
	require.Len(t, stats.Skipped, 5, "every document that was not read is listed")
	_, _, err = vuln.Encode(t.Context(), []fs.FS{fstest.MapFS{}}, nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestHostileFiles(t *testing.T) {
	seed := seedDB(t)
	for name, f := range map[string]func([]byte) []byte{
		"empty":     func([]byte) []byte { return nil },
		"magic":     func(b []byte) []byte { b[0] = 'x'; return b },
		"format":    func(b []byte) []byte { b[7] = 9; return b },
		"truncated": func(b []byte) []byte { return b[:len(b)-1] },
		"longer":    func(b []byte) []byte { return append(b, 0) },
		"table":     func(b []byte) []byte { b[24]++; return b },
		"offset":    func(b []byte) []byte { b[24]++; return reseal(b) },
	} {
		_, err := vuln.Load(f(bytes.Clone(seed)))
		require.ErrorIs(t, err, boltseal.ErrMalformed, name)
	}
	flipped := bytes.Clone(seed)
	flipped[len(flipped)-40] ^= 1
	db, err := vuln.Load(flipped)
	require.NoError(t, err, "contents are not read when a file is opened")
	require.ErrorIs(t, db.Verify(), boltseal.ErrMalformed)
	require.Equal(t, boltseal.VerdictUnknown, db.Coverage(time.Now(), nil, nil)[0].Verdict, "and never end in a pass")
}

func TestDelta(t *testing.T) {
	r := events("SEMVER", "introduced 0, fixed 2.0.0")
	a := build(t, doc("GO-1", "Go", "same", r), doc("GO-2", "Go", "gone", r), doc("GO-3", "Go", "changed", r), doc("GO-4", "Go", "drawn", r))
	b := build(t, doc("GO-1", "Go", "same", r, `"summary":"new words"`), doc("GO-0", "Go", "new", r),
		doc("GO-3", "Go", "changed", events("SEMVER", "introduced 0, fixed 2.0.1")), doc("GO-4", "Go", "drawn", r, `"withdrawn":"2026-01-01T00:00:00Z"`))
	var got []string
	for c := range vuln.Delta(a, b) {
		got = append(got, c.Name)
	}
	require.Equal(t, []string{"changed", "drawn", "gone", "new"}, got)
}

func TestCoverage(t *testing.T) {
	db := build(t, doc("DSA-1", "Debian:12", "x", events("ECOSYSTEM", "introduced 0, fixed 1")), doc("DSA-2", "Debian:10", "x", events("ECOSYSTEM", "introduced 0, fixed 1")))
	verdict := func(at string, d *boltseal.Distro) (boltseal.Verdict, string) {
		when, err := time.Parse(time.DateOnly, at)
		require.NoError(t, err)
		for _, c := range db.Coverage(when, d, nil) {
			if c.Rule == "vuln/os" {
				return c.Verdict, c.Reason
			}
		}
		return boltseal.VerdictFail, "no check"
	}
	for _, tt := range []struct {
		at, id, version string
		want            boltseal.Verdict
		reason          string
	}{
		{"2026-07-01", "debian", "12", boltseal.VerdictPass, ""},
		{"2027-07-01", "debian", "12", boltseal.VerdictUnknown, "newest advisory for Debian:12 is of 2026-06-01"},
		{"2026-07-01", "debian", "10", boltseal.VerdictUnknown, "no security support since 2024-07-01"},
		{"2026-07-01", "debian", "13", boltseal.VerdictUnknown, "holds nothing for debian-13"},
		{"2026-07-01", "fedora", "44", boltseal.VerdictUnknown, "no OSV ecosystem covers fedora-44"},
	} {
		v, why := verdict(tt.at, &boltseal.Distro{ID: tt.id, VersionID: tt.version})
		require.Equal(t, tt.want, v, "%s %s: %s", tt.id, tt.version, why)
		require.Contains(t, why, tt.reason)
	}
}

func TestNewestIsNotOfTheFuture(t *testing.T) {
	r := events("SEMVER", "introduced 0")
	fsys := fstest.MapFS{
		"a.json": {Data: []byte(doc("GO-1", "Go", "m", r, `"published":"2026-03-01T00:00:00Z"`))}, // modified 2026-06-01
		"b.json": {Data: []byte(strings.Replace(doc("GO-2", "Go", "m", r, `"published":"2025-01-01T00:00:00Z"`), "2026-06", "2027-07", 1))},
		"c.json": {Data: []byte(strings.Replace(doc("GO-3", "Go", "m", r, `"published":"2028-01-01T00:00:00Z"`), "2026-06", "2028-07", 1))},
	}
	newest := func(built time.Time) string {
		b, _, err := vuln.Encode(t.Context(), []fs.FS{fsys}, &vuln.BuildOptions{Time: built})
		require.NoError(t, err)
		db, err := vuln.Load(b)
		require.NoError(t, err)
		require.Equal(t, *db.Info().Newest, db.Ecosystems()[0].Newest)
		return db.Info().Newest.Format(time.DateOnly)
	}
	require.Equal(t, "2026-06-01", newest(time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)))
	require.Equal(t, "2027-07-01", newest(time.Date(2027, 8, 1, 0, 0, 0, 0, time.UTC)))
	delete(fsys, "c.json")
	require.Equal(t, "2026-03-01", newest(time.Time{}), "without a time of building the days of publication count")
}

func TestPublisherOfHex(t *testing.T) {
	r := events("SEMVER", "introduced 0")
	db := build(t, doc("GHSA-1", "Hex", "m", r), doc("GHSA-2", "Hex", "m", r, `"database_specific":{"github_reviewed":true}`), doc("GHSA-3", "npm", "m", r))
	got := map[string]string{}
	for _, s := range db.Info().Sources {
		got[s.Name] = fmt.Sprint(s.License, " ", s.Advisories)
	}
	require.Equal(t, map[string]string{"Elixir Security Advisories": "CC0-1.0 1", "GitHub Advisory Database": "CC-BY-4.0 2"}, got)
}
