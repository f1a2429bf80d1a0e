package vuln

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// A password in the address of an export is in no message.
func TestFetchKeepsSecrets(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	err := Fetch(t.Context(), strings.Replace(s.URL, "://", "://user:hunter2@", 1), t.TempDir(), nil)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hunter2")
}

// A server that stops sending is given up, before its answer and within it; one
// that is slow is not.
func TestFetchStall(t *testing.T) {
	const stall = 500 * time.Millisecond
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hang := func() {
			select {
			case <-r.Context().Done():
			case <-time.After(time.Minute):
			}
		}
		switch r.URL.Path {
		case "/silent/all.zip":
			hang()
		case "/torn/all.zip":
			w.Write([]byte("PK"))
			w.(http.Flusher).Flush()
			hang()
		case "/slow/all.zip":
			for range 20 {
				w.Write([]byte("slow"))
				w.(http.Flusher).Flush()
				time.Sleep(stall / 10)
			}
		}
	}))
	defer s.Close()
	dir := t.TempDir()
	for _, name := range []string{"silent", "torn"} {
		err := Fetch(t.Context(), s.URL, dir, &FetchOptions{Ecosystems: []string{name}, Stall: stall})
		require.ErrorIs(t, err, context.DeadlineExceeded, name)
		require.ErrorContains(t, err, "sent nothing for 500ms", name)
		require.NoFileExists(t, filepath.Join(dir, name, "all.zip"))
	}
	require.NoError(t, Fetch(t.Context(), s.URL, dir, &FetchOptions{Ecosystems: []string{"slow"}, Stall: stall}))
	got, err := os.ReadFile(filepath.Join(dir, "slow", "all.zip"))
	require.NoError(t, err)
	require.Equal(t, strings.Repeat("slow", 20), string(got))
}

// An error leaves what was there, and no file that nobody will use.
func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	require.NoError(t, publish(path, []byte("old")))
	torn := errors.New("torn")
	err := replace(path, func(w io.Writer) error {
		_, err := w.Write([]byte("ne"))
		return errors.Join(err, torn)
	})
	require.ErrorIs(t, err, torn)
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "old", string(got))

	// What cannot be written to the end, or renamed, is an error, not a silent loss.
	require.ErrorIs(t, replace(path, func(w io.Writer) error { return w.(io.Closer).Close() }), os.ErrClosed)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "taken", "x"), 0o700))
	require.Error(t, publish(filepath.Join(dir, "taken"), []byte("new")))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2, "f and taken alone")
}

func TestFetchListLimit(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(strings.Repeat("npm\n", maxListBytes/4) + "Go\n"))
	}))
	defer s.Close()
	require.ErrorIs(t, Fetch(t.Context(), s.URL, t.TempDir(), nil), boltseal.ErrLimit)
}
