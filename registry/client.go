package registry

import (
	"context"
	"io"
	"iter"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// Client reads from one registry. [Remote] speaks to a real one. An
// implementation is safe for concurrent use.
type Client interface {
	// Host is the registry's name as in an image's: "registry.example.com:5000".
	Host() string
	// Repositories yields the names of all repositories that the credentials
	// see, in the registry's order, each once.
	Repositories(ctx context.Context) iter.Seq2[string, error]
	// Tags yields the tags of a repository, in the registry's order, each once.
	Tags(ctx context.Context, repo string) iter.Seq2[string, error]
	// Resolve tells what a tag or digest is now, without reading it.
	Resolve(ctx context.Context, repo, ref string) (v1.Descriptor, error)
	// Manifest reads what a tag or digest names, and verifies it.
	Manifest(ctx context.Context, repo, ref string) (*Manifest, error)
	// Blob opens a blob. The end of the stream is an error if the content is
	// not what the descriptor says.
	Blob(ctx context.Context, repo string, d v1.Descriptor) (io.ReadCloser, error)
	// Referrers yields what refers to a manifest: signatures, attestations,
	// bills of materials. An empty artifactType means all.
	Referrers(ctx context.Context, repo string, subject digest.Digest, artifactType string) iter.Seq2[v1.Descriptor, error]
}

// Pusher writes to one registry.
type Pusher interface {
	// PushBlob writes a blob unless it is there already. open may be called
	// more than once, and not at all.
	PushBlob(ctx context.Context, repo string, d v1.Descriptor, open func() (io.ReadCloser, error)) error
	// PushManifest writes a manifest under its digest and, unless tag is
	// empty, under a tag. Its blobs must be there.
	PushManifest(ctx context.Context, repo, tag string, m *Manifest) error
	// Mount makes a blob of one repository another's, without moving it; false
	// if the registry would rather have it pushed.
	Mount(ctx context.Context, repo, from string, d v1.Descriptor) (bool, error)
}
