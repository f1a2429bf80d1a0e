// Package distribution speaks HTTP to one registry, by the rules that every
// call has in common whoever makes it: log in, ask no faster than the registry
// bears, try again what may be tried again, and follow no answer to a place
// where the credentials or the caller have no business.
//
// Sources: the OCI distribution specification 1.1.1; Docker's token
// authentication (distribution.github.io/distribution/spec/auth); RFC 9110 for
// Retry-After; RFC 3927 and RFC 4291 section 2.5.6 for the link-local
// addresses, which are never a registry's storage.
package distribution

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/boltseal/boltseal"
)

// Options are the settings of [New]. The zero value is ready to use.
type Options struct {
	// Keychain has the credentials; nil means none.
	Keychain authn.Keychain
	// Resource is what the credentials are looked up for; nil means the
	// registry as a whole. A keychain may know others for one repository.
	Resource authn.Resource
	// PlainHTTP lists the hosts that may be spoken to without TLS. Loopback
	// addresses always may.
	PlainHTTP []string
	// TLS are the settings of connections.
	TLS *tls.Config
	// RoundTripper makes the requests; nil is a copy of
	// [http.DefaultTransport] with TLS and room for many connections to one
	// host. If set, TLS is not used.
	RoundTripper http.RoundTripper
	// Tries is how often a request is made at most; 0 means 5.
	Tries int
	// MaxWait bounds one wait between two tries, a Retry-After included; 0
	// means 5 minutes. A registry that wants more gets an error at once.
	MaxWait time.Duration
	// Timeout bounds a call of [Session.Fetch], waits excluded; 0 means a minute.
	Timeout time.Duration
	// Observe, if set, is told of each answer, also of those that are tried
	// again. It is called from many goroutines.
	Observe func(Exchange)
}

// Exchange is one request and what came of it.
type Exchange struct {
	Host   string // that was asked: a redirect's target is not the registry
	Method string
	Status int // 0: no answer
	Took   time.Duration
	Err    error
}

// Session is a registry, spoken to over reused connections. It is safe for
// concurrent use.
type Session struct {
	registry name.Registry
	client   *http.Client
	login    login
	pace     *pacer
	timeout  time.Duration
	idle     func()
}

// New returns a Session for a host, as in an image's name; no request is made.
func New(host string, o Options) (*Session, error) {
	var opts []name.Option
	if slices.Contains(o.PlainHTTP, host) {
		opts = append(opts, name.Insecure)
	}
	reg, err := name.NewRegistry(host, opts...)
	if err != nil {
		return nil, fmt.Errorf("registry %q: %w: %w", host, boltseal.ErrMalformed, err)
	}
	base, idle := o.RoundTripper, func() {}
	if base == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.TLSClientConfig = o.TLS.Clone()
		t.ResponseHeaderTimeout = time.Minute
		t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, 64
		base, idle = t, t.CloseIdleConnections
	}
	s := &Session{registry: reg, pace: newPacer(), idle: idle, timeout: o.Timeout}
	if s.timeout <= 0 {
		s.timeout = time.Minute
	}
	p := &patient{inner: guard{base, reg.RegistryStr(), o.PlainHTTP}, host: reg.RegistryStr(), pace: s.pace, tries: o.Tries, max: o.MaxWait, observe: o.Observe}
	if p.tries <= 0 {
		p.tries = 5
	}
	if p.max <= 0 {
		p.max = 5 * time.Minute
	}
	s.client = &http.Client{Transport: p, CheckRedirect: checkRedirect}
	keys := o.Keychain
	if keys == nil {
		keys = authn.NewMultiKeychain()
	}
	resource := o.Resource
	if resource == nil {
		resource = reg
	}
	s.login = login{registry: reg, keys: keys, resource: resource, transport: p, grants: map[string]*grant{}}
	return s, nil
}

// Host is the registry's name, with its port.
func (s *Session) Host() string { return s.registry.RegistryStr() }

// Close ends connections that nobody uses. The Session stays usable.
func (s *Session) Close() error {
	s.idle()
	return nil
}

// Quota returns what the registry last said of its rate limit.
func (s *Session) Quota() Quota { return s.pace.quota() }

// Request is what to ask.
type Request struct {
	Method     string // empty means GET
	Repository string // empty for what concerns the registry as a whole
	Path       string // below /v2/, or below /v2/REPOSITORY/
	Query      string
	// URL, if set, is asked instead of Path: where an answer told to go on.
	// It must lie on the registry itself.
	URL    *url.URL
	Header http.Header // not modified
	// Body yields the content, of Size bytes, once per try.
	Body func() (io.ReadCloser, error)
	Size int64
	// Push asks for the right to write.
	Push bool
	// From names a second repository that Push reads from, for mounts.
	From string
}

// Do makes a request and returns the answer, whatever its status: see [Check].
// The caller closes the body. A body that stops coming is an error after half a
// minute.
func (s *Session) Do(ctx context.Context, r Request) (*http.Response, error) {
	scopes := r.scopes()
	ctx, cancel := context.WithCancelCause(ctx)
	resp, err := s.do(ctx, r, scopes)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	resp.Body = newSteady(resp.Body, cancel)
	return resp, nil
}

func (s *Session) do(ctx context.Context, r Request, scopes []string) (*http.Response, error) {
	for again := false; ; again = true {
		auth, scheme, err := s.login.header(ctx, scopes)
		if err != nil {
			return nil, fmt.Errorf("log in to %s: %w", s.Host(), Explain(err))
		}
		req, err := s.request(ctx, r, scheme)
		if err != nil {
			return nil, err
		}
		if auth != "" {
			req.Header.Set("Authorization", auth)
		}
		resp, err := s.client.Do(req)
		if err != nil {
			return nil, Explain(unwrapURL(err))
		}
		if resp.StatusCode != http.StatusUnauthorized || again || !s.login.forget(scopes, auth) {
			return resp, nil
		}
		drain(resp.Body)
	}
}

func (s *Session) request(ctx context.Context, r Request, scheme string) (*http.Request, error) {
	u := r.URL
	if u == nil {
		p := "/v2/" + r.Path
		if r.Repository != "" {
			p = "/v2/" + r.Repository + "/" + r.Path
		}
		u = &url.URL{Scheme: scheme, Host: s.Host(), Path: p, RawQuery: r.Query}
	} else if u.Host != s.Host() || u.Scheme != scheme {
		return nil, fmt.Errorf("%s sends on to %s://%s: %w: the next page must lie on the registry itself", s.Host(), u.Scheme, u.Host, fs.ErrPermission)
	}
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	req := (&http.Request{Method: method, URL: u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}).WithContext(ctx)
	req.Header = make(http.Header, len(r.Header)+2)
	for k, v := range r.Header {
		req.Header[k] = v
	}
	req.Header["User-Agent"] = userAgent
	if r.Body != nil {
		req.GetBody, req.ContentLength = r.Body, r.Size
		body, err := r.Body()
		if err != nil {
			return nil, err
		}
		req.Body = body
		if r.Size == 0 {
			req.Body = http.NoBody
			body.Close()
		}
	}
	return req, nil
}

var userAgent = []string{"boltseal"}

func (r *Request) scopes() []string {
	switch {
	case r.Repository == "":
		return []string{"registry:catalog:*"}
	case !r.Push:
		return []string{"repository:" + r.Repository + ":" + transport.PullScope}
	case r.From == "":
		return []string{"repository:" + r.Repository + ":" + transport.PushScope}
	}
	return []string{"repository:" + r.Repository + ":" + transport.PushScope, "repository:" + r.From + ":" + transport.PullScope}
}

// Fetch makes a request, expects one of the statuses, and returns the body, of
// at most limit bytes. Errors are those of [Check]; a body that is too long
// wraps [boltseal.ErrLimit].
func (s *Session) Fetch(ctx context.Context, r Request, limit int64, status ...int) ([]byte, *http.Response, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, fmt.Errorf("no answer after %v: %w", s.timeout, context.DeadlineExceeded))
	defer cancel()
	resp, err := s.Do(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	if err := Check(resp, status...); err != nil {
		return nil, resp, err
	}
	if r.Method == http.MethodHead {
		return nil, resp, nil
	}
	if resp.ContentLength > limit {
		return nil, resp, fmt.Errorf("answer of %d bytes: %w: at most %d", resp.ContentLength, boltseal.ErrLimit, limit)
	}
	body, err := read(resp, limit)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return body, resp, err
}

func read(resp *http.Response, limit int64) ([]byte, error) {
	var body []byte
	if n := resp.ContentLength; n >= 0 {
		body = make([]byte, n)
		n, err := io.ReadFull(resp.Body, body)
		return body[:n], err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err == nil && int64(len(body)) > limit {
		return nil, fmt.Errorf("answer: %w: more than %d bytes", boltseal.ErrLimit, limit)
	}
	return body, err
}

// Check returns an error that says what a registry's answer means, unless its
// status is one of the expected: [fs.ErrNotExist] for what is not there,
// [fs.ErrPermission] for what the credentials do not open,
// [errors.ErrUnsupported] for what the registry does not offer, and
// *[ThrottleError] for what was asked too often.
func Check(resp *http.Response, status ...int) error {
	if slices.Contains(status, resp.StatusCode) {
		return nil
	}
	return Explain(transport.CheckError(resp, status...))
}

// Explain gives an answer of a registry its standard meaning.
func Explain(err error) error {
	var e *transport.Error
	if !errors.As(err, &e) {
		return err
	}
	for _, d := range e.Errors {
		if d.Code == transport.UnsupportedErrorCode {
			return fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
		}
	}
	switch e.StatusCode {
	case http.StatusNotFound:
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w: %w: log in, or check the name: registries answer so for what they do not have, too", fs.ErrPermission, err)
	}
	return err
}

// Unrouted reports whether an error is a 404 in which the registry says nothing
// of its own: it does not know the kind of question, rather than the thing asked for.
func Unrouted(err error) bool {
	var e *transport.Error
	return errors.As(err, &e) && e.StatusCode == http.StatusNotFound && len(e.Errors) == 0
}

// unwrapURL drops the address that http.Client puts before each error: the
// caller knows what it asked, and a redirect's may hold a signature.
func unwrapURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return fmt.Errorf("%s %s: %w", strings.ToUpper(e.Op), redacted(e.URL), e.Err)
	}
	return err
}

func redacted(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "an address that does not parse"
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return u.String()
}

// drain reads the rest of a small body, so that its connection can be used again.
func drain(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, 64<<10)
	_ = body.Close()
}
