package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/distribution"
)

// PushBlob implements [Pusher]: a POST that opens an upload, and one PUT with
// all of the content.
func (r *Remote) PushBlob(ctx context.Context, repo string, d v1.Descriptor, open func() (io.ReadCloser, error)) error {
	if err := checkBlob(repo, d); err != nil {
		return err
	}
	if ok, err := r.has(ctx, repo, d); err != nil || ok {
		return err
	}
	upload, err := r.upload(ctx, repo, "", d)
	if err == nil {
		err = r.put(ctx, repo, upload, d, open)
	}
	if err != nil {
		return r.located("push blob", repo, d.Digest.String(), err)
	}
	return nil
}

// Mount implements [Pusher].
func (r *Remote) Mount(ctx context.Context, repo, from string, d v1.Descriptor) (bool, error) {
	if err := errors.Join(checkBlob(repo, d), checkRepo(from)); err != nil {
		return false, err
	}
	upload, err := r.upload(ctx, repo, from, d)
	if err != nil {
		return false, r.located("mount", repo, d.Digest.String(), err)
	}
	if upload == nil {
		return true, nil
	}
	// The registry opened an upload instead. Nobody will use it.
	_, _, _ = r.session.Fetch(ctx, distribution.Request{Method: http.MethodDelete, Repository: repo, URL: upload, Push: true}, maxPage, http.StatusNoContent)
	return false, nil
}

func checkBlob(repo string, d v1.Descriptor) error {
	if err := checkRepo(repo); err != nil {
		return err
	}
	if d.Digest.Validate() != nil || d.Size < 0 {
		return fmt.Errorf("blob %.100q of %d bytes: %w", d.Digest, d.Size, boltseal.ErrMalformed)
	}
	return nil
}

func (r *Remote) has(ctx context.Context, repo string, d v1.Descriptor) (bool, error) {
	_, _, err := r.session.Fetch(ctx, distribution.Request{Method: http.MethodHead, Repository: repo, Path: "blobs/" + d.Digest.String(), Push: true}, 0, http.StatusOK)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// upload opens one, or with from mounts a blob: then it returns nil if there is
// nothing left to upload.
func (r *Remote) upload(ctx context.Context, repo, from string, d v1.Descriptor) (*url.URL, error) {
	req := distribution.Request{Method: http.MethodPost, Repository: repo, Path: "blobs/uploads/", Push: true, From: from}
	if from != "" {
		req.Query = url.Values{"mount": {d.Digest.String()}, "from": {from}}.Encode()
	}
	_, resp, err := r.session.Fetch(ctx, req, maxPage, http.StatusAccepted, http.StatusCreated)
	if err != nil {
		return nil, err
	}
	if from != "" && resp.StatusCode == http.StatusCreated {
		return nil, nil
	}
	u, err := resp.Location()
	if err != nil {
		return nil, fmt.Errorf("the registry opened an upload and does not say where: %w: %w", boltseal.ErrMalformed, err)
	}
	return u, nil
}

func (r *Remote) put(ctx context.Context, repo string, upload *url.URL, d v1.Descriptor, open func() (io.ReadCloser, error)) error {
	u := *upload
	q := u.Query()
	q.Set("digest", d.Digest.String())
	u.RawQuery = q.Encode()
	resp, err := r.session.Do(ctx, distribution.Request{
		Method: http.MethodPut, Repository: repo, URL: &u, Push: true, Body: open, Size: d.Size,
		Header: http.Header{"Content-Type": {"application/octet-stream"}},
	})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return distribution.Check(resp, http.StatusCreated)
}

// PushManifest implements [Pusher].
func (r *Remote) PushManifest(ctx context.Context, repo, tag string, m *Manifest) error {
	ref := tag
	if ref == "" {
		ref = m.Digest.String()
	}
	if _, err := checkRef(repo, ref); err != nil {
		return err
	}
	req := distribution.Request{
		Method: http.MethodPut, Repository: repo, Path: "manifests/" + ref, Push: true, Size: m.Size,
		Header: http.Header{"Content-Type": {m.MediaType}}, Body: bytesBody(m.Raw),
	}
	_, resp, err := r.session.Fetch(ctx, req, maxPage, http.StatusCreated)
	if err != nil {
		return r.located("push manifest", repo, ref, err)
	}
	if m.Subject != nil && resp.Header.Get("OCI-Subject") == "" {
		if err := r.refer(ctx, repo, m); err != nil {
			return r.located("push manifest", repo, ref, err)
		}
	}
	return nil
}
