package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal"
)

// OpenOptions are the settings of [Open]. Nil and the zero value are ready to use.
type OpenOptions struct {
	// Platform is the one to choose where a source holds several. Nil: the only
	// one there is, else Linux on this machine's architecture. A platform that
	// is asked for and absent is an error that lists those present.
	Platform *v1.Platform
	// Transports open references that this package does not know by itself:
	// registries (image/remote), a Docker daemon (image/daemon), or the caller's
	// own.
	Transports []Transport
	// SpoolDir is where a transport may put what it must read more than once: a
	// compressed archive, a daemon's stream. The files are removed when the
	// image is closed. Empty: nothing is written, a compressed archive is
	// inflated from its start for every layer, and transports that cannot do
	// without say so.
	SpoolDir string
	Limits   boltseal.Limits
}

// Transport opens the references that start with one of its prefixes.
type Transport struct {
	// Prefixes are like "docker:" and "docker://"; the longest match of all
	// transports wins. The empty prefix takes what no other one does.
	Prefixes []string
	// Open opens a reference, its prefix removed. The options are not nil. It is
	// safe for concurrent use.
	Open func(ctx context.Context, ref string, o *OpenOptions) (*Image, error)
}

// elsewhere says which package knows a prefix that this one does not.
var elsewhere = [...]struct{ prefix, hint string }{
	{"docker://", "give remote.Transport of image/remote in OpenOptions.Transports"},
	{"registry:", "give remote.Transport of image/remote in OpenOptions.Transports"},
	{"docker:", "give daemon.Transport of image/daemon in OpenOptions.Transports"},
	{"docker-daemon:", "give daemon.Transport of image/daemon in OpenOptions.Transports"},
	{"containerd:", "write oci:ROOT/io.containerd.content.v1.content:sha256:…, with the digest that ctr images ls shows"},
	{"containers-storage:", "save the image first, with podman save --format oci-archive"},
	{"podman:", "save the image first, with podman save --format oci-archive"},
}

// Open opens the image that a reference names. By itself it understands
//
//	oci:DIR[:REF]              an OCI image layout directory
//	oci-archive:FILE[:REF]     the same in a tar file, which may be compressed
//	docker-archive:FILE[:REF]  what docker save writes, old form and new
//	dir:DIR                    a root file system, as one layer
//
// and, through [OpenOptions.Transports], any other prefix. REF chooses among
// several images: a tag or name as the archive has it, a digest, or @N for the
// Nth from 0. With a digest, oci: also opens a store of blobs without index.json,
// such as containerd's io.containerd.content.v1.content. Both archive forms are
// recognised by content, whatever the prefix.
//
// Manifests and configs are verified against their digests; layers are verified
// by whoever reads them. The caller closes the image.
//
// Errors wrap [io/fs.ErrNotExist] for what is not there (a file, an image, a
// platform), [errors.ErrUnsupported] for what is no image or has an obsolete
// form, [boltseal.ErrMalformed] and [boltseal.ErrLimit].
func Open(ctx context.Context, ref string, o *OpenOptions) (*Image, error) {
	if o == nil {
		o = &OpenOptions{}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	prefix, open := findTransport(ref, o.Transports)
	if open == nil {
		return nil, fmt.Errorf("open image %q: %w: %s", ref, errors.ErrUnsupported, transportHint(ref))
	}
	img, err := open(ctx, ref[len(prefix):], o)
	if err != nil {
		return nil, fmt.Errorf("open image %q: %w", ref, err)
	}
	if img.Name == "" {
		img.Name = ref
	}
	return img, nil
}

type opener = func(context.Context, string, *OpenOptions) (*Image, error)

func findTransport(ref string, given []Transport) (prefix string, open opener) {
	for _, t := range given {
		for _, p := range t.Prefixes {
			if strings.HasPrefix(ref, p) && (open == nil || len(p) > len(prefix)) {
				prefix, open = p, t.Open
			}
		}
	}
	own := [...]struct {
		prefix string
		open   opener
	}{
		{"oci:", openLayout},
		{"oci-archive:", openArchiveFile},
		{"docker-archive:", openArchiveFile},
		{"dir:", openDir},
	}
	for _, t := range own {
		if strings.HasPrefix(ref, t.prefix) && (open == nil || len(t.prefix) > len(prefix)) {
			prefix, open = t.prefix, t.open
		}
	}
	// "docker:" would otherwise be a repository called docker.
	for _, t := range elsewhere {
		if strings.HasPrefix(ref, t.prefix) && len(t.prefix) > len(prefix) {
			return "", nil
		}
	}
	return prefix, open
}

func transportHint(ref string) string {
	for _, t := range elsewhere {
		if strings.HasPrefix(ref, t.prefix) {
			return t.hint
		}
	}
	if fi, err := os.Stat(ref); err == nil {
		if fi.IsDir() {
			return "it is a directory: write oci:" + ref + " or dir:" + ref
		}
		return "it is a file: write oci-archive:" + ref + " or docker-archive:" + ref
	}
	return "to pull from registries give remote.Transport of image/remote in OpenOptions.Transports"
}

// splitPath separates PATH[:REF] into its parts: the shortest path before a
// colon that exists, unless all of it does.
func splitPath(s string) (path, ref string, err error) {
	if s == "" {
		return "", "", fmt.Errorf("no path given: %w", fs.ErrNotExist)
	}
	_, whole := os.Stat(s)
	if whole == nil {
		return s, "", nil
	}
	for i := range len(s) {
		if s[i] != ':' || i == 0 {
			continue
		}
		if _, err := os.Stat(s[:i]); err == nil {
			return s[:i], s[i+1:], nil
		}
	}
	return "", "", whole
}
