package registry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/registryserver"
	"github.com/boltseal/boltseal/registry"
)

// between puts something in front of a real registry that may answer in its place.
func between(t *testing.T, s *registryserver.Server, answer func(w http.ResponseWriter, r *http.Request) (done bool)) *registryserver.Server {
	t.Helper()
	proxy := forward(s.Host)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/" || !answer(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(front.Close)
	return &registryserver.Server{Host: strings.TrimPrefix(front.URL, "http://")}
}

func forward(host string) http.Handler {
	return httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: host})
}

func small(t *testing.T) (*registryserver.Server, *registry.Manifest) {
	s := registryserver.Start(t, registryserver.Olareg, registryserver.Options{})
	return s, pushImage(t, open(t, s, registry.Options{}), "shop", "1", "x")
}

func TestTriesAgain(t *testing.T) {
	s, m := small(t)
	for _, status := range []int{408, 429, 500, 502, 503, 504} {
		var left atomic.Int32
		left.Store(2)
		front := between(t, s, func(w http.ResponseWriter, r *http.Request) bool {
			if left.Add(-1) < 0 {
				return false
			}
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(status)
			return true
		})
		d, err := open(t, front, registry.Options{}).Resolve(t.Context(), "shop", "1")
		require.NoError(t, err, "%d", status)
		require.Equal(t, m.Digest, d.Digest)
	}
	for _, status := range []int{400, 401, 403, 404, 405} {
		var asked atomic.Int32
		front := between(t, s, func(w http.ResponseWriter, r *http.Request) bool {
			asked.Add(1)
			w.WriteHeader(status)
			return true
		})
		_, err := open(t, front, registry.Options{}).Resolve(t.Context(), "shop", "1")
		require.Error(t, err)
		require.EqualValues(t, 1, asked.Load(), "%d is final", status)
	}
}

func TestThrottled(t *testing.T) {
	s, _ := small(t)
	var asked atomic.Int32
	front := between(t, s, func(w http.ResponseWriter, r *http.Request) bool {
		asked.Add(1)
		w.Header().Set("Retry-After", "3600")
		w.Header().Set("RateLimit-Limit", "100;w=21600")
		w.Header().Set("RateLimit-Remaining", "0;w=21600")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	})
	r := open(t, front, registry.Options{MaxWait: time.Second})
	_, err := r.Resolve(t.Context(), "shop", "1")
	var throttle *registry.ThrottleError
	require.ErrorAs(t, err, &throttle)
	require.Equal(t, time.Hour, throttle.After)
	require.EqualValues(t, 1, asked.Load(), "an hour is not waited for")
	_, err = r.Resolve(t.Context(), "shop", "1")
	require.ErrorAs(t, err, &throttle)
	require.EqualValues(t, 1, asked.Load(), "nor is the registry asked before")
	q := r.Quota()
	require.Equal(t, registry.Quota{Known: true, Limit: 100, Remaining: 0, Window: 6 * time.Hour, Seen: q.Seen}, q)
}

func TestPostIsNotRepeated(t *testing.T) {
	s, _ := small(t)
	var posts atomic.Int32
	front := between(t, s, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost {
			return false
		}
		posts.Add(1)
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	err := open(t, front, registry.Options{}).PushBlob(t.Context(), "shop", describe("", "new"), func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("new")), nil })
	require.ErrorContains(t, err, "502")
	require.EqualValues(t, 1, posts.Load())
}

func TestWrongContent(t *testing.T) {
	s, m := small(t)
	other := pushImage(t, open(t, s, registry.Options{}), "shop", "2", "y")
	cases := []struct {
		name   string
		answer func(w http.ResponseWriter, r *http.Request) bool
		want   error
	}{
		{"another manifest", func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Type", other.MediaType)
			_, _ = w.Write(other.Raw)
			return true
		}, boltseal.ErrMalformed},
		{"another digest in the header", func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Type", m.MediaType)
			w.Header().Set("Docker-Content-Digest", other.Digest.String())
			_, _ = w.Write(m.Raw)
			return true
		}, nil}, // by digest, the content counts
		{"half of it", func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Length", fmt.Sprint(m.Size))
			_, _ = w.Write(m.Raw[:m.Size/2])
			return true
		}, io.ErrUnexpectedEOF},
		{"too much", func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Type", m.MediaType)
			for range 6 {
				_, _ = w.Write(make([]byte, 1<<20))
			}
			return true
		}, boltseal.ErrLimit},
		{"a page for people", func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html>sign in</html>")
			return true
		}, boltseal.ErrMalformed},
		{"schema 1", func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Type", "application/vnd.docker.distribution.manifest.v1+prettyjws")
			_, _ = io.WriteString(w, `{"schemaVersion":1,"fsLayers":[]}`)
			return true
		}, errors.ErrUnsupported},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			front := between(t, s, c.answer)
			got, err := open(t, front, registry.Options{Tries: 1}).Manifest(t.Context(), "shop", m.Digest.String())
			if c.want == nil {
				require.NoError(t, err)
				require.Equal(t, m.Raw, got.Raw)
				return
			}
			require.ErrorIs(t, err, c.want)
			require.Nil(t, got)
		})
	}
	t.Run("a tag whose header lies", func(t *testing.T) {
		front := between(t, s, func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Type", m.MediaType)
			w.Header().Set("Docker-Content-Digest", other.Digest.String())
			_, _ = w.Write(m.Raw)
			return true
		})
		_, err := open(t, front, registry.Options{}).Manifest(t.Context(), "shop", "1")
		require.ErrorIs(t, err, boltseal.ErrMalformed)
	})
	t.Run("no digest in the header", func(t *testing.T) {
		front := between(t, s, func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Type", m.MediaType)
			if r.Method == http.MethodGet {
				_, _ = w.Write(m.Raw)
			}
			return true
		})
		d, err := open(t, front, registry.Options{}).Resolve(t.Context(), "shop", "1")
		require.NoError(t, err)
		require.Equal(t, m.Digest, d.Digest, "read and hashed")
	})
}

func TestWrongBlob(t *testing.T) {
	s, m := small(t)
	layer := m.Layers[0]
	for name, content := range map[string]string{"other": "LAYER X", "short": "lay", "long": "layer x and more"} {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprint(name, chunked), func(t *testing.T) {
				front := between(t, s, func(w http.ResponseWriter, r *http.Request) bool {
					if !strings.Contains(r.URL.Path, "/blobs/") {
						return false
					}
					if chunked {
						w.(http.Flusher).Flush()
					}
					_, _ = io.WriteString(w, content)
					return true
				})
				b, err := open(t, front, registry.Options{}).Blob(t.Context(), "shop", layer)
				if err == nil {
					_, err = io.Copy(io.Discard, b)
					require.NoError(t, b.Close())
				}
				require.Error(t, err)
				require.True(t, errors.Is(err, boltseal.ErrMalformed) || errors.Is(err, io.ErrUnexpectedEOF), "%v", err)
			})
		}
	}
}

func TestListsThatNeverEnd(t *testing.T) {
	s, _ := small(t)
	circle := between(t, s, func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Link", `</v2/shop/tags/list?last=b>; rel="next"`)
		_, _ = io.WriteString(w, `{"tags":["a","b"]}`)
		return true
	})
	var tags []string
	var last error
	for tag, err := range open(t, circle, registry.Options{}).Tags(t.Context(), "shop") {
		if err != nil {
			last = err
			continue
		}
		tags = append(tags, tag)
	}
	require.ErrorIs(t, last, boltseal.ErrMalformed)
	require.ErrorContains(t, last, "circle")
	require.Equal(t, []string{"a", "b"}, tags, "what came before is kept, each once")
	for name, page := range map[string]string{"no JSON": "<html>", "bad names": `{"tags":["ok","a b","","../x"]}`} {
		front := between(t, s, func(w http.ResponseWriter, r *http.Request) bool {
			_, _ = io.WriteString(w, page)
			return true
		})
		failed, good := 0, 0
		for _, err := range open(t, front, registry.Options{}).Tags(t.Context(), "shop") {
			if err == nil {
				good++
				continue
			}
			require.ErrorIs(t, err, boltseal.ErrMalformed, name)
			failed++
		}
		require.Equal(t, map[string][2]int{"no JSON": {1, 0}, "bad names": {3, 1}}[name], [2]int{failed, good}, name)
	}
}

func TestCredentialsStay(t *testing.T) {
	s := registryserver.Start(t, registryserver.Distribution2, registryserver.Options{Login: true})
	keys := login{s.Host, registryserver.User, registryserver.Password}
	m := pushImage(t, open(t, s, registry.Options{Keychain: keys}), "shop", "1", "x")
	var leaked atomic.Bool
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "" {
			leaked.Store(true)
		}
		if r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/blob") {
			_, _ = io.WriteString(w, "layer x")
			return
		}
		_, _ = io.WriteString(w, `{"tags":["stolen"]}`)
	}))
	t.Cleanup(thief.Close)
	front := between(t, s, func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case strings.Contains(r.URL.Path, "/blobs/"):
			http.Redirect(w, r, thief.URL+"/blob", http.StatusTemporaryRedirect)
		case strings.HasSuffix(r.URL.Path, "/tags/list"):
			w.Header().Set("Link", "<"+thief.URL+"/v2/shop/tags/list>; rel=next")
			_, _ = io.WriteString(w, `{"tags":["mine"]}`)
		default:
			return false
		}
		return true
	})
	r := open(t, front, registry.Options{Keychain: login{front.Host, registryserver.User, registryserver.Password}})
	b, err := r.Blob(t.Context(), "shop", m.Layers[0])
	require.NoError(t, err, "content may lie elsewhere: it is verified")
	_, err = io.Copy(io.Discard, b)
	require.NoError(t, err)
	require.NoError(t, b.Close())

	var last error
	for tag, err := range r.Tags(t.Context(), "shop") {
		require.NotEqual(t, "stolen", tag)
		last = err
	}
	require.ErrorIs(t, last, fs.ErrPermission, "a list goes on at the registry or not at all")
	require.False(t, leaked.Load())
}

func TestRedirectsThatNobodyMeant(t *testing.T) {
	s, m := small(t)
	for target, want := range map[string]string{
		"http://169.254.169.254/latest/meta-data": "without TLS",
		"https://169.254.169.254/latest":          "link-local",
		"https://[fd00:ec2::254]/latest":          "link-local",
		"http://registry.example.com/x":           "without TLS",
	} {
		front := between(t, s, func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, target, http.StatusFound)
			return true
		})
		_, err := open(t, front, registry.Options{}).Blob(t.Context(), "shop", m.Layers[0])
		require.ErrorIs(t, err, fs.ErrPermission)
		require.ErrorContains(t, err, want)
	}
	circle := between(t, s, func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, r.URL.Path, http.StatusFound)
		return true
	})
	_, err := open(t, circle, registry.Options{}).Blob(t.Context(), "shop", m.Layers[0])
	require.ErrorContains(t, err, "redirects")
}

func TestCancel(t *testing.T) {
	s, m := small(t)
	release := make(chan struct{})
	front := between(t, s, func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Content-Length", fmt.Sprint(m.Layers[0].Size))
		w.(http.Flusher).Flush()
		<-release
		return true
	})
	t.Cleanup(func() { close(release) }) // before the server closes
	ctx, cancel := context.WithCancel(t.Context())
	b, err := open(t, front, registry.Options{}).Blob(ctx, "shop", m.Layers[0])
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { _, err := io.Copy(io.Discard, b); done <- err }()
	cancel()
	select {
	case err := <-done:
		require.ErrorContains(t, err, "cancel")
	case <-time.After(10 * time.Second):
		t.Fatal("a read goes on after its context has ended")
	}
	require.NoError(t, b.Close())
}

func TestParseManifest(t *testing.T) {
	d := `{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"` + string(digest.FromString("x")) + `","size":1}`
	for _, c := range []struct {
		doc  string
		want error
	}{
		{`{"schemaVersion":2,"config":` + d + `,"layers":[]}`, nil},
		{`{"schemaVersion":2,"manifests":[` + d + `]}`, nil},
		{`{"schemaVersion":2,"manifests":[],"layers":[]}`, boltseal.ErrMalformed},
		{`{"schemaVersion":2,"mediaType":"` + v1.MediaTypeImageIndex + `","config":` + d + `}`, boltseal.ErrMalformed},
		{`{"schemaVersion":2,"mediaType":"` + v1.MediaTypeImageManifest + `","manifests":[` + d + `]}`, boltseal.ErrMalformed},
		{`{"schemaVersion":2,"mediaType":"application/x","config":` + d + `}`, errors.ErrUnsupported},
		{`{"schemaVersion":1,"fsLayers":[]}`, errors.ErrUnsupported},
		{`{"schemaVersion":2,"config":{"digest":"sha256:zz","size":1}}`, boltseal.ErrMalformed},
		{`{"schemaVersion":2,"config":{"digest":"` + string(digest.FromString("x")) + `","size":-1}}`, boltseal.ErrMalformed},
		{`[]`, boltseal.ErrMalformed},
		{``, boltseal.ErrMalformed},
	} {
		_, err := registry.ParseManifest("", []byte(c.doc))
		if c.want == nil {
			require.NoError(t, err, c.doc)
		} else {
			require.ErrorIs(t, err, c.want, c.doc)
		}
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add("", []byte(`{"schemaVersion":2,"manifests":[]}`))
	f.Add(v1.MediaTypeImageManifest, []byte(`{"schemaVersion":2,"config":{"digest":"sha256:`+strings.Repeat("0", 64)+`","size":1},"layers":[]}`))
	f.Fuzz(func(t *testing.T, mediaType string, raw []byte) {
		m, err := registry.ParseManifest(mediaType, raw)
		if err != nil {
			require.Nil(t, m)
			return
		}
		require.Equal(t, digest.FromBytes(raw), m.Digest)
		again, err := registry.ParseManifest(m.MediaType, m.Raw)
		require.NoError(t, err)
		require.Equal(t, m, again)
	})
}
