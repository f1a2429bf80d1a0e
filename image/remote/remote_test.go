package remote_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	ggcr "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	pusher "github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/image"
	"github.com/boltseal/boltseal/image/remote"
	"github.com/boltseal/boltseal/internal/registryserver"
)

// inProcess starts go-containerregistry's registry behind a handler.
func inProcess(t *testing.T, wrap func(http.Handler) http.Handler) string {
	h := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	if wrap != nil {
		h = wrap(h)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// push writes an index of two platforms and returns the images.
func push(t *testing.T, ref string, o ...pusher.Option) map[string]ggcr.Image {
	n, err := name.ParseReference(ref)
	require.NoError(t, err)
	images := map[string]ggcr.Image{}
	var index ggcr.ImageIndex = empty.Index
	for _, arch := range []string{"amd64", "arm64"} {
		img, err := random.Image(3000, 3)
		require.NoError(t, err)
		c, err := img.ConfigFile()
		require.NoError(t, err)
		c = c.DeepCopy()
		c.OS, c.Architecture = "linux", arch
		img, err = mutate.ConfigFile(img, c)
		require.NoError(t, err)
		images[arch] = img
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: ggcr.Descriptor{Platform: &ggcr.Platform{OS: "linux", Architecture: arch}}})
	}
	require.NoError(t, pusher.WriteIndex(n, index, o...))
	return images
}

func pull(t *testing.T, ref, platform string, o *remote.Options) (*image.Image, error) {
	opts := &image.OpenOptions{Transports: []image.Transport{remote.Transport(o)}}
	if platform != "" {
		p, err := image.ParsePlatform(platform)
		require.NoError(t, err)
		opts.Platform = &p
	}
	return image.Open(t.Context(), ref, opts)
}

// requireSame compares what we read with what was pushed.
func requireSame(t *testing.T, want ggcr.Image, got *image.Image) {
	d, err := want.Digest()
	require.NoError(t, err)
	require.Equal(t, d.String(), string(got.Digest))
	layers, err := want.Layers()
	require.NoError(t, err)
	require.Len(t, got.Layers, len(layers))
	for i, l := range layers {
		rc, err := l.Compressed()
		require.NoError(t, err)
		wantBytes, err := io.ReadAll(rc)
		require.NoError(t, err)
		rc, err = got.Layers[i].Open(t.Context())
		require.NoError(t, err)
		gotBytes, err := io.ReadAll(rc)
		require.NoError(t, err)
		require.NoError(t, rc.Close())
		require.True(t, bytes.Equal(wantBytes, gotBytes), "layer %d", i)
	}
	require.NoError(t, got.Close())
}

func TestPull(t *testing.T) {
	host := inProcess(t, nil)
	images := push(t, host+"/team/shop:1.4")
	for _, prefix := range []string{"", "docker://", "registry:"} {
		img, err := pull(t, prefix+host+"/team/shop:1.4", "linux/arm64", nil)
		require.NoError(t, err)
		require.Equal(t, host+"/team/shop:1.4", img.Name)
		requireSame(t, images["arm64"], img)
	}
	d, err := images["amd64"].Digest()
	require.NoError(t, err)
	img, err := pull(t, host+"/team/shop@"+d.String(), "", nil)
	require.NoError(t, err)
	requireSame(t, images["amd64"], img)

	_, err = pull(t, host+"/team/shop:1.4", "linux/s390x", nil)
	require.ErrorContains(t, err, "linux/amd64, linux/arm64")
	_, err = pull(t, host+"/team/shop:absent", "", nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = pull(t, host+"/UPPER", "", nil)
	require.ErrorIs(t, err, boltseal.ErrMalformed)
}

func TestMirrors(t *testing.T) {
	origin, full, vacant := inProcess(t, nil), inProcess(t, nil), inProcess(t, nil)
	images := push(t, full+"/proxy/library/shop:1")
	o := &remote.Options{Mirrors: map[string][]string{"docker.io": {"127.0.0.1:1", vacant, full + "/proxy"}, origin: {vacant}}}
	img, err := pull(t, "shop:1", "linux/amd64", o)
	require.NoError(t, err)
	require.Equal(t, "index.docker.io/library/shop:1", img.Name)
	requireSame(t, images["amd64"], img)

	images = push(t, origin+"/shop:1")
	img, err = pull(t, origin+"/shop:1", "linux/amd64", o)
	require.NoError(t, err, "the mirror has nothing, the registry is asked")
	requireSame(t, images["amd64"], img)
}

// A connection that breaks within a layer, and answers that say "later".
func TestBrokenConnections(t *testing.T) {
	var blobs, unavailable atomic.Int32
	host := inProcess(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet {
				h.ServeHTTP(w, r)
				return
			}
			if strings.Contains(r.URL.Path, "/manifests/") && unavailable.Add(1) == 1 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			if strings.Contains(r.URL.Path, "/blobs/") && blobs.Add(1)%2 == 0 {
				w = &breaking{ResponseWriter: w, left: 1000}
			}
			h.ServeHTTP(w, r)
		})
	})
	images := push(t, host+"/shop:1")
	img, err := pull(t, host+"/shop:1", "linux/amd64", nil)
	require.NoError(t, err)
	requireSame(t, images["amd64"], img)
	require.Greater(t, blobs.Load(), int32(5), "4 blobs, some in two parts")
}

// breaking lets some bytes through and then drops the connection.
type breaking struct {
	http.ResponseWriter
	left int
}

func (b *breaking) Write(p []byte) (int, error) {
	if len(p) > b.left {
		_, _ = b.ResponseWriter.Write(p[:b.left])
		b.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	b.left -= len(p)
	return b.ResponseWriter.Write(p)
}

func TestLyingRegistry(t *testing.T) {
	for name, tt := range map[string]struct {
		status      int
		body        string
		contentType string
		want        error
	}{
		"huge manifest":          {200, strings.Repeat(" ", 4<<20+1), "application/json", boltseal.ErrLimit},
		"empty":                  {200, "", "application/json", boltseal.ErrMalformed},
		"no JSON":                {200, "<html>", "text/html", boltseal.ErrMalformed},
		"schema 1":               {200, `{"schemaVersion":1}`, "application/vnd.docker.distribution.manifest.v1+prettyjws", errors.ErrUnsupported},
		"index under both types": {200, `{"schemaVersion":2,"manifests":[]}`, "application/vnd.oci.image.manifest.v1+json", boltseal.ErrMalformed},
		"forbidden":              {403, "", "", fs.ErrPermission},
		"absent":                 {404, "", "", fs.ErrNotExist},
		"redirect to plain HTTP": {302, "", "", fs.ErrPermission},
	} {
		t.Run(name, func(t *testing.T) {
			host := inProcess(t, func(http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/v2/" {
						return
					}
					w.Header().Set("Content-Type", tt.contentType)
					w.Header().Set("Location", "http://registry.example.com/x")
					w.WriteHeader(tt.status)
					_, _ = io.WriteString(w, tt.body)
				})
			})
			_, err := pull(t, host+"/shop:1", "", nil)
			require.ErrorIs(t, err, tt.want)
		})
	}
	host := inProcess(t, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"schemaVersion":2,"manifests":[]}`)
		})
	})
	_, err := pull(t, host+"/shop@sha256:"+strings.Repeat("0", 64), "", nil)
	require.ErrorIs(t, err, boltseal.ErrMalformed)
	require.ErrorContains(t, err, "digest")
}

func TestPullCancelled(t *testing.T) {
	stop := make(chan struct{})
	host := inProcess(t, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop })
	})
	defer close(stop)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := image.Open(ctx, host+"/shop:1", &image.OpenOptions{Transports: []image.Transport{remote.Transport(nil)}})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// login is a keychain for one host.
type login struct{ host, user, password string }

func (l login) Resolve(r authn.Resource) (authn.Authenticator, error) {
	if r.RegistryStr() != l.host {
		return authn.Anonymous, nil
	}
	return authn.FromConfig(authn.AuthConfig{Username: l.user, Password: l.password}), nil
}

// TestDistribution pulls from the registry of the CNCF Distribution project, as
// Debian packages it.
func TestDistribution(t *testing.T) {
	for _, tt := range []struct{ tls, auth bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
		t.Run(map[bool]string{true: "TLS", false: "plain"}[tt.tls]+map[bool]string{true: "+login"}[tt.auth], func(t *testing.T) {
			t.Parallel()
			server := registryserver.Start(t, registryserver.Distribution2, registryserver.Options{TLS: tt.tls, Login: tt.auth})
			host, conf := server.Host, server.TLS
			keys := login{host, registryserver.User, registryserver.Password}
			o := []pusher.Option{pusher.WithAuthFromKeychain(keys), pusher.WithTransport(&http.Transport{TLSClientConfig: conf})}
			images := push(t, host+"/team/shop:1.4", o...)

			img, err := pull(t, host+"/team/shop:1.4", "linux/arm64", &remote.Options{Keychain: keys, TLS: conf})
			require.NoError(t, err)
			requireSame(t, images["arm64"], img)

			_, err = pull(t, host+"/team/shop:absent", "", &remote.Options{Keychain: keys, TLS: conf})
			require.ErrorIs(t, err, fs.ErrNotExist)
			if tt.tls {
				_, err = pull(t, host+"/team/shop:1.4", "", &remote.Options{Keychain: keys})
				require.ErrorContains(t, err, "certificate", "nobody vouches for it")
				img, err = pull(t, host+"/team/shop:1.4", "linux/amd64", &remote.Options{Keychain: keys, TLS: &tls.Config{InsecureSkipVerify: true}})
				require.NoError(t, err)
				requireSame(t, images["amd64"], img)
			}
			if tt.auth {
				for _, keys := range []login{{host, "scanner", "wrong"}, {}} {
					_, err = pull(t, host+"/team/shop:1.4", "", &remote.Options{Keychain: keys, TLS: conf})
					require.ErrorIs(t, err, fs.ErrPermission)
				}
			}
		})
	}
}
