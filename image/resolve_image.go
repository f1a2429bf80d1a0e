package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	digest "github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal"
)

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
		RawManifest: c.doc.raw,
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
