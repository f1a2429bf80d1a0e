package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal"
)

// Media types of Docker's own, older forms of a manifest (Image Manifest V2,
// Schema 2), which mean the same as OCI's.
const (
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerSchema1  = "application/vnd.docker.distribution.manifest.v1+"
)

// maxManifest is what a manifest may have at most. The specification asks
// registries to take 4 MiB.
const maxManifest = 4 << 20

// Manifest is a manifest of any kind, verified against its digest. Treat it as
// read-only.
type Manifest struct {
	v1.Descriptor        // MediaType, Digest, Size; ArtifactType as the manifest states it
	Raw           []byte // as the registry has it
	Config        *v1.Descriptor
	Layers        []v1.Descriptor
	// Manifests is what an index holds: one for each platform, and attestations
	// beside them.
	Manifests []v1.Descriptor
	// Subject is the manifest that this one refers to.
	Subject *v1.Descriptor
}

// IsIndex reports whether it is a list of other manifests.
func (m *Manifest) IsIndex() bool {
	return m.MediaType == v1.MediaTypeImageIndex || m.MediaType == dockerList
}

// IsArtifact reports whether it is neither an index nor an image that can run
// (image specification 1.1, "Guidelines for artifact usage").
func (m *Manifest) IsArtifact() bool {
	return !m.IsIndex() && (m.Subject != nil || m.ArtifactType != "" || m.Config == nil || !isImageConfig(m.Config.MediaType))
}

func isImageConfig(mediaType string) bool {
	return mediaType == v1.MediaTypeImageConfig || mediaType == "application/vnd.docker.container.image.v1+json"
}

// ParseManifest reads a manifest and computes its digest, by SHA-256. The media
// type is what the registry said, or empty; the document's own goes before it.
// The error wraps [boltseal.ErrMalformed], [boltseal.ErrLimit] or, for Docker's
// schema 1 and unknown types, [errors.ErrUnsupported].
func ParseManifest(mediaType string, raw []byte) (*Manifest, error) {
	if len(raw) > maxManifest {
		return nil, fmt.Errorf("manifest of %d bytes: %w: at most %d", len(raw), boltseal.ErrLimit, maxManifest)
	}
	var doc struct {
		specs.Versioned
		MediaType    string            `json:"mediaType"`
		ArtifactType string            `json:"artifactType"`
		Config       *v1.Descriptor    `json:"config"`
		Layers       []v1.Descriptor   `json:"layers"`
		Manifests    []v1.Descriptor   `json:"manifests"`
		Subject      *v1.Descriptor    `json:"subject"`
		Annotations  map[string]string `json:"annotations"`
		FSLayers     []json.RawMessage `json:"fsLayers"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("manifest: %w: %w", boltseal.ErrMalformed, err)
	}
	if doc.SchemaVersion == 1 || doc.FSLayers != nil || strings.HasPrefix(mediaType, dockerSchema1) {
		return nil, fmt.Errorf("manifest of Docker's schema 1: %w: push the image again with a current tool", errors.ErrUnsupported)
	}
	if doc.Manifests != nil && (doc.Layers != nil || doc.Config != nil) {
		// Two readers would see two images (CVE-2021-41190).
		return nil, fmt.Errorf("manifest: %w: both an index and an image", boltseal.ErrMalformed)
	}
	switch {
	case doc.MediaType != "":
		mediaType = doc.MediaType
	case isManifestType(mediaType):
	case doc.Manifests != nil:
		mediaType = v1.MediaTypeImageIndex
	case doc.Config != nil:
		mediaType = v1.MediaTypeImageManifest
	}
	if !isManifestType(mediaType) {
		return nil, fmt.Errorf("manifest of type %.100q: %w", mediaType, errors.ErrUnsupported)
	}
	m := &Manifest{
		Descriptor: v1.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(raw), Size: int64(len(raw)), ArtifactType: doc.ArtifactType, Annotations: doc.Annotations},
		Raw:        raw, Config: doc.Config, Layers: doc.Layers, Manifests: doc.Manifests, Subject: doc.Subject,
	}
	if m.IsIndex() != (doc.Config == nil && doc.Layers == nil) {
		return nil, fmt.Errorf("manifest: %w: its type is %s and its content is not", boltseal.ErrMalformed, mediaType)
	}
	if m.ArtifactType == "" && m.Config != nil && !m.IsIndex() && !isImageConfig(m.Config.MediaType) {
		m.ArtifactType = m.Config.MediaType
	}
	for d := range m.descriptors() {
		if err := d.Digest.Validate(); err != nil || d.Size < 0 {
			return nil, fmt.Errorf("manifest: %w: a descriptor with the digest %.100q and size %d", boltseal.ErrMalformed, d.Digest, d.Size)
		}
	}
	return m, nil
}

// descriptors yields all that the manifest names.
func (m *Manifest) descriptors() func(yield func(*v1.Descriptor) bool) {
	return func(yield func(*v1.Descriptor) bool) {
		for _, d := range []*v1.Descriptor{m.Config, m.Subject} {
			if d != nil && !yield(d) {
				return
			}
		}
		for _, list := range [][]v1.Descriptor{m.Layers, m.Manifests} {
			for i := range list {
				if !yield(&list[i]) {
					return
				}
			}
		}
	}
}

func isManifestType(mediaType string) bool {
	switch mediaType {
	case v1.MediaTypeImageIndex, v1.MediaTypeImageManifest, dockerList, dockerManifest:
		return true
	}
	return false
}
