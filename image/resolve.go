package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
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

// image makes the view of one manifest.
func (r *resolver) image(ctx context.Context, c candidate) (*Image, error) {
	if c.doc == nil {
		doc, err := r.document(ctx, c.desc)
		if err != nil {
			return nil, err
		}
		c.doc = doc
	}
	if c.doc.index {
		return nil, fmt.Errorf("%s: %w: an index where a manifest was announced", c.desc.Digest, boltseal.ErrMalformed)
	}
	if err := checkImage(c.doc); err != nil {
		return nil, fmt.Errorf("%s: %w", c.desc.Digest, err)
	}
	raw, err := r.bytes(ctx, *c.doc.Config)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	config, err := parseConfig(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.doc.Config.Digest, err)
	}
	img := &Image{
		Digest:      c.desc.Digest,
		ImageID:     c.doc.Config.Digest,
		MediaType:   c.doc.MediaType,
		Platform:    config.Platform,
		Config:      config,
		Annotations: merge(c.annotations, c.doc.Annotations),
	}
	if img.Platform.OS == "" && img.Platform.Architecture == "" {
		img.Platform = c.platform
	} else if c.platform.Architecture != "" && distance(img.Platform, c.platform) < 0 && distance(c.platform, img.Platform) < 0 {
		r.note("the index says %s, the config %s", clip(FormatPlatform(c.platform)), clip(FormatPlatform(img.Platform)))
	}
	if img.Layers, err = r.layers(c.doc.Layers, config.RootFS.DiffIDs); err != nil {
		return nil, fmt.Errorf("%s: %w", c.desc.Digest, err)
	}
	if err := r.finish(img); err != nil {
		return nil, err
	}
	img.Attestations = r.attest(ctx, c.desc.Digest)
	img.Notes = r.notes
	return img, nil
}

// finish does what images of every source need: the platform that was asked
// for, and remarks on the history.
func (r *resolver) finish(img *Image) error {
	if r.platform != nil && distance(*r.platform, img.Platform) < 0 {
		return errPlatform(*r.platform, []v1.Platform{img.Platform})
	}
	made := 0
	for _, h := range img.Config.History {
		if !h.EmptyLayer {
			made++
		}
	}
	if made != len(img.Layers) && len(img.Config.History) > 0 {
		r.note("the history tells of %d layers, there are %d", made, len(img.Layers))
	}
	return nil
}

// isArtifact tells whether an artifactType is that of something else than an
// image: go-containerregistry writes the config's media type there.
func isArtifact(t string) bool { return t != "" && !isConfigType(t) }

// checkImage refuses manifests of things that are no container images.
func checkImage(d *document) error {
	switch {
	case isArtifact(d.ArtifactType):
		return fmt.Errorf("an artifact of type %q, not an image: %w", clip(d.ArtifactType), errors.ErrUnsupported)
	case d.Config == nil:
		return fmt.Errorf("%w: a manifest without config", boltseal.ErrMalformed)
	case !isConfigType(d.Config.MediaType):
		return fmt.Errorf("an artifact whose config is %q, not an image: %w", clip(d.Config.MediaType), errors.ErrUnsupported)
	case len(d.Layers) > 0 && !slices.ContainsFunc(d.Layers, func(l v1.Descriptor) bool { return l.MediaType != inTotoType }):
		return fmt.Errorf("an attestation, not an image: %w", errors.ErrUnsupported)
	}
	return nil
}

func (r *resolver) layers(descs []v1.Descriptor, diffIDs []digest.Digest) ([]Layer, error) {
	if len(descs) != len(diffIDs) {
		return nil, fmt.Errorf("%w: %d layers, but %d diffIDs in the config", boltseal.ErrMalformed, len(descs), len(diffIDs))
	}
	if len(descs) > r.limits.Layers {
		return nil, fmt.Errorf("%w: %d layers, Limits.Layers is %d", boltseal.ErrLimit, len(descs), r.limits.Layers)
	}
	layers := make([]Layer, 0, len(descs))
	for i, d := range descs {
		if err := checkDigest(d.Digest); err != nil {
			return nil, fmt.Errorf("layer %d: %w", i, err)
		}
		if d.Size < 0 {
			return nil, fmt.Errorf("layer %d: size %d: %w", i, d.Size, boltseal.ErrMalformed)
		}
		l := Layer{Index: i, MediaType: d.MediaType, Digest: d.Digest, DiffID: diffIDs[i], Size: d.Size, Annotations: d.Annotations}
		if l.Unreadable = r.unreadable(d); l.Unreadable == "" {
			l.Blob = r.blob(d)
		}
		layers = append(layers, l)
	}
	return layers, nil
}

// unreadable says why a layer's content cannot be had from this store.
func (r *resolver) unreadable(d v1.Descriptor) string {
	t := d.MediaType
	switch {
	case strings.HasSuffix(t, "+encrypted"):
		return "the layer is encrypted"
	case strings.Contains(t, ".erofs."):
		return "the layer is an EROFS image, which is not read"
	case strings.HasPrefix(t, "application/") && !isLayerType(t):
		return fmt.Sprintf("the layer is of the unknown media type %q", clip(t))
	}
	h, local := r.fetch.(hasser)
	switch {
	case local && h.Has(d):
		return ""
	case len(d.URLs) > 0:
		return "the layer is foreign: it lies at " + clip(d.URLs[0])
	case local:
		return "the layer's blob is absent"
	}
	return ""
}

// isLayerType tells whether a media type is that of a tar, compressed or not.
func isLayerType(t string) bool {
	t, _, _ = strings.Cut(t, "+")
	t = strings.TrimSuffix(strings.TrimSuffix(t, ".gzip"), ".zstd")
	switch t {
	case v1.MediaTypeImageLayer, "application/vnd.oci.image.layer.nondistributable.v1.tar",
		dockerLayer, "application/vnd.docker.image.rootfs.foreign.diff.tar":
		return true
	}
	return false
}

func (r *resolver) blob(d v1.Descriptor) func(context.Context) (io.ReadCloser, error) {
	if len(d.Data) > 0 && int64(len(d.Data)) == d.Size {
		return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(d.Data)), nil }
	}
	f := r.fetch
	return func(ctx context.Context) (io.ReadCloser, error) { return f.Fetch(ctx, d) }
}

func merge(low, high map[string]string) map[string]string {
	if len(low) == 0 {
		return high
	}
	if len(high) == 0 {
		return low
	}
	out := maps.Clone(low)
	maps.Copy(out, high)
	return out
}

func platformSuffix(p *v1.Platform) string {
	if p == nil {
		return ""
	}
	return " (" + clip(FormatPlatform(*p)) + ")"
}
