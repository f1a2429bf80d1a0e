package registry

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/boltseal/boltseal"
)

// CopyOptions are the settings of [Copy]. Nil and the zero value are ready to use.
type CopyOptions struct {
	// Parallel is how many blobs move at once; 0 means 4.
	Parallel int
	// Referrers copies what refers to the image as well: signatures,
	// attestations, bills of materials; and what refers to these.
	Referrers bool
}

const (
	maxDepth  = 4      // of indexes within indexes
	maxCopied = 10_000 // manifests
)

// Copy copies an image, or all images of an index, byte by byte, so that
// digests and signatures stay what they are. Within one registry, blobs are
// mounted where it allows. The tag is written last: an interrupted copy leaves
// none behind. It returns what was copied.
func Copy(ctx context.Context, dst Pusher, dstRepo, tag string, src Client, srcRepo, ref string, o *CopyOptions) (v1.Descriptor, error) {
	if o == nil {
		o = &CopyOptions{}
	}
	root, err := src.Manifest(ctx, srcRepo, ref)
	if err != nil {
		return v1.Descriptor{}, err
	}
	c := &copier{CopyOptions: *o, dst: dst, dstRepo: dstRepo, src: src, srcRepo: srcRepo, done: map[digest.Digest]bool{}}
	if c.Parallel <= 0 {
		c.Parallel = 4
	}
	if host, ok := dst.(interface{ Host() string }); ok && host.Host() == src.Host() {
		c.mount = true
	}
	if err := c.manifest(ctx, root, tag, 0); err != nil {
		return v1.Descriptor{}, err
	}
	return root.Descriptor, nil
}

type copier struct {
	CopyOptions
	dst              Pusher
	dstRepo, srcRepo string
	src              Client
	mount            bool
	done             map[digest.Digest]bool // manifests
}

// manifest copies what m names, then m itself.
func (c *copier) manifest(ctx context.Context, m *Manifest, tag string, depth int) error {
	if depth > maxDepth || len(c.done) > maxCopied {
		return fmt.Errorf("copy %s: %w: more than %d levels of indexes, or %d manifests", m.Digest, boltseal.ErrLimit, maxDepth, maxCopied)
	}
	if c.done[m.Digest] && tag == "" {
		return nil
	}
	c.done[m.Digest] = true
	for _, d := range m.Manifests {
		child, err := c.src.Manifest(ctx, c.srcRepo, d.Digest.String())
		if err != nil {
			return err
		}
		if err := c.manifest(ctx, child, "", depth+1); err != nil {
			return err
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(c.Parallel)
	blobs := m.Layers
	if m.Config != nil {
		blobs = append([]v1.Descriptor{*m.Config}, blobs...)
	}
	for _, d := range blobs {
		if len(d.URLs) == 0 { // what lies elsewhere stays there (descriptor, "urls")
			g.Go(func() error { return c.blob(gctx, d) })
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if err := c.dst.PushManifest(ctx, c.dstRepo, tag, m); err != nil {
		return err
	}
	if !c.Referrers {
		return nil
	}
	for d, err := range c.src.Referrers(ctx, c.srcRepo, m.Digest, "") {
		if errors.Is(err, errors.ErrUnsupported) {
			break
		}
		if err != nil {
			return err
		}
		child, err := c.src.Manifest(ctx, c.srcRepo, d.Digest.String())
		if err != nil {
			return err
		}
		if err := c.manifest(ctx, child, "", depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (c *copier) blob(ctx context.Context, d v1.Descriptor) error {
	if c.mount && c.srcRepo != c.dstRepo {
		if ok, err := c.dst.Mount(ctx, c.dstRepo, c.srcRepo, d); err == nil && ok {
			return nil
		}
	}
	return c.dst.PushBlob(ctx, c.dstRepo, d, func() (io.ReadCloser, error) { return c.src.Blob(ctx, c.srcRepo, d) })
}
