package image_test

import (
	"context"
	"fmt"

	digest "github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal/image"
)

func ExampleClassify() {
	img := &image.Image{Layers: make([]image.Layer, 2)}
	img.Config.RootFS.DiffIDs = []digest.Digest{digest.FromString("os"), digest.FromString("app")}
	img.Config.History = []v1.History{
		{CreatedBy: "/bin/sh -c #(nop) ADD file:4b1be1de in / "},
		{CreatedBy: "RUN /bin/sh -c npm ci # buildkit", Comment: "buildkit.dockerfile.v0"},
	}
	// The inventory comes from Analyze; these are the figures that count here.
	inv := &image.Inventory{Image: img, Layers: []image.LayerInfo{
		{Verified: true, Stats: image.LayerStats{Entries: 9000, Files: 6000, Brought: map[string]int{"deb": 88}}},
		{Verified: true, Stats: image.LayerStats{Entries: 4000, Files: 3000, Brought: map[string]int{"npm": 300}}},
	}}
	known := image.KnownImages{digest.FromString("os"): "debian:12"} // the chain ID of one layer is its diffID

	c, err := image.Classify(context.Background(), inv, &image.ClassifyOptions{Known: known})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("built on", c.Base.Name)
	for _, l := range c.Layers {
		fmt.Printf("%s %.2f %s\n", l.Kind, l.Confidence, l.Evidence[0].Detail)
	}
	// Output:
	// built on debian:12
	// base 0.99 the image begins with 1 layer known as debian:12 (chain ID sha256:840a8dcfeae95966a870b0b5257997ce94cbc19dd979409d1671d2e93a9e0de6)
	// dependencies 0.85 the layer brings 300 npm packages
}
