package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	digest "github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal"
)

// image finds the image in an archive. Of an OCI layout and a Docker manifest.json
// side by side the layout counts, as for containerd.
//
// An archive that was cut short is read as far as it goes.
func (a *archive) image(ctx context.Context, ref string, o *OpenOptions) (*Image, error) {
	img, err := a.view(ctx, ref, o)
	if a.damage == nil {
		return img, err
	}
	if err != nil {
		return nil, errors.Join(a.damage, err)
	}
	img.Notes = append(img.Notes, boltseal.Skip{Reason: a.damage.Error()})
	return img, nil
}

func (a *archive) view(ctx context.Context, ref string, o *OpenOptions) (*Image, error) {
	layout, docker := a.has(v1.ImageLayoutFile) && a.has(v1.ImageIndexFile), a.has(dockerManifestFile)
	switch {
	case layout:
		img, err := a.layoutImage(ctx, ref, o)
		if err == nil && docker {
			err = a.compareViews(ctx, img)
		}
		return img, err
	case docker:
		return a.dockerImage(ctx, ref, o)
	case a.has(v1.ImageIndexFile):
		img, err := a.layoutImage(ctx, ref, o)
		if err == nil {
			img.Notes = append(img.Notes, boltseal.Skip{Path: v1.ImageLayoutFile, Reason: "the layout lacks this file", Note: true})
		}
		return img, err
	case a.has("repositories"):
		return nil, fmt.Errorf("an archive of docker save before 1.10, without manifest.json: %w: load and save it with a current Docker", errors.ErrUnsupported)
	}
	return nil, fmt.Errorf("neither an OCI layout nor what docker save writes (there is no index.json, no manifest.json): %w", errors.ErrUnsupported)
}

func (a *archive) layoutImage(ctx context.Context, ref string, o *OpenOptions) (*Image, error) {
	var marker []byte
	var err error
	if a.has(v1.ImageLayoutFile) {
		if marker, err = a.document(ctx, v1.ImageLayoutFile); err != nil {
			return nil, err
		}
	}
	index, err := a.document(ctx, v1.ImageIndexFile)
	if err != nil {
		return nil, err
	}
	return layoutImage(ctx, a, marker, index, ref, o)
}

// Fetch makes an archive's layout a [Fetcher].
func (a *archive) Fetch(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	if err := checkDigest(d.Digest); err != nil {
		return nil, err
	}
	return a.open(ctx, blobPath(d.Digest))
}

func (a *archive) Has(d v1.Descriptor) bool {
	return checkDigest(d.Digest) == nil && a.has(blobPath(d.Digest))
}

const dockerManifestFile = "manifest.json"

// dockerEntry is one image of manifest.json (moby image/tarexport).
type dockerEntry struct {
	Config   string
	RepoTags []string
	Layers   []string
}

func (a *archive) dockerEntries(ctx context.Context) ([]dockerEntry, error) {
	raw, err := a.document(ctx, dockerManifestFile)
	if err != nil {
		return nil, err
	}
	var entries list[dockerEntry]
	if err := json.Unmarshal(raw, &entries); err != nil {
		return nil, fmt.Errorf("%s: %w", dockerManifestFile, malformed(err))
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("%s lists no image: %w", dockerManifestFile, fs.ErrNotExist)
	}
	return entries, nil
}

// dockerImage opens what docker save wrote before it wrote OCI layouts: a
// manifest.json that names a config and uncompressed layers.
func (a *archive) dockerImage(ctx context.Context, ref string, o *OpenOptions) (*Image, error) {
	entries, err := a.dockerEntries(ctx)
	if err != nil {
		return nil, err
	}
	e, err := a.chooseEntry(ctx, entries, ref)
	if err != nil {
		return nil, err
	}
	raw, err := a.document(ctx, e.Config)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	config, err := parseConfig(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", clip(e.Config), err)
	}
	r := newResolver(nil, o)
	img := &Image{ImageID: digest.FromBytes(raw), MediaType: dockerManifest, Platform: config.Platform, Config: config}
	if len(e.RepoTags) > 0 {
		img.Name = e.RepoTags[0]
		if ref != "" && slices.Contains(e.RepoTags, ref) {
			img.Name = ref
		}
	}
	if name, _, _ := strings.Cut(path.Base(e.Config), "."); len(name) == 64 && name != img.ImageID.Encoded() {
		r.note("the config is stored as %s, but its digest is %s", name, img.ImageID)
	}
	if len(e.Layers) != len(config.RootFS.DiffIDs) {
		return nil, fmt.Errorf("%w: %d layers, but %d diffIDs in the config", boltseal.ErrMalformed, len(e.Layers), len(config.RootFS.DiffIDs))
	}
	if len(e.Layers) > r.limits.Layers {
		return nil, fmt.Errorf("%w: %d layers, Limits.Layers is %d", boltseal.ErrLimit, len(e.Layers), r.limits.Layers)
	}
	for i, name := range e.Layers {
		l := Layer{Index: i, MediaType: dockerLayer, DiffID: config.RootFS.DiffIDs[i]}
		if f, err := a.find(name); err != nil {
			l.Unreadable, l.Size = "the layer cannot be read: "+err.Error(), -1
		} else {
			l.Size = f.size
			l.Blob = func(ctx context.Context) (io.ReadCloser, error) { return a.content(ctx, f) }
		}
		if alg, hex := path.Base(path.Dir(name)), path.Base(name); strings.HasPrefix(archiveName(name), "blobs/") {
			if d := digest.NewDigestFromEncoded(digest.Algorithm(alg), hex); checkDigest(d) == nil {
				l.Digest = d
			}
		}
		img.Layers = append(img.Layers, l)
	}
	if err := r.finish(img); err != nil {
		return nil, err
	}
	img.Notes = r.notes
	return img, nil
}

// chooseEntry finds the image that ref means: @N, an image ID, or a tag.
func (a *archive) chooseEntry(ctx context.Context, entries []dockerEntry, ref string) (dockerEntry, error) {
	var names []string
	seen := make(map[int64]digest.Digest)
	for i, e := range entries {
		switch {
		case ref == "" && len(entries) == 1, ref == "@"+strconv.Itoa(i):
			return e, nil
		case ref != "" && slices.ContainsFunc(e.RepoTags, func(t string) bool { return sameName(t, ref) }):
			return e, nil
		case strings.HasPrefix(ref, "sha256:"):
			if id, err := a.configID(ctx, e.Config, seen); err == nil && string(id) == ref {
				return e, nil
			}
		}
		names = append(names, fmt.Sprintf("@%d", i))
		names = append(names, e.RepoTags...)
	}
	return dockerEntry{}, errWhich(ref, names)
}

// configID reads a config for its digest, each only once whatever its names.
func (a *archive) configID(ctx context.Context, name string, seen map[int64]digest.Digest) (digest.Digest, error) {
	f, err := a.find(name)
	if err != nil {
		return "", err
	}
	if id, ok := seen[f.offset]; ok {
		return id, nil
	}
	raw, err := a.document(ctx, name)
	if err != nil {
		return "", err
	}
	seen[f.offset] = digest.FromBytes(raw)
	return seen[f.offset], nil
}

// compareViews looks at the image through the Docker manifest that stands beside the layout.
func (a *archive) compareViews(ctx context.Context, img *Image) error {
	entries, err := a.dockerEntries(ctx)
	if err != nil {
		return err
	}
	want := digest.FromBytes(img.Config.Raw) // docker knows sha256 alone
	seen := make(map[int64]digest.Digest)
	var others []string
	for _, e := range entries {
		id, err := a.configID(ctx, e.Config, seen)
		if id == want {
			return nil
		}
		if err != nil {
			id = "a config that cannot be read"
		}
		others = append(others, string(id))
	}
	img.Findings = append(img.Findings, boltseal.Finding{
		Kind:     boltseal.KindIntegrity,
		Rule:     RuleViewsDiffer,
		Severity: boltseal.SeverityHigh,
		Title:    "The archive shows different images to different clients",
		Description: fmt.Sprintf("By index.json the image's config is %s; by manifest.json it is %s. This result is about the former. Trust neither: build or save the archive again.",
			img.ImageID, clip(strings.Join(others, ", "))),
		Asset:       boltseal.Asset{Kind: boltseal.AssetImage, Name: string(img.Digest)}.ID(),
		Locations:   []boltseal.Location{{Path: dockerManifestFile}},
		Fingerprint: boltseal.Fingerprint("integrity", RuleViewsDiffer, dockerManifestFile),
	})
	return nil
}

func errWhich(ref string, names []string) error {
	const most = 20
	if len(names) > most {
		names = append(slices.Clone(names[:most]), fmt.Sprintf("%d more", len(names)-most))
	}
	list := clip(strings.Join(names, ", "))
	if ref == "" {
		return fmt.Errorf("it holds several images: %w: append one of these after a colon: %s", fs.ErrNotExist, list)
	}
	return fmt.Errorf("image %q: %w: there is %s", clip(ref), fs.ErrNotExist, list)
}
