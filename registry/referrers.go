package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/http"
	"net/url"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/distribution"
)

// maxReferrers bounds what one manifest may have attached.
const maxReferrers = 10_000

// Referrers implements [Client] by the referrers API, or where a registry has
// none, by the tag that takes its place (distribution specification, "Referrers
// Tag Schema"). A manifest that nothing refers to has no referrers; that is no
// error.
func (r *Remote) Referrers(ctx context.Context, repo string, subject digest.Digest, artifactType string) iter.Seq2[v1.Descriptor, error] {
	return func(yield func(v1.Descriptor, error) bool) {
		fail := func(err error) { yield(v1.Descriptor{}, r.located("list referrers of", repo, subject.String(), err)) }
		if err := errors.Join(checkRepo(repo), subject.Validate()); err != nil {
			fail(fmt.Errorf("%w: %w", boltseal.ErrMalformed, err))
			return
		}
		count := 0
		// each yields what a page holds, filtered by us: a registry may ignore
		// the question.
		each := func(m *Manifest) bool {
			for _, d := range m.Manifests {
				if artifactType != "" && d.ArtifactType != artifactType {
					continue
				}
				if count++; count > maxReferrers {
					fail(fmt.Errorf("%w: more than %d", boltseal.ErrLimit, maxReferrers))
					return false
				}
				if !yield(d, nil) {
					return false
				}
			}
			return true
		}
		if !r.noReferrers.Load() {
			req := distribution.Request{Repository: repo, Path: "referrers/" + subject.String(), Header: http.Header{"Accept": {v1.MediaTypeImageIndex}}}
			if artifactType != "" {
				req.Query = "artifactType=" + url.QueryEscape(artifactType)
			}
			absent, err := false, error(nil)
			var body []byte
			for body, err = range r.pages(ctx, req) {
				if absent = errors.Is(err, fs.ErrNotExist) || errors.Is(err, errors.ErrUnsupported); absent {
					break
				}
				var m *Manifest
				if err == nil {
					m, err = ParseManifest(v1.MediaTypeImageIndex, body)
				}
				if err != nil {
					fail(err)
					return
				}
				if !each(m) {
					return
				}
			}
			if !absent {
				return
			}
			if distribution.Unrouted(err) || errors.Is(err, errors.ErrUnsupported) {
				r.noReferrers.Store(true) // ask it no more
			}
		}
		m, err := r.Manifest(ctx, repo, referrersTag(subject))
		if err == nil && !m.IsIndex() {
			err = fmt.Errorf("%w: the tag %s is no index", boltseal.ErrMalformed, referrersTag(subject))
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			fail(err)
		default:
			each(m)
		}
	}
}

// referrersTag is the digest as a tag: the algorithm in at most 32 characters,
// a dash, and at most 64 of the rest.
func referrersTag(d digest.Digest) string {
	algorithm, hex := d.Algorithm().String(), d.Encoded()
	return algorithm[:min(32, len(algorithm))] + "-" + hex[:min(64, len(hex))]
}
