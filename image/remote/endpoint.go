package remote

import (
	"context"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/boltseal/boltseal/internal/distribution"
)

// endpoint is one repository on one host.
type endpoint struct {
	session *distribution.Session
	repo    name.Repository
}

// get asks for manifests/REF or blobs/DIGEST. The caller closes the body.
func (e *endpoint) get(ctx context.Context, path string, header http.Header) (*http.Response, error) {
	resp, err := e.session.Do(ctx, distribution.Request{Repository: e.repo.RepositoryStr(), Path: path, Header: header})
	if err != nil {
		return nil, err
	}
	if err := distribution.Check(resp, http.StatusOK, http.StatusPartialContent); err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp, nil
}
