package imagetest

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"

	digest "github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// file is one file of an archive that holds an image.
type file struct {
	name string
	data []byte
}

// OCI returns an image of the layers as an OCI layout in a tar.
func OCI(layers ...Layer) ([]byte, error) {
	var files []file
	manifest := v1.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageManifest}
	add := func(mediaType string, data []byte) v1.Descriptor {
		d := digest.FromBytes(data)
		files = append(files, file{"blobs/" + string(d.Algorithm()) + "/" + d.Encoded(), data})
		return v1.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(data))}
	}
	config := newConfig()
	for i := range layers {
		l := &layers[i]
		plain, blob, err := l.both()
		if err != nil {
			return nil, fmt.Errorf("layer %d: %w", i, err)
		}
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, digest.FromBytes(plain))
		mediaType := l.MediaType
		if mediaType == "" {
			mediaType = v1.MediaTypeImageLayer
			if l.Encoding != "" {
				mediaType += "+" + l.Encoding
			}
		}
		manifest.Layers = append(manifest.Layers, add(mediaType, blob))
	}
	manifest.Config = add(v1.MediaTypeImageConfig, mustJSON(config))
	index := v1.Index{Versioned: manifest.Versioned, MediaType: v1.MediaTypeImageIndex, Manifests: []v1.Descriptor{add(manifest.MediaType, mustJSON(manifest))}}
	files = append(files, file{"oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)}, file{"index.json", mustJSON(index)})
	return pack(files)
}

// DockerArchive returns an image of the layers as docker save wrote it before
// it wrote OCI layouts. Its layers are plain tars.
func DockerArchive(layers ...Layer) ([]byte, error) {
	var files []file
	var names []string
	config := newConfig()
	for i := range layers {
		plain, err := layers[i].Archive()
		if err != nil {
			return nil, fmt.Errorf("layer %d: %w", i, err)
		}
		d := digest.FromBytes(plain)
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, d)
		name := fmt.Sprintf("%02d-%.12s/layer.tar", i, d.Encoded())
		files = append(files, file{name, plain})
		names = append(names, name)
	}
	raw := mustJSON(config)
	name := digest.FromBytes(raw).Encoded() + ".json"
	files = append(files, file{name, raw})
	manifest := []map[string]any{{"Config": name, "RepoTags": []string{"imagetest:latest"}, "Layers": names}}
	return pack(append(files, file{"manifest.json", mustJSON(manifest)}))
}

func (l *Layer) both() (plain, blob []byte, err error) {
	if plain, err = l.Archive(); err == nil {
		blob, err = l.Blob()
	}
	if l.Encoding == "" { // the blob is the archive, garbage and all
		plain = blob
	}
	return plain, blob, err
}

func newConfig() *v1.Image {
	return &v1.Image{
		Platform: v1.Platform{OS: "linux", Architecture: "amd64"},
		RootFS:   v1.RootFS{Type: "layers", DiffIDs: []digest.Digest{}},
	}
}

// mustJSON marshals types that always can be.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func pack(files []file) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	seen := map[string]bool{}
	for _, f := range files {
		if seen[f.name] {
			continue
		}
		seen[f.name] = true
		if err := w.WriteHeader(&tar.Header{Name: f.name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(f.data))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}
