package image_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	digest "github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal/image"
)

func ExampleOpenArchive() {
	config := `{"os":"linux","architecture":"arm64","rootfs":{"type":"layers","diff_ids":["` + string(digest.FromString("layer")) + `"]}}`
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range [][2]string{{"manifest.json", `[{"Config":"c.json","RepoTags":["shop:1.4"],"Layers":["l.tar"]}]`}, {"c.json", config}, {"l.tar", "layer"}} {
		_ = w.WriteHeader(&tar.Header{Name: f[0], Size: int64(len(f[1])), Mode: 0o644})
		_, _ = io.WriteString(w, f[1])
	}
	_ = w.Close()

	img, err := image.OpenArchive(context.Background(), bytes.NewReader(b.Bytes()), int64(b.Len()), "", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer img.Close()
	fmt.Println(img.Name, image.FormatPlatform(img.Platform), len(img.Layers), img.Layers[0].Size)
	// Output: shop:1.4 linux/arm64 1 5
}

// memory is a store of one's own.
type memory map[digest.Digest]string

func (m memory) Fetch(_ context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(m[d.Digest])), nil
}

func ExampleResolve() {
	store := memory{}
	put := func(mediaType, s string) v1.Descriptor {
		store[digest.FromString(s)] = s
		return v1.Descriptor{MediaType: mediaType, Digest: digest.FromString(s), Size: int64(len(s))}
	}
	config := put(v1.MediaTypeImageConfig, `{"os":"linux","architecture":"amd64","config":{"User":"nobody"},"rootfs":{"type":"layers","diff_ids":[]}}`)
	root := put(v1.MediaTypeImageManifest, fmt.Sprintf(`{"schemaVersion":2,"config":{"mediaType":%q,"digest":%q,"size":%d},"layers":[]}`, config.MediaType, config.Digest, config.Size))

	img, err := image.Resolve(context.Background(), store, root, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(image.FormatPlatform(img.Platform), img.Config.Config.User)
	// Output: linux/amd64 nobody
}
