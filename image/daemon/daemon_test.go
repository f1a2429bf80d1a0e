package daemon_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	digest "github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/image"
	"github.com/boltseal/boltseal/image/daemon"
)

// saved is what docker save writes for an image of one layer.
func saved(w io.Writer) {
	tw := tar.NewWriter(w)
	config := `{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["` + string(digest.FromString("layer")) + `"]}}`
	for _, f := range [][2]string{{"a/layer.tar", "layer"}, {"c.json", config}, {"manifest.json", `[{"Config":"c.json","RepoTags":["team/shop:1.4"],"Layers":["a/layer.tar"]}]`}} {
		_ = tw.WriteHeader(&tar.Header{Name: f[0], Mode: 0o644, Size: int64(len(f[1]))})
		_, _ = io.WriteString(tw, f[1])
	}
	_ = tw.Close()
}

// engine answers as the Docker Engine does, on a unix socket.
func engine(t *testing.T, save func(io.Writer)) (host string) {
	dir, err := os.MkdirTemp("", "sock") // socket paths are short
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /images/{name...}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("name") != "team/shop:1.4/get" {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"message":"No such image: x"}`)
			return
		}
		save(w)
	})
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: mux}}
	s.Start()
	t.Cleanup(s.Close)
	return "unix://" + filepath.Join(dir, "s")
}

func open(t *testing.T, host, ref, dir string) (*image.Image, error) {
	o := &image.OpenOptions{SpoolDir: dir, Transports: []image.Transport{daemon.Transport(&daemon.Options{Host: host})}}
	return image.Open(t.Context(), ref, o)
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	img, err := open(t, engine(t, saved), "docker:team/shop:1.4", dir)
	require.NoError(t, err)
	require.Equal(t, "team/shop:1.4", img.Name)
	rc, err := img.Layers[0].Open(t.Context())
	require.NoError(t, err)
	require.Implements(t, (*image.SizedReaderAt)(nil), rc)
	b, err := io.ReadAll(rc)
	require.NoError(t, err)
	require.Equal(t, "layer", string(b))
	require.NoError(t, img.Close())
	requireEmpty(t, dir)
}

// The images of BOLTSEAL_IMAGES are real files of the form that docker save writes.
func TestOpenRealArchive(t *testing.T) {
	name := filepath.Join(os.Getenv("BOLTSEAL_IMAGES"), "small.docker.tar")
	f, err := os.Open(name)
	if err != nil {
		t.Skip("no small.docker.tar: set BOLTSEAL_IMAGES")
	}
	defer f.Close()
	img, err := open(t, engine(t, func(w io.Writer) { _, _ = io.Copy(w, f) }), "docker-daemon:team/shop:1.4", t.TempDir())
	require.NoError(t, err)
	require.Len(t, img.Layers, 1)
	require.NoError(t, img.Close())
}

func TestOpenFails(t *testing.T) {
	dir := t.TempDir()
	host := engine(t, saved)
	for _, tt := range []struct {
		host, ref, dir string
		want           error
	}{
		{host, "docker:absent", dir, fs.ErrNotExist},
		{host, "docker:../x", dir, boltseal.ErrMalformed},
		{host, "docker:", dir, boltseal.ErrMalformed},
		{host, "docker:team/shop:1.4", "", errors.ErrUnsupported},
		{"unix://" + dir + "/none", "docker:x", dir, fs.ErrNotExist},
		{"ssh://x", "docker:x", dir, errors.ErrUnsupported},
		{engine(t, func(w io.Writer) { _, _ = io.WriteString(w, strings.Repeat("x", 2000)) }), "docker:team/shop:1.4", dir, boltseal.ErrMalformed},
		{engine(t, func(w io.Writer) {
			var b bytes.Buffer
			saved(&b)
			_, _ = w.Write(b.Bytes()[:700])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}), "docker:team/shop:1.4", dir, io.ErrUnexpectedEOF},
	} {
		_, err := open(t, tt.host, tt.ref, tt.dir)
		require.ErrorIs(t, err, tt.want, tt.ref)
	}
	requireEmpty(t, dir)
	o := &image.OpenOptions{SpoolDir: dir, Limits: boltseal.Limits{LayerBytes: 1000}, Transports: []image.Transport{daemon.Transport(&daemon.Options{Host: host})}}
	_, err := image.Open(t.Context(), "docker:team/shop:1.4", o)
	require.ErrorIs(t, err, boltseal.ErrLimit)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = image.Open(ctx, "docker:team/shop:1.4", o)
	require.ErrorIs(t, err, context.Canceled)
	requireEmpty(t, dir)
}

func requireEmpty(t *testing.T, dir string) {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

// What the reference names is asked of the engine that Options.Host names.
func ExampleTransport() {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { saved(w) }))
	defer s.Close()
	img, err := image.Open(context.Background(), "docker:team/shop:1.4", &image.OpenOptions{
		SpoolDir:   os.TempDir(),
		Transports: []image.Transport{daemon.Transport(&daemon.Options{Host: s.URL})},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer img.Close()
	fmt.Println(img.Name, image.FormatPlatform(img.Platform))
	// Output: team/shop:1.4 linux/amd64
}
