package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	digest "github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal"
)

const (
	indexDepth = 4   // indexes within indexes
	documents  = 256 // manifests, indexes and configs read to find one image
)

// Fetcher gives content by its descriptor: the one thing that a store of images
// must be able to do. What it returns need not be verified. Absent content is an
// error that wraps [io/fs.ErrNotExist].
//
// A Fetcher may also have the method Has(v1.Descriptor) bool, which tells
// cheaply whether content is there; then a layer that is absent makes the image
// incomplete, not unusable. Both are safe for concurrent use.
type Fetcher interface {
	Fetch(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error)
}

type hasser interface{ Has(d v1.Descriptor) bool }

// Resolve makes an image of what a descriptor leads to in a store: a manifest,
// or an index of which the platform's is chosen. Indexes may be nested four deep.
// The root descriptor's Data, where set, is used instead of fetching it.
func Resolve(ctx context.Context, f Fetcher, root v1.Descriptor, o *OpenOptions) (*Image, error) {
	r := newResolver(f, o)
	doc, err := r.document(ctx, root)
	if err != nil {
		return nil, err
	}
	if !doc.index {
		return r.image(ctx, candidate{desc: root, doc: doc})
	}
	return r.choose(ctx, doc)
}

// resolver finds one image in a store. It is used once.
type resolver struct {
	fetch    Fetcher
	limits   boltseal.Limits
	platform *v1.Platform

	read         int // documents so far
	visited      map[digest.Digest]bool
	candidates   []candidate
	attestations []v1.Descriptor
	others       []string // what the index holds beside images
	notes        []boltseal.Skip
}

// candidate is an image manifest that an index lists.
type candidate struct {
	desc        v1.Descriptor
	platform    v1.Platform
	doc         *document // nil: not read yet
	annotations map[string]string
}

func newResolver(f Fetcher, o *OpenOptions) *resolver {
	r := &resolver{fetch: f, visited: make(map[digest.Digest]bool)}
	if o == nil {
		o = &OpenOptions{}
	}
	r.limits, r.platform = o.Limits.WithDefaults(), o.Platform
	return r
}

func (r *resolver) note(format string, args ...any) {
	r.notes = append(r.notes, boltseal.Skip{Reason: fmt.Sprintf(format, args...), Note: true})
}

// bytes reads a document under the limit and verifies its size and digest.
func (r *resolver) bytes(ctx context.Context, d v1.Descriptor) ([]byte, error) {
	if err := checkDigest(d.Digest); err != nil {
		return nil, err
	}
	if r.read++; r.read > documents {
		return nil, fmt.Errorf("%w: more than %d manifests, indexes and configs", boltseal.ErrLimit, documents)
	}
	if d.Size < 0 {
		return nil, fmt.Errorf("%s: size %d: %w", d.Digest, d.Size, boltseal.ErrMalformed)
	}
	if d.Size > r.limits.ManifestBytes {
		return nil, fmt.Errorf("%s: %w: %d bytes, Limits.ManifestBytes is %d", d.Digest, boltseal.ErrLimit, d.Size, r.limits.ManifestBytes)
	}
	raw := d.Data
	if len(raw) == 0 {
		rc, err := r.fetch.Fetch(ctx, d)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Digest, err)
		}
		raw, err = io.ReadAll(io.LimitReader(rc, d.Size+1))
		if err = errors.Join(err, rc.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", d.Digest, err)
		}
	}
	if int64(len(raw)) != d.Size {
		return nil, fmt.Errorf("%s: %w: not of the %d bytes its descriptor says", d.Digest, boltseal.ErrMalformed, d.Size)
	}
	return raw, verify(raw, d.Digest)
}

func (r *resolver) document(ctx context.Context, d v1.Descriptor) (*document, error) {
	raw, err := r.bytes(ctx, d)
	if err != nil {
		return nil, err
	}
	doc, err := parseDocument(raw, d.MediaType)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Digest, err)
	}
	return doc, nil
}

// choose picks the image for the platform from an index.
func (r *resolver) choose(ctx context.Context, index *document) (*Image, error) {
	if err := r.collect(ctx, index, index.Annotations, 1); err != nil {
		return nil, err
	}
	c, err := r.pick()
	if err != nil {
		return nil, err
	}
	return r.image(ctx, c)
}

// collect lists the images of an index and of those within it, in order.
func (r *resolver) collect(ctx context.Context, index *document, inherited map[string]string, depth int) error {
	if depth > indexDepth {
		return fmt.Errorf("%w: indexes nested more than %d deep", boltseal.ErrLimit, indexDepth)
	}
	for _, d := range index.Manifests {
		if err := ctx.Err(); err != nil {
			return err
		}
		if d.Annotations[annotationRefType] == refTypeAttestation {
			r.attestations = append(r.attestations, d)
			continue
		}
		if r.visited[d.Digest] {
			continue
		}
		r.visited[d.Digest] = true
		if err := checkDigest(d.Digest); err != nil {
			return err
		}
		c := candidate{desc: d, annotations: merge(inherited, d.Annotations)}
		switch {
		case isIndexType(d.MediaType):
			if h, ok := r.fetch.(hasser); ok && !h.Has(d) {
				r.note("index %s is listed but absent", d.Digest)
				continue
			}
			doc, err := r.document(ctx, d)
			if err != nil {
				return err
			}
			if err := r.collect(ctx, doc, merge(c.annotations, doc.Annotations), depth+1); err != nil {
				return err
			}
			continue
		case d.MediaType != "" && !isManifestType(d.MediaType):
			r.others = append(r.others, d.MediaType)
			continue
		case isArtifact(d.ArtifactType):
			r.others = append(r.others, d.ArtifactType)
			continue
		}
		if h, ok := r.fetch.(hasser); ok && !h.Has(d) {
			r.note("manifest %s%s is listed but absent", d.Digest, platformSuffix(d.Platform))
			continue
		}
		if d.Platform != nil {
			c.platform = *d.Platform
		} else if err := r.inspect(ctx, &c); err != nil {
			if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrNotExist) {
				r.others = append(r.others, err.Error())
				continue
			}
			return err
		}
		if c.platform.OS == "unknown" && c.platform.Architecture == "unknown" {
			r.others = append(r.others, "platform unknown/unknown")
			continue
		}
		r.candidates = append(r.candidates, c)
	}
	return nil
}

// inspect asks the config for a platform that the index does not state.
func (r *resolver) inspect(ctx context.Context, c *candidate) error {
	doc, err := r.document(ctx, c.desc)
	if err != nil {
		return err
	}
	if doc.index { // it came without a media type
		return fmt.Errorf("index %s without a media type: %w", c.desc.Digest, errors.ErrUnsupported)
	}
	if err := checkImage(doc); err != nil {
		return err
	}
	raw, err := r.bytes(ctx, *doc.Config)
	if err != nil {
		return fmt.Errorf("config: %w", err)
	}
	config, err := parseConfig(raw)
	if err != nil {
		return err
	}
	c.doc, c.platform = doc, config.Platform
	return nil
}

func (r *resolver) pick() (candidate, error) {
	if len(r.candidates) == 0 && len(r.others) > 0 {
		return candidate{}, fmt.Errorf("the index holds no image: %w: only %s", errors.ErrUnsupported, clip(strings.Join(r.others, ", ")))
	}
	want := hostPlatform()
	if r.platform != nil {
		want = *r.platform
	} else if len(r.candidates) == 1 {
		return r.candidates[0], nil
	}
	best, at := -1, -1
	var have []v1.Platform
	for i, c := range r.candidates {
		have = append(have, c.platform)
		if d := distance(want, c.platform); d >= 0 && (best < 0 || d < best) {
			best, at = d, i
		}
	}
	if at < 0 {
		return candidate{}, errPlatform(want, have)
	}
	return r.candidates[at], nil
}
