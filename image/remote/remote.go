// Package remote opens images in registries, by the OCI distribution
// specification.
//
//	img, err := image.Open(ctx, "registry.example.com/shop:1.4",
//		&image.OpenOptions{Transports: []image.Transport{remote.Transport(nil)}})
//
// Names, credentials and tokens are handled by go-containerregistry: plain names
// mean Docker Hub, and credentials come from Docker's and Podman's configuration
// and helpers. Nothing is read but the image's manifests and config until a
// layer is opened; a layer whose connection breaks goes on where it stopped.
package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	digest "github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/image"
	"github.com/boltseal/boltseal/internal/distribution"
)

// Options are the settings of [Transport]. Nil and the zero value are ready to use.
type Options struct {
	// Keychain has the credentials; nil is [authn.DefaultKeychain].
	Keychain authn.Keychain
	// Mirrors lists, for a registry's host, what is asked before it, in order:
	// hosts, with or without a path that goes before the repository's. What a
	// mirror does not have, the next one is asked for. Docker Hub is docker.io.
	Mirrors map[string][]string
	// PlainHTTP lists the hosts that may be spoken to without TLS where they
	// offer none. Loopback addresses always may.
	PlainHTTP []string
	// TLS are the settings of connections: own authorities, client
	// certificates, or InsecureSkipVerify.
	TLS *tls.Config
	// RoundTripper makes the requests; nil is a copy of
	// [http.DefaultTransport] with TLS. If set, TLS is not used.
	RoundTripper http.RoundTripper
}

// Transport returns what opens plain references (debian:12,
// registry.example.com/shop@sha256:…) and those with the prefix docker:// or
// registry:. The options must not be changed afterwards.
//
// Errors wrap [fs.ErrNotExist] for an image that is not there and
// [fs.ErrPermission] for one that the credentials do not open.
func Transport(o *Options) image.Transport {
	if o == nil {
		o = &Options{}
	}
	return image.Transport{Prefixes: []string{"", "docker://", "registry:"}, Open: o.open}
}

func (o *Options) open(ctx context.Context, ref string, opts *image.OpenOptions) (*image.Image, error) {
	parsed, err := name.ParseReference(strings.TrimPrefix(ref, "//"), name.WeakValidation)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
	}
	s, err := o.sources(parsed)
	if err != nil {
		return nil, err
	}
	root, err := s.root(ctx, parsed, opts.Limits.WithDefaults().ManifestBytes)
	if err != nil {
		return nil, err
	}
	img, err := image.Resolve(ctx, s, root, opts)
	if err != nil {
		return nil, err
	}
	img.Name = parsed.Name()
	img.Closer = s
	return img, nil
}

// sources are a repository and its mirrors, in the order they are asked. It is
// an [image.Fetcher].
type sources struct {
	endpoints []*endpoint
}

func (o *Options) sources(ref name.Reference) (*sources, error) {
	keys := o.Keychain
	if keys == nil {
		keys = authn.DefaultKeychain
	}
	origin := ref.Context()
	host := origin.RegistryStr()
	mirrors := o.Mirrors[host]
	if host == name.DefaultRegistry && mirrors == nil {
		mirrors = o.Mirrors["docker.io"]
	}
	s := &sources{}
	for _, m := range append(slices.Clone(mirrors), host) {
		repo, err := name.NewRepository(strings.TrimSuffix(m, "/")+"/"+origin.RepositoryStr(), name.WeakValidation)
		if err != nil {
			return nil, fmt.Errorf("registry or mirror %q: %w: %w", m, boltseal.ErrMalformed, err)
		}
		session, err := distribution.New(repo.RegistryStr(), distribution.Options{
			Keychain: keys, Resource: repo, PlainHTTP: o.PlainHTTP, TLS: o.TLS, RoundTripper: o.RoundTripper,
		})
		if err != nil {
			return nil, fmt.Errorf("registry or mirror %q: %w", m, err)
		}
		s.endpoints = append(s.endpoints, &endpoint{session: session, repo: repo})
	}
	return s, nil
}

// Close ends connections that nobody reads from.
func (s *sources) Close() error {
	var errs []error
	for _, e := range s.endpoints {
		errs = append(errs, e.session.Close())
	}
	return errors.Join(errs...)
}

// each asks the endpoints one after the other until one has an answer.
func (s *sources) each(ctx context.Context, path string, header http.Header) (*http.Response, error) {
	var errs []error
	for _, e := range s.endpoints {
		resp, err := e.get(ctx, path, header)
		if err == nil {
			return resp, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", e.repo, err))
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(errs...)
}

const (
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerSchema1  = "application/vnd.docker.distribution.manifest.v1+"
	acceptedTypes  = v1.MediaTypeImageIndex + ", " + v1.MediaTypeImageManifest + ", " + dockerList + ", " + dockerManifest
)

func isManifest(mediaType string) bool {
	switch mediaType {
	case v1.MediaTypeImageIndex, v1.MediaTypeImageManifest, dockerList, dockerManifest:
		return true
	}
	return false
}

// root reads the manifest or index that a reference names, and describes it.
func (s *sources) root(ctx context.Context, ref name.Reference, limit int64) (v1.Descriptor, error) {
	resp, err := s.each(ctx, "manifests/"+ref.Identifier(), http.Header{"Accept": {acceptedTypes}})
	if err != nil {
		return v1.Descriptor{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, max(limit, limit+1))) // limit+1 may overflow
	if err != nil {
		return v1.Descriptor{}, fmt.Errorf("manifest: %w", err)
	}
	if int64(len(raw)) > limit {
		return v1.Descriptor{}, fmt.Errorf("manifest: %w: more than %d bytes, Limits.ManifestBytes", boltseal.ErrLimit, limit)
	}
	if len(raw) == 0 {
		return v1.Descriptor{}, fmt.Errorf("manifest: %w: it is empty", boltseal.ErrMalformed)
	}
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if !isManifest(mediaType) && !strings.HasPrefix(mediaType, dockerSchema1) {
		mediaType = "" // a registry that does not know: the document says it itself
	}
	d := v1.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(raw), Size: int64(len(raw)), Data: raw}
	if want, ok := ref.(name.Digest); ok {
		d.Digest = digest.Digest(want.DigestStr()) // verified against Data
	}
	return d, nil
}

// Fetch gets a manifest or a blob.
func (s *sources) Fetch(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	if d.MediaType == "" || isManifest(d.MediaType) {
		resp, err := s.each(ctx, "manifests/"+string(d.Digest), http.Header{"Accept": {acceptedTypes}})
		if err != nil {
			return nil, err
		}
		return resp.Body, nil
	}
	return newBlob(d.Size, func(from int64) (io.ReadCloser, error) { return s.blob(ctx, d, from) })
}

func (s *sources) blob(ctx context.Context, d v1.Descriptor, from int64) (io.ReadCloser, error) {
	header := http.Header{"Accept-Encoding": {"identity"}}
	if from > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, d.Size-1))
	}
	resp, err := s.each(ctx, "blobs/"+string(d.Digest), header)
	if err != nil {
		return nil, err
	}
	if from > 0 && resp.StatusCode != http.StatusPartialContent {
		if _, err := io.CopyN(io.Discard, resp.Body, from); err != nil {
			return nil, errors.Join(err, resp.Body.Close())
		}
	}
	return resp.Body, nil
}
