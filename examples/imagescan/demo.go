package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	digest "github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal/image"
)

// store keeps blobs in memory by their digest. It is an image.Fetcher.
type store map[digest.Digest][]byte

func (s store) Fetch(_ context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	b, ok := s[d.Digest]
	if !ok {
		return nil, fmt.Errorf("blob %s: %w", d.Digest, fs.ErrNotExist)
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

func (s store) put(mediaType string, b []byte) v1.Descriptor {
	d := digest.FromBytes(b)
	s[d] = b
	return v1.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(b))}
}

func (s store) putJSON(mediaType string, v any) (v1.Descriptor, error) {
	b, err := json.Marshal(v)
	return s.put(mediaType, b), err
}

// openDemo builds the demo image in memory and opens it: an AlmaLinux of 2023 with
// packages, programs and layers of every kind, this program among them.
func openDemo(ctx context.Context) (*image.Image, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("build demo image: %w", err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		return nil, fmt.Errorf("build demo image: %w", err)
	}
	created := time.Date(2023, 7, 4, 12, 0, 0, 0, time.UTC)
	platform := v1.Platform{OS: "linux", Architecture: runtime.GOARCH}
	config := v1.Image{Created: &created, Author: "boltseal demo", Platform: platform}
	config.Config = v1.ImageConfig{
		User: "shop", WorkingDir: "/srv/shop", Cmd: []string{"imagescan", "-h"},
		Env: []string{"PATH=/usr/local/bin:/usr/bin:/bin"},
	}
	config.RootFS.Type = "layers"

	blobs := store{}
	manifest := v1.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageManifest}
	for _, l := range demoLayers(program) {
		config.History = append(config.History, v1.History{Created: &created, CreatedBy: l.createdBy, EmptyLayer: l.files == nil, Comment: "buildkit.dockerfile.v0"})
		if l.files == nil {
			continue
		}
		raw, err := l.tar(created)
		if err != nil {
			return nil, fmt.Errorf("build demo image: %w", err)
		}
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, digest.FromBytes(raw))
		blob, err := compress(l.mediaType, raw)
		if err != nil {
			return nil, fmt.Errorf("build demo image: %w", err)
		}
		manifest.Layers = append(manifest.Layers, blobs.put(l.mediaType, blob))
	}
	if manifest.Config, err = blobs.putJSON(v1.MediaTypeImageConfig, config); err != nil {
		return nil, err
	}
	root, err := blobs.putJSON(v1.MediaTypeImageManifest, manifest)
	if err != nil {
		return nil, err
	}
	img, err := image.Resolve(ctx, blobs, root, &image.OpenOptions{Platform: &platform})
	if err != nil {
		return nil, fmt.Errorf("open demo image: %w", err)
	}
	img.Name = "demo (built in memory; give an IMAGE to scan your own)"
	return img, nil
}

func compress(mediaType string, raw []byte) ([]byte, error) {
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch mediaType {
	case v1.MediaTypeImageLayerGzip:
		w, err = gzip.NewWriterLevel(&b, gzip.BestSpeed)
	case v1.MediaTypeImageLayerZstd:
		w, err = zstd.NewWriter(&b, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	default:
		return raw, nil
	}
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(raw); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}
