package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	digest "github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal"
)

// annotationContainerd is the full name that containerd, and so docker save,
// gives to an entry of index.json.
const annotationContainerd = "io.containerd.image.name"

// layoutImage chooses an image from a layout's index.json (OCI image layout).
func layoutImage(ctx context.Context, f Fetcher, marker, index []byte, ref string, o *OpenOptions) (*Image, error) {
	var layout v1.ImageLayout
	if marker != nil {
		if err := json.Unmarshal(marker, &layout); err != nil {
			return nil, fmt.Errorf("%s: %w", v1.ImageLayoutFile, malformed(err))
		}
		if !strings.HasPrefix(layout.Version, "1.") {
			return nil, fmt.Errorf("%s: imageLayoutVersion %q: %w: want 1.0.0", v1.ImageLayoutFile, clip(layout.Version), errors.ErrUnsupported)
		}
	}
	doc, err := parseDocument(index, v1.MediaTypeImageIndex)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", v1.ImageIndexFile, err)
	}
	if doc.Manifests, err = chooseNamed(doc.Manifests, ref); err != nil {
		return nil, err
	}
	img, err := newResolver(f, o).choose(ctx, doc)
	if err != nil {
		return nil, err
	}
	if img.Name = img.Annotations[annotationContainerd]; img.Name == "" && strings.ContainsAny(img.Annotations[v1.AnnotationRefName], "/:") {
		img.Name = img.Annotations[v1.AnnotationRefName]
	}
	return img, nil
}

// chooseNamed keeps the entries that ref means, which are those of one name: an
// image may be listed once per platform. Without ref there must be one name only.
func chooseNamed(entries []v1.Descriptor, ref string) ([]v1.Descriptor, error) {
	var keep []v1.Descriptor
	var names []string
	digests := make(map[digest.Digest]bool)
	distinct := make(map[string]bool)
	for i, d := range entries {
		name := entryName(d)
		if ref != "" {
			if ref == "@"+strconv.Itoa(i) || string(d.Digest) == strings.TrimPrefix(ref, "@") ||
				sameName(d.Annotations[v1.AnnotationRefName], ref) || sameName(d.Annotations[annotationContainerd], ref) {
				keep = append(keep, d)
			}
			if name == "" {
				name = fmt.Sprintf("@%d", i)
			}
			names = append(names, name)
			continue
		}
		if d.Annotations[annotationRefType] != refTypeAttestation {
			digests[d.Digest] = true
			if !distinct[name] {
				distinct[name] = true
				if name == "" {
					name = fmt.Sprintf("@%d", i)
				}
				names = append(names, name)
			}
		}
	}
	switch {
	case ref == "" && len(distinct) > 1 && len(digests) > 1:
		return nil, errWhich("", names)
	case ref == "":
		return entries, nil
	case len(keep) == 0:
		return nil, errWhich(ref, names)
	}
	// The statements about what was kept come along.
	for _, d := range entries {
		if d.Annotations[annotationRefType] == refTypeAttestation {
			keep = append(keep, d)
		}
	}
	return keep, nil
}

func entryName(d v1.Descriptor) string {
	if n := d.Annotations[annotationContainerd]; n != "" {
		return n
	}
	return d.Annotations[v1.AnnotationRefName]
}

// sameName compares names as Docker writes them for people and for machines:
// debian:12 and docker.io/library/debian:12 are the same.
func sameName(a, b string) bool {
	return a != "" && (a == b || familiar(a) == familiar(b))
}

func familiar(s string) string {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "index."), "docker.io/")
	s = strings.TrimPrefix(s, "library/")
	if i := strings.LastIndexByte(s, '/'); strings.ContainsRune(s[i+1:], ':') || strings.ContainsRune(s, '@') {
		return s
	}
	return s + ":latest"
}

func blobPath(d digest.Digest) string {
	return v1.ImageBlobsDir + "/" + string(d.Algorithm()) + "/" + d.Encoded()
}

// layoutDir is an OCI image layout in a directory. Links that lead out of it
// are not followed.
type layoutDir struct{ root *os.Root }

func openLayout(ctx context.Context, s string, o *OpenOptions) (*Image, error) {
	name, ref, err := splitPath(s)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	img, err := layoutDir{root}.image(ctx, ref, o)
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	img.Closer = root
	return img, nil
}

func (l layoutDir) image(ctx context.Context, ref string, o *OpenOptions) (*Image, error) {
	limit := o.Limits.WithDefaults().ManifestBytes
	marker, err := l.document(v1.ImageLayoutFile, limit)
	if errors.Is(err, fs.ErrNotExist) {
		if d := digest.Digest(ref); checkDigest(d) == nil {
			return l.bare(ctx, d, o)
		}
		return nil, fmt.Errorf("not an OCI image layout: %w", err)
	}
	if err != nil {
		return nil, err
	}
	index, err := l.document(v1.ImageIndexFile, limit)
	if err != nil {
		return nil, err
	}
	return layoutImage(ctx, l, marker, index, ref, o)
}

// bare opens an image by digest in a directory that has the blobs of a layout
// but no index.json, as containerd's content store.
func (l layoutDir) bare(ctx context.Context, d digest.Digest, o *OpenOptions) (*Image, error) {
	fi, err := l.root.Stat(blobPath(d))
	if err != nil {
		return nil, err
	}
	return Resolve(ctx, l, v1.Descriptor{Digest: d, Size: fi.Size()}, o)
}

func (l layoutDir) document(name string, limit int64) ([]byte, error) {
	f, err := l.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if f.Size() > limit {
		return nil, fmt.Errorf("%s: %w: %d bytes, Limits.ManifestBytes is %d", name, boltseal.ErrLimit, f.Size(), limit)
	}
	return io.ReadAll(io.LimitReader(f, f.Size()))
}

func (l layoutDir) open(name string) (blobFile, error) {
	fi, err := l.root.Stat(name)
	if err != nil {
		return blobFile{}, err
	}
	if !fi.Mode().IsRegular() {
		return blobFile{}, fmt.Errorf("%s: not a regular file: %w", name, errors.ErrUnsupported)
	}
	f, err := l.root.Open(name)
	if err != nil {
		return blobFile{}, err
	}
	return blobFile{f, fi.Size()}, nil
}

// Fetch makes the directory a [Fetcher].
func (l layoutDir) Fetch(_ context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	if err := checkDigest(d.Digest); err != nil {
		return nil, err
	}
	f, err := l.open(blobPath(d.Digest))
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (l layoutDir) Has(d v1.Descriptor) bool {
	if checkDigest(d.Digest) != nil {
		return false
	}
	fi, err := l.root.Stat(blobPath(d.Digest))
	return err == nil && fi.Mode().IsRegular()
}

// blobFile is a [SizedReaderAt].
type blobFile struct {
	*os.File
	size int64
}

func (f blobFile) Size() int64 { return f.size }
