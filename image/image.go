package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	digest "github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal"
)

// Image is one image for one platform, whatever it came from: plain data, and
// layers that are read on request. [Open] makes one; so may anybody who has
// manifests and blobs of their own.
//
// An Image is read-only once made, and then safe for concurrent use.
type Image struct {
	// Name is what the caller asked for, or a better name where the source has one.
	Name string
	// Digest is that of the manifest. Old docker archives and plain directories have none.
	Digest digest.Digest
	// ImageID is the digest of the config.
	ImageID   digest.Digest
	MediaType string // of the manifest
	// RawManifest is the manifest document, verified and at most
	// Limits.ManifestBytes long. Old docker archives and plain directories have
	// none. The config document is Config.Raw.
	RawManifest json.RawMessage
	Platform    v1.Platform
	Config      Config
	// Annotations are the manifest's, over those of the index entry that led to it.
	Annotations map[string]string
	// Layers holds every layer of the config, lowest first.
	Layers []Layer
	// Attestations are statements about this image that its index carries
	// (provenance, SBOMs). They are listed, never scanned.
	Attestations []Attestation
	// Findings are signs of deceit: two views of one archive that disagree.
	Findings []boltseal.Finding
	// Notes are remarks made while opening, and what could not be read.
	Notes []boltseal.Skip
	// Closer releases what the layers read from. It may be nil.
	Closer io.Closer
}

// Close releases the image's source. Layers cannot be opened afterwards.
func (m *Image) Close() error {
	if m == nil || m.Closer == nil {
		return nil
	}
	return m.Closer.Close()
}

// Config is an image's configuration: the OCI image configuration, the fields
// that Docker adds, and the document itself.
type Config struct {
	v1.Image
	// Container holds what Docker writes into config beside OCI's own fields.
	Container ContainerExtras
	Comment   string // set by docker commit
	// Raw is the config document as the image has it, verified and at most
	// Limits.ManifestBytes long: environment, labels, commands, history, and
	// whatever else a builder wrote there. Plain directories have none.
	Raw json.RawMessage
}

// ContainerExtras are the fields that Docker adds to the OCI execution
// parameters (moby image spec v1.3).
type ContainerExtras struct {
	Healthcheck *Healthcheck `json:"Healthcheck,omitempty"`
	OnBuild     []string     `json:"OnBuild,omitempty"`
	Shell       []string     `json:"Shell,omitempty"`
}

// Healthcheck is how Docker tells whether a container is well. Durations are
// nanoseconds.
type Healthcheck struct {
	Test          []string `json:"Test,omitempty"`
	Interval      int64    `json:"Interval,omitempty"`
	Timeout       int64    `json:"Timeout,omitempty"`
	StartPeriod   int64    `json:"StartPeriod,omitempty"`
	StartInterval int64    `json:"StartInterval,omitempty"`
	Retries       int      `json:"Retries,omitempty"`
}

// Layer is one layer of an image.
type Layer struct {
	Index     int           // position, 0 is the lowest
	MediaType string        // as the manifest claims; readers look at the bytes
	Digest    digest.Digest // of the blob as stored; empty where the source knows none
	DiffID    digest.Digest // of the uncompressed tar; empty for a directory
	Size      int64         // bytes of the blob as stored; -1 is unknown
	// Annotations are those of the layer's descriptor.
	Annotations map[string]string
	// Unreadable says why the layer's content cannot be known: it lies
	// elsewhere, is encrypted, or is absent. Empty: it can be opened.
	Unreadable string
	// FS is set instead of Blob where the layer is a directory on this machine.
	FS fs.FS
	// Blob opens the layer as stored, compressed or not. It is safe for
	// concurrent use and nobody has checked the bytes against Digest, DiffID or
	// Size: whoever reads them does. What it returns may implement
	// [SizedReaderAt].
	Blob func(context.Context) (io.ReadCloser, error)
}

// SizedReaderAt is implemented by blobs that lie on this machine and can be
// read at any place. Size is in bytes.
type SizedReaderAt interface {
	io.ReaderAt
	Size() int64
}

// Open opens the layer's blob as stored. A layer that cannot be read, and one
// that is a directory, is an error that wraps [errors.ErrUnsupported].
func (l *Layer) Open(ctx context.Context) (io.ReadCloser, error) {
	switch {
	case l.Unreadable != "":
		return nil, l.fail(fmt.Errorf("%s: %w", l.Unreadable, errors.ErrUnsupported))
	case l.Blob == nil:
		return nil, l.fail(fmt.Errorf("it has no blob: %w: a directory is read through FS", errors.ErrUnsupported))
	}
	if err := ctx.Err(); err != nil {
		return nil, l.fail(err)
	}
	r, err := l.Blob(ctx)
	if err != nil {
		return nil, l.fail(err)
	}
	return r, nil
}

func (l *Layer) fail(err error) error {
	name := l.DiffID
	if name == "" {
		name = l.Digest
	}
	return &boltseal.Error{Op: "open layer", Location: boltseal.Location{Layer: string(name)}, Err: err}
}

// Attestation is a statement about an image, attached by its builder: a
// manifest beside the image's own in the index, one blob per statement.
type Attestation struct {
	Subject       digest.Digest // manifest that the statement is about
	Manifest      digest.Digest // manifest that holds the statement
	MediaType     string        // of the blob: application/vnd.in-toto+json
	PredicateType string        // what it states, as the annotation in-toto.io/predicate-type says
	Digest        digest.Digest // of the blob
	Size          int64         // bytes
	// Blob opens the statement, unchecked. Nobody has verified a signature.
	Blob func(context.Context) (io.ReadCloser, error)
}
