package registry

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/distribution"
)

// Options are the settings of [Open]. Nil and the zero value are ready to use.
type Options struct {
	// Keychain has the credentials; nil means anonymous.
	// [authn.DefaultKeychain] reads Docker's and Podman's configuration, and
	// runs the credential helpers that it names.
	Keychain authn.Keychain
	// Mirrors are hosts that are asked for content by its digest before the
	// registry is. Tags are only ever the registry's own.
	Mirrors []string
	// PlainHTTP lists the hosts that may be spoken to without TLS. Loopback
	// addresses always may.
	PlainHTTP []string
	// TLS are the settings of connections: own authorities, client
	// certificates.
	TLS *tls.Config
	// RoundTripper makes the requests; nil is a copy of
	// [http.DefaultTransport]. If set, TLS is not used.
	RoundTripper http.RoundTripper
	// Tries is how often a request that failed in passing (408, 429, 500, 502,
	// 503, 504, a connection reset) is made at most, with waits that double
	// from half a second to a minute, or as long as Retry-After says. 0 means 5.
	Tries int
	// MaxWait is the longest that a Retry-After is obeyed; a registry that
	// wants more gets a [ThrottleError] returned at once. 0 means 5 minutes.
	MaxWait time.Duration
	// Observe, if set, is told of each request made: for metrics. It is called
	// from many goroutines.
	Observe func(Exchange)
}

// Exchange is one request and what came of it.
type Exchange = distribution.Exchange

// Quota is what a registry says of its rate limit.
type Quota = distribution.Quota

// ThrottleError is returned where a registry is asked too often.
type ThrottleError = distribution.ThrottleError

// Remote is a registry that is spoken to over HTTP. It is a [Client] and a
// [Pusher], safe for concurrent use, and meant to be shared.
type Remote struct {
	session *distribution.Session
	mirrors []*distribution.Session
	// noReferrers is set once the registry has shown that it has no referrers API.
	noReferrers atomic.Bool
}

var (
	_ Client = (*Remote)(nil)
	_ Pusher = (*Remote)(nil)
)

// Open returns the registry on a host, given as in an image's name
// ("docker.io", "registry.example.com:5000"). No request is made until one is needed.
func Open(host string, o *Options) (*Remote, error) {
	if o == nil {
		o = &Options{}
	}
	session := func(host string) (*distribution.Session, error) {
		return distribution.New(host, distribution.Options{
			Keychain: o.Keychain, PlainHTTP: o.PlainHTTP, TLS: o.TLS, RoundTripper: o.RoundTripper,
			Tries: o.Tries, MaxWait: o.MaxWait, Observe: o.Observe,
		})
	}
	r := &Remote{}
	var err error
	if r.session, err = session(host); err != nil {
		return nil, err
	}
	for _, m := range o.Mirrors {
		s, err := session(m)
		if err != nil {
			return nil, fmt.Errorf("mirror: %w", err)
		}
		r.mirrors = append(r.mirrors, s)
	}
	return r, nil
}

// Host implements [Client].
func (r *Remote) Host() string { return r.session.Host() }

// Quota returns what the registry last said of its rate limit.
func (r *Remote) Quota() Quota { return r.session.Quota() }

// Close ends idle connections. The Remote stays usable.
func (r *Remote) Close() error {
	for _, m := range r.mirrors {
		_ = m.Close() // never fails
	}
	return r.session.Close()
}

// accept lists every form of a manifest. Without it, distribution 2 answers a
// HEAD with the digest of a document that it made up.
var accept = http.Header{"Accept": {v1.MediaTypeImageIndex + ", " + v1.MediaTypeImageManifest + ", " + dockerList + ", " + dockerManifest}}

// Resolve implements [Client] with one HEAD request. Where the registry does not
// tell the digest, the manifest is read.
func (r *Remote) Resolve(ctx context.Context, repo, ref string) (v1.Descriptor, error) {
	want, err := checkRef(repo, ref)
	if err != nil {
		return v1.Descriptor{}, err
	}
	_, resp, err := r.session.Fetch(ctx, distribution.Request{Method: http.MethodHead, Repository: repo, Path: "manifests/" + ref, Header: accept}, maxManifest, http.StatusOK)
	if err != nil {
		return v1.Descriptor{}, r.located("resolve", repo, ref, err)
	}
	d := v1.Descriptor{MediaType: mediaType(resp), Digest: digest.Digest(resp.Header.Get("Docker-Content-Digest")), Size: resp.ContentLength}
	if d.Digest.Validate() != nil || d.Size < 0 || !isManifestType(d.MediaType) {
		m, err := r.Manifest(ctx, repo, ref)
		if err != nil {
			return v1.Descriptor{}, err
		}
		return m.Descriptor, nil
	}
	if want != "" && d.Digest != want {
		return v1.Descriptor{}, r.located("resolve", repo, ref, fmt.Errorf("%w: the registry answers with %s", boltseal.ErrMalformed, d.Digest))
	}
	return d, nil
}

// Manifest implements [Client].
func (r *Remote) Manifest(ctx context.Context, repo, ref string) (*Manifest, error) {
	want, err := checkRef(repo, ref)
	if err != nil {
		return nil, err
	}
	if want != "" {
		for _, mirror := range r.mirrors {
			if m, err := manifest(ctx, mirror, repo, ref, want); err == nil {
				return m, nil
			}
		}
	}
	m, err := manifest(ctx, r.session, repo, ref, want)
	if err != nil {
		return nil, r.located("read manifest", repo, ref, err)
	}
	return m, nil
}

func manifest(ctx context.Context, s *distribution.Session, repo, ref string, want digest.Digest) (*Manifest, error) {
	raw, resp, err := s.Fetch(ctx, distribution.Request{Repository: repo, Path: "manifests/" + ref, Header: accept}, maxManifest, http.StatusOK)
	if err != nil {
		return nil, err
	}
	if want == "" { // by tag: what the registry says of it, if it does
		want = digest.Digest(resp.Header.Get("Docker-Content-Digest"))
	}
	m, err := ParseManifest(mediaType(resp), raw)
	if err != nil {
		return nil, err
	}
	if want.Validate() == nil {
		if got := want.Algorithm().FromBytes(raw); got != want {
			return nil, fmt.Errorf("%w: content has the digest %s, not %s", boltseal.ErrMalformed, got, want)
		}
		m.Digest = want
	}
	return m, nil
}

// Blob implements [Client]. Mirrors are asked first.
func (r *Remote) Blob(ctx context.Context, repo string, d v1.Descriptor) (io.ReadCloser, error) {
	if err := checkRepo(repo); err != nil {
		return nil, err
	}
	if err := d.Digest.Validate(); err != nil {
		return nil, fmt.Errorf("blob %.100q: %w: %w", d.Digest, boltseal.ErrMalformed, err)
	}
	for _, mirror := range r.mirrors {
		if b, err := blob(ctx, mirror, repo, d); err == nil {
			return b, nil
		}
	}
	b, err := blob(ctx, r.session, repo, d)
	if err != nil {
		return nil, r.located("read blob", repo, d.Digest.String(), err)
	}
	return b, nil
}

func blob(ctx context.Context, s *distribution.Session, repo string, d v1.Descriptor) (io.ReadCloser, error) {
	resp, err := s.Do(ctx, distribution.Request{Repository: repo, Path: "blobs/" + d.Digest.String(), Header: http.Header{"Accept-Encoding": {"identity"}}})
	if err != nil {
		return nil, err
	}
	err = distribution.Check(resp, http.StatusOK)
	if err == nil && resp.ContentLength >= 0 && resp.ContentLength != d.Size {
		err = fmt.Errorf("%w: the registry has %d bytes, the manifest says %d", boltseal.ErrMalformed, resp.ContentLength, d.Size)
	}
	if err != nil {
		resp.Body.Close()
		return nil, err
	}
	return &verified{body: resp.Body, left: d.Size, want: d.Digest, hash: d.Digest.Verifier()}, nil
}

// verified is a blob whose end is good only if all of it was.
type verified struct {
	body io.ReadCloser
	left int64
	want digest.Digest
	hash digest.Verifier
}

func (v *verified) Read(p []byte) (int, error) {
	if int64(len(p)) > v.left+1 { // one more byte shows that there is one
		p = p[:v.left+1]
	}
	n, err := v.body.Read(p)
	if int64(n) > v.left {
		return int(v.left), fmt.Errorf("blob %s: %w: longer than its manifest says", v.want, boltseal.ErrMalformed)
	}
	v.left -= int64(n)
	_, _ = v.hash.Write(p[:n]) // a hash takes all
	if err == io.EOF {
		if v.left > 0 {
			err = fmt.Errorf("blob %s: %w: %d bytes are missing", v.want, io.ErrUnexpectedEOF, v.left)
		} else if !v.hash.Verified() {
			err = fmt.Errorf("blob %s: %w: the content is another", v.want, boltseal.ErrMalformed)
		}
	}
	return n, err
}

func (v *verified) Close() error { return v.body.Close() }

// located says what was being done, and to what.
func (r *Remote) located(op, repo, ref string, err error) error {
	at := r.Host() + "/" + repo
	switch {
	case ref == "":
	case digest.Digest(ref).Validate() == nil:
		at += "@" + ref
	default:
		at += ":" + ref
	}
	return fmt.Errorf("%s %s: %w", op, at, err)
}

func mediaType(resp *http.Response) string {
	t, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return t
}

// The grammar of names (distribution specification, "Pulling manifests").
var (
	repoName = regexp.MustCompile(`\A[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*\z`)
	tagName  = regexp.MustCompile(`\A[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}\z`)
)

func checkRepo(repo string) error {
	if len(repo) > 255 || !repoName.MatchString(repo) {
		return fmt.Errorf("repository %.300q: %w: names are lower case letters and digits, separated by . _ - and /", repo, boltseal.ErrMalformed)
	}
	return nil
}

// checkRef returns the digest if ref is one.
func checkRef(repo, ref string) (digest.Digest, error) {
	if err := checkRepo(repo); err != nil {
		return "", err
	}
	if d := digest.Digest(ref); d.Validate() == nil {
		return d, nil
	}
	if !tagName.MatchString(ref) {
		return "", fmt.Errorf("%.300q: %w: neither a tag nor a digest", ref, boltseal.ErrMalformed)
	}
	return "", nil
}
