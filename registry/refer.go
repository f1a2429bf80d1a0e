package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal"
)

// refer writes a manifest into the index that stands, under the referrers tag,
// for the API that the registry does not have. The specification gives no way to
// do so in one step: of two who write at once, one is lost. Who pushes many
// referrers to one manifest does it one after the other.
func (r *Remote) refer(ctx context.Context, repo string, m *Manifest) error {
	tag := referrersTag(m.Subject.Digest)
	index := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex}
	old, err := r.Manifest(ctx, repo, tag)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !old.IsIndex():
		return fmt.Errorf("%w: the tag %s is no index", boltseal.ErrMalformed, tag)
	default:
		index.Manifests = old.Manifests
	}
	if slices.ContainsFunc(index.Manifests, func(d v1.Descriptor) bool { return d.Digest == m.Digest }) {
		return nil
	}
	index.Manifests = append(index.Manifests, m.Descriptor)
	raw, err := json.Marshal(index)
	if err != nil {
		return err
	}
	parsed, err := ParseManifest(index.MediaType, raw)
	if err != nil {
		return err
	}
	return r.PushManifest(ctx, repo, tag, parsed)
}

// Attach pushes an artifact of one blob that refers to a manifest: a signature,
// a bill of materials, an attestation (image specification 1.1, "Guidelines for
// artifact usage"). It returns the artifact's manifest.
func Attach(ctx context.Context, p Pusher, repo string, subject v1.Descriptor, artifactType, mediaType string, content []byte, annotations map[string]string) (*Manifest, error) {
	if artifactType == "" {
		return nil, fmt.Errorf("attach to %s: %w: an artifact needs a type", subject.Digest, boltseal.ErrMalformed)
	}
	blob := v1.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(content), Size: int64(len(content))}
	doc := v1.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageManifest, ArtifactType: artifactType,
		Config: v1.DescriptorEmptyJSON, Layers: []v1.Descriptor{blob},
		Subject:     &v1.Descriptor{MediaType: subject.MediaType, Digest: subject.Digest, Size: subject.Size},
		Annotations: annotations,
	}
	doc.Config.Data = nil
	raw, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	m, err := ParseManifest(doc.MediaType, raw)
	if err != nil {
		return nil, err
	}
	if err := p.PushBlob(ctx, repo, doc.Config, bytesBody(v1.DescriptorEmptyJSON.Data)); err != nil {
		return nil, err
	}
	if err := p.PushBlob(ctx, repo, blob, bytesBody(content)); err != nil {
		return nil, err
	}
	return m, p.PushManifest(ctx, repo, "", m)
}

func bytesBody(b []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
}
