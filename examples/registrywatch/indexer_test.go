package main

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/internal/registryserver"
	"github.com/boltseal/boltseal/registry"
	"github.com/boltseal/boltseal/registry/registrytest"
)

// TestIndexer reads two images with a layer in common, which is fetched once, and
// refuses what lies elsewhere.
func TestIndexer(t *testing.T) {
	behind, err := url.Parse("http://" + registryserver.Start(t, registryserver.Olareg, registryserver.Options{}).Host)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(behind)
	var mu sync.Mutex
	fetched := map[string]int{}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, blob, ok := strings.Cut(r.URL.Path, "/blobs/"); ok && r.Method == http.MethodGet {
			mu.Lock()
			fetched[blob]++
			mu.Unlock()
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	host := strings.TrimPrefix(front.URL, "http://")
	to, err := registry.Open(host, nil)
	require.NoError(t, err)
	defer to.Close()
	var digests []digest.Digest
	var packages int
	for img := range registrytest.Images(1, 1) {
		packages = len(img.Packages)
		img.Team = "shop"
		for _, text := range []string{"a", "b"} {
			img.Text = text
			d, err := img.Push(t.Context(), to)
			require.NoError(t, err)
			digests = append(digests, d)
		}
	}
	ix, err := newIndexer("", teamLabel, nil, []string{host})
	require.NoError(t, err)
	for _, d := range digests {
		inv, err := ix.Index(t.Context(), host+"/team-0/app-0@"+d.String())
		require.NoError(t, err)
		require.Len(t, inv.Packages, packages)
		require.Equal(t, "shop", inv.Team)
		require.Equal(t, "linux/amd64", inv.Platform)
		require.Empty(t, inv.Incomplete)
	}
	mu.Lock()
	require.Len(t, fetched, 2+2+1, "configurations, upper layers, and the layer below both")
	for blob, n := range fetched {
		require.Equal(t, 1, n, blob)
	}
	mu.Unlock()
	for _, ref := range []string{"elsewhere.example.com/x@" + digests[0].String(), "oci:/etc@" + digests[0].String(), host + "@" + digests[0].String(), ""} {
		_, err := ix.Index(t.Context(), ref)
		require.ErrorContains(t, err, "-registry", ref)
	}
}
