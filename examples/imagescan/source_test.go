package main

import (
	"archive/zip"
	"bytes"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/examples/internal/cli"
)

// TestBuildFromURL builds from a server laid out as OSV.dev's bucket.
func TestBuildFromURL(t *testing.T) {
	var export bytes.Buffer
	w := zip.NewWriter(&export)
	f, err := w.Create("TEST-1.json")
	require.NoError(t, err)
	_, err = f.Write([]byte(`{"schema_version": "1.6.0", "id": "TEST-1", "modified": "2026-01-01T00:00:00Z", "affected": [
		{"package": {"ecosystem": "npm", "name": "x"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}]}`))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	list := "npm\nnpm:release\n[EMPTY]\n"
	mux := http.NewServeMux()
	mux.HandleFunc("/osv/ecosystems.txt", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(list)) })
	mux.HandleFunc("/osv/npm/all.zip", func(w http.ResponseWriter, _ *http.Request) { w.Write(export.Bytes()) })
	srv := httptest.NewServer(mux)
	defer srv.Close()

	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := t.TempDir()
	build := func(from string) (int, string) {
		var c recorder
		code := run(t.Context(), []string{"db", "build", "-from", from, "-o", filepath.Join(dir, "a.db")}, c.console())
		return code, c.out.String() + c.err.String()
	}
	code, said := build(srv.URL + "/osv")
	require.Equal(t, cli.ExitOK, code, said)
	require.Contains(t, said, "1 advisories for 1 packages")

	code, said = build(srv.URL + "/elsewhere")
	require.Equal(t, cli.ExitIncomplete, code)
	require.Contains(t, said, "404")

	list = "../../etc\n"
	code, said = build(srv.URL + "/osv")
	require.Equal(t, cli.ExitIncomplete, code)
	require.Contains(t, said, "malformed")
}
