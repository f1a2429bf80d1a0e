package remote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// endpoint is one repository on one host. The first request logs in.
type endpoint struct {
	repo name.Repository
	keys authn.Keychain
	base http.RoundTripper

	mu     sync.Mutex
	client *http.Client // nil: not logged in
	failed error        // of the login; nobody waits for a dead mirror twice
}

// login finds out how the registry wants to be spoken to, and gets a token.
func (e *endpoint) login(ctx context.Context) (*http.Client, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client == nil && e.failed == nil {
		client, err := e.dial(ctx)
		if ctx.Err() != nil {
			return nil, err
		}
		e.client, e.failed = client, err
	}
	return e.client, e.failed
}

func (e *endpoint) dial(ctx context.Context) (*http.Client, error) {
	auth, err := authn.Resolve(ctx, e.keys, e.repo)
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	rt := transport.NewRetry(transport.NewUserAgent(e.base, "boltseal"), transport.WithRetryStatusCodes(
		http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout))
	rt, err = transport.NewWithContext(ctx, e.repo.Registry, auth, rt, []string{e.repo.Scope(transport.PullScope)})
	if err != nil {
		return nil, explain(err)
	}
	return &http.Client{Transport: rt}, nil
}

// get asks for manifests/REF or blobs/DIGEST. The caller closes the body.
func (e *endpoint) get(ctx context.Context, path string, header http.Header) (*http.Response, error) {
	client, err := e.login(ctx)
	if err != nil {
		return nil, err
	}
	u := url.URL{Scheme: e.repo.Scheme(), Host: e.repo.RegistryStr(), Path: "/v2/" + e.repo.RepositoryStr() + "/" + path}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header = header.Clone()
	resp, err := client.Do(req)
	if err != nil {
		return nil, explain(err)
	}
	if err := transport.CheckError(resp, http.StatusOK, http.StatusPartialContent); err != nil {
		resp.Body.Close()
		return nil, explain(err)
	}
	return resp, nil
}

// explain gives an answer of the registry its standard meaning.
func explain(err error) error {
	var e *transport.Error
	if errors.As(err, &e) {
		switch e.StatusCode {
		case http.StatusNotFound:
			return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
		case http.StatusUnauthorized, http.StatusForbidden:
			return fmt.Errorf("%w: %w: log in, or check the name: registries answer so for what they do not have, too", fs.ErrPermission, err)
		}
	}
	return err
}
