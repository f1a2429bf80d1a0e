package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/registryserver"
	"github.com/boltseal/boltseal/registry"
)

// everywhere runs a test against each registry that is installed.
func everywhere(t *testing.T, o registryserver.Options, test func(t *testing.T, s *registryserver.Server)) {
	for _, kind := range []registryserver.Kind{registryserver.Distribution2, registryserver.Distribution3, registryserver.Olareg} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			test(t, registryserver.Start(t, kind, o))
		})
	}
}

func open(t testing.TB, s *registryserver.Server, o registry.Options) *registry.Remote {
	t.Helper()
	o.TLS = s.TLS
	r, err := registry.Open(s.Host, &o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

func describe(mediaType, content string) v1.Descriptor {
	return v1.Descriptor{MediaType: mediaType, Digest: digest.FromString(content), Size: int64(len(content))}
}

func parse(t testing.TB, doc any) *registry.Manifest {
	t.Helper()
	raw, err := json.Marshal(doc)
	require.NoError(t, err)
	m, err := registry.ParseManifest("", raw)
	require.NoError(t, err)
	return m
}

func pushImage(t testing.TB, r *registry.Remote, repo, tag, text string) *registry.Manifest {
	t.Helper()
	config, layer := `{"os":"linux","architecture":"amd64","text":"`+text+`"}`, "layer "+text
	c, l := describe(v1.MediaTypeImageConfig, config), describe(v1.MediaTypeImageLayer, layer)
	for d, content := range map[string]string{string(c.Digest): config, string(l.Digest): layer} {
		desc := v1.Descriptor{Digest: digest.Digest(d), Size: int64(len(content))}
		require.NoError(t, r.PushBlob(t.Context(), repo, desc, func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }))
	}
	m := parse(t, v1.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageManifest, Config: c, Layers: []v1.Descriptor{l}})
	require.NoError(t, r.PushManifest(t.Context(), repo, tag, m))
	return m
}

func collect[T any](t testing.TB, seq func(func(T, error) bool)) []T {
	t.Helper()
	var all []T
	for v, err := range seq {
		require.NoError(t, err)
		all = append(all, v)
	}
	return all
}

func first[T any](seq func(func(T, error) bool)) (v T, err error) {
	for v, err = range seq {
		return v, err
	}
	return v, nil
}

func TestReadAndWrite(t *testing.T) {
	everywhere(t, registryserver.Options{}, func(t *testing.T, s *registryserver.Server) {
		ctx := t.Context()
		r := open(t, s, registry.Options{})
		m := pushImage(t, r, "team/shop", "1.4", "hello")

		for _, ref := range []string{"1.4", string(m.Digest)} {
			d, err := r.Resolve(ctx, "team/shop", ref)
			require.NoError(t, err)
			require.Equal(t, v1.Descriptor{MediaType: v1.MediaTypeImageManifest, Digest: m.Digest, Size: m.Size}, d)
			got, err := r.Manifest(ctx, "team/shop", ref)
			require.NoError(t, err)
			require.Equal(t, m.Raw, got.Raw)
			require.Equal(t, m.Digest, got.Digest)
			require.False(t, got.IsIndex())
			require.False(t, got.IsArtifact())
		}
		b, err := r.Blob(ctx, "team/shop", m.Layers[0])
		require.NoError(t, err)
		content, err := io.ReadAll(b)
		require.NoError(t, err)
		require.NoError(t, b.Close())
		require.Equal(t, "layer hello", string(content))

		_, err = r.Resolve(ctx, "team/shop", "absent")
		require.ErrorIs(t, err, fs.ErrNotExist)
		_, err = r.Manifest(ctx, "team/shop", digest.FromString("absent").String())
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.ErrorContains(t, err, s.Host+"/team/shop@sha256:")
		_, err = r.Blob(ctx, "team/shop", describe("", "absent"))
		require.ErrorIs(t, err, fs.ErrNotExist)
		for _, repo := range []string{"", "Team", "a//b", "../x", "a b", strings.Repeat("x", 256)} {
			_, err = r.Resolve(ctx, repo, "1")
			require.ErrorIs(t, err, boltseal.ErrMalformed, "repository %q", repo)
		}
		_, err = r.Manifest(ctx, "team/shop", "-x")
		require.ErrorIs(t, err, boltseal.ErrMalformed)

		// An index of the image, by a tag.
		index := parse(t, v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex, Manifests: []v1.Descriptor{m.Descriptor}})
		require.NoError(t, r.PushManifest(ctx, "team/shop", "all", index))
		got, err := r.Manifest(ctx, "team/shop", "all")
		require.NoError(t, err)
		require.True(t, got.IsIndex())
		require.Equal(t, m.Digest, got.Manifests[0].Digest)
	})
}

func TestLists(t *testing.T) {
	everywhere(t, registryserver.Options{}, func(t *testing.T, s *registryserver.Server) {
		r := open(t, s, registry.Options{})
		m := pushImage(t, r, "many", "t000", "x")
		var want []string
		for i := range 205 { // more than two pages
			tag := fmt.Sprintf("t%03d", i)
			want = append(want, tag)
			require.NoError(t, r.PushManifest(t.Context(), "many", tag, m))
		}
		tags := collect(t, r.Tags(t.Context(), "many"))
		require.Equal(t, want, slices.Sorted(slices.Values(tags)))

		n := 0
		for range r.Tags(t.Context(), "many") {
			if n++; n == 3 {
				break
			}
		}

		repos := []string{"many"}
		for i := range 101 {
			repo := fmt.Sprintf("r/%03d", i)
			ok, err := r.Mount(t.Context(), repo, "many", m.Layers[0])
			require.NoError(t, err)
			require.True(t, ok)
			ok, err = r.Mount(t.Context(), repo, "many", *m.Config)
			require.NoError(t, err)
			require.True(t, ok)
			require.NoError(t, r.PushManifest(t.Context(), repo, "1", m))
			repos = append(repos, repo)
		}
		if s.Kind == registryserver.Olareg { // it has no catalog
			_, err := first(r.Repositories(t.Context()))
			require.ErrorIs(t, err, errors.ErrUnsupported)
			require.Empty(t, collect(t, r.Tags(t.Context(), "absent")), "olareg answers with an empty list")
			return
		}
		require.Equal(t, slices.Sorted(slices.Values(repos)), slices.Sorted(slices.Values(collect(t, r.Repositories(t.Context())))))
		_, err := first(r.Tags(t.Context(), "absent"))
		require.ErrorIs(t, err, fs.ErrNotExist)
	})
}

func TestReferrers(t *testing.T) {
	everywhere(t, registryserver.Options{}, func(t *testing.T, s *registryserver.Server) {
		ctx := t.Context()
		r := open(t, s, registry.Options{})
		m := pushImage(t, r, "shop", "1", "x")
		require.Empty(t, collect(t, r.Referrers(ctx, "shop", m.Digest, "")))
		var want []digest.Digest
		for i := range 3 {
			a, err := registry.Attach(ctx, r, "shop", m.Descriptor, "application/vnd.test.a", "text/plain", fmt.Appendf(nil, "note %d", i), map[string]string{"n": fmt.Sprint(i)})
			require.NoError(t, err)
			want = append(want, a.Digest)
			read, err := r.Manifest(ctx, "shop", a.Digest.String())
			require.NoError(t, err)
			require.True(t, read.IsArtifact())
			require.Equal(t, "application/vnd.test.a", read.ArtifactType)
			require.Equal(t, m.Digest, read.Subject.Digest)
		}
		b, err := registry.Attach(ctx, r, "shop", m.Descriptor, "application/vnd.test.b", "text/plain", []byte("other"), nil)
		require.NoError(t, err)

		var all, only []digest.Digest
		for _, d := range collect(t, r.Referrers(ctx, "shop", m.Digest, "")) {
			all = append(all, d.Digest)
		}
		for _, d := range collect(t, r.Referrers(ctx, "shop", m.Digest, "application/vnd.test.a")) {
			only = append(only, d.Digest)
			require.Equal(t, "application/vnd.test.a", d.ArtifactType)
			require.Contains(t, d.Annotations, "n")
		}
		require.ElementsMatch(t, append(slices.Clone(want), b.Digest), all)
		require.ElementsMatch(t, want, only)

		// Registries that lack the API are asked for it once.
		asked := 0
		again := open(t, s, registry.Options{Observe: func(x registry.Exchange) {
			if x.Status != 0 { // not the try with TLS
				asked++
			}
		}})
		for range 3 {
			require.Len(t, collect(t, again.Referrers(ctx, "shop", m.Digest, "")), 4)
		}
		if s.Kind == registryserver.Olareg {
			require.Equal(t, 1+3, asked, "greeting, three answers")
		} else {
			require.Equal(t, 1+1+3, asked, "greeting, one 404, three answers")
		}
	})
}

func TestCopy(t *testing.T) {
	everywhere(t, registryserver.Options{}, func(t *testing.T, s *registryserver.Server) {
		ctx := t.Context()
		src := open(t, s, registry.Options{})
		a, b := pushImage(t, src, "from", "a", "a"), pushImage(t, src, "from", "b", "b")
		index := parse(t, v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex, Manifests: []v1.Descriptor{a.Descriptor, b.Descriptor}})
		require.NoError(t, src.PushManifest(ctx, "from", "all", index))
		_, err := registry.Attach(ctx, src, "from", index.Descriptor, "application/vnd.test.sbom", "text/plain", []byte("bom"), nil)
		require.NoError(t, err)

		other := registryserver.Start(t, registryserver.Olareg, registryserver.Options{})
		for _, dst := range []*registry.Remote{src, open(t, other, registry.Options{})} {
			d, err := registry.Copy(ctx, dst, "to/here", "2", src, "from", "all", &registry.CopyOptions{Referrers: true})
			require.NoError(t, err)
			require.Equal(t, index.Digest, d.Digest)
			got, err := dst.Resolve(ctx, "to/here", "2")
			require.NoError(t, err)
			require.Equal(t, index.Digest, got.Digest)
			for _, m := range []*registry.Manifest{a, b} {
				blob, err := dst.Blob(ctx, "to/here", m.Layers[0])
				require.NoError(t, err)
				content, err := io.ReadAll(blob)
				require.NoError(t, err)
				require.NoError(t, blob.Close())
				require.Equal(t, m.Layers[0].Digest, digest.FromBytes(content))
			}
			require.Len(t, collect(t, dst.Referrers(ctx, "to/here", index.Digest, "")), 1)
		}
	})
}

type login struct{ host, user, password string }

func (l login) Resolve(r authn.Resource) (authn.Authenticator, error) {
	if r.RegistryStr() != l.host {
		return authn.Anonymous, nil
	}
	return authn.FromConfig(authn.AuthConfig{Username: l.user, Password: l.password}), nil
}

func TestLogin(t *testing.T) {
	for _, kind := range []registryserver.Kind{registryserver.Distribution2, registryserver.Distribution3} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s := registryserver.Start(t, kind, registryserver.Options{TLS: true, Login: true})
			r := open(t, s, registry.Options{Keychain: login{s.Host, registryserver.User, registryserver.Password}})
			m := pushImage(t, r, "shop", "1", "x")
			_, err := r.Manifest(t.Context(), "shop", "1")
			require.NoError(t, err)
			for _, keys := range []authn.Keychain{nil, login{s.Host, registryserver.User, "wrong"}} {
				_, err = open(t, s, registry.Options{Keychain: keys}).Manifest(t.Context(), "shop", m.Digest.String())
				require.ErrorIs(t, err, fs.ErrPermission)
				require.NotContains(t, err.Error(), "wrong", "no password in an error")
			}
			plain, err := registry.Open(s.Host, &registry.Options{Tries: 1})
			require.NoError(t, err)
			_, err = plain.Resolve(t.Context(), "shop", "1")
			require.ErrorContains(t, err, "certificate", "nobody vouches for it")
		})
	}
}

func TestMirror(t *testing.T) {
	mirror := registryserver.Start(t, registryserver.Olareg, registryserver.Options{})
	origin := registryserver.Start(t, registryserver.Olareg, registryserver.Options{})
	m := pushImage(t, open(t, mirror, registry.Options{}), "shop", "1", "same")
	o := pushImage(t, open(t, origin, registry.Options{}), "shop", "1", "same")
	require.Equal(t, m.Digest, o.Digest)
	pushImage(t, open(t, mirror, registry.Options{}), "shop", "1", "stale")
	asked := map[string]int{}
	r := open(t, origin, registry.Options{Mirrors: []string{mirror.Host}, Observe: func(x registry.Exchange) { asked[x.Host]++ }})
	d, err := r.Resolve(t.Context(), "shop", "1")
	require.NoError(t, err)
	require.Equal(t, o.Digest, d.Digest, "a tag is the registry's own")
	require.Zero(t, asked[mirror.Host])
	before := asked[origin.Host]
	_, err = r.Manifest(t.Context(), "shop", o.Digest.String())
	require.NoError(t, err)
	require.Equal(t, before, asked[origin.Host], "content comes from the mirror")
	lacking := pushImage(t, open(t, origin, registry.Options{}), "shop", "2", "new")
	got, err := r.Manifest(t.Context(), "shop", lacking.Digest.String())
	require.NoError(t, err)
	require.Equal(t, lacking.Digest, got.Digest, "what the mirror lacks, the registry has")
}

func TestSweepCost(t *testing.T) {
	s := registryserver.Start(t, registryserver.Distribution3, registryserver.Options{})
	r := open(t, s, registry.Options{})
	for i := range 10 {
		repo := fmt.Sprintf("r%d", i)
		m := pushImage(t, r, repo, "t0", repo)
		for j := range 10 {
			require.NoError(t, r.PushManifest(t.Context(), repo, fmt.Sprintf("t%d", j), m))
		}
	}
	requests := 0
	sweep := open(t, s, registry.Options{Observe: func(registry.Exchange) { requests++ }})
	tags := 0
	_, err := sweep.Resolve(context.Background(), "r0", "t0") // the greeting is not the sweep's
	require.NoError(t, err)
	requests = 0
	for i := range 10 {
		repo := fmt.Sprintf("r%d", i)
		for _, tag := range collect(t, sweep.Tags(t.Context(), repo)) {
			_, err := sweep.Resolve(t.Context(), repo, tag)
			require.NoError(t, err)
			tags++
		}
	}
	require.Equal(t, 100, tags)
	require.LessOrEqual(t, requests, 110)
}
