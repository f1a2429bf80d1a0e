package registry_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"strings"

	"github.com/olareg/olareg"
	"github.com/olareg/olareg/config"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal/registry"
)

func Example() {
	ctx := context.Background()
	host, stop := startRegistry()
	defer stop()

	reg, err := registry.Open(host, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer reg.Close()

	index, err := registry.ParseManifest(v1.MediaTypeImageIndex, []byte(`{"schemaVersion":2,"manifests":[]}`))
	if err != nil {
		log.Fatal(err)
	}
	for _, tag := range []string{"1.0", "1.1"} {
		if err := reg.PushManifest(ctx, "shop/web", tag, index); err != nil {
			log.Fatal(err)
		}
	}
	for tag, err := range reg.Tags(ctx, "shop/web") {
		if err != nil {
			log.Fatal(err)
		}
		d, err := reg.Resolve(ctx, "shop/web", tag)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s %.19s\n", tag, d.Digest)
	}
	// Output:
	// 1.0 sha256:bc5857ac9458
	// 1.1 sha256:bc5857ac9458
}

func ExampleAttach() {
	ctx := context.Background()
	host, stop := startRegistry()
	defer stop()
	reg, err := registry.Open(host, nil)
	if err != nil {
		log.Fatal(err)
	}
	image, err := registry.ParseManifest(v1.MediaTypeImageIndex, []byte(`{"schemaVersion":2,"manifests":[]}`))
	if err != nil {
		log.Fatal(err)
	}
	if err := reg.PushManifest(ctx, "shop", "1", image); err != nil {
		log.Fatal(err)
	}
	bom := []byte(`{"bomFormat":"CycloneDX","specVersion":"1.6"}`)
	if _, err := registry.Attach(ctx, reg, "shop", image.Descriptor, "application/vnd.cyclonedx+json", "application/vnd.cyclonedx+json", bom, nil); err != nil {
		log.Fatal(err)
	}
	for d, err := range reg.Referrers(ctx, "shop", image.Digest, "") {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(d.ArtifactType)
	}
	// Output: application/vnd.cyclonedx+json
}

// startRegistry runs a registry in this process.
func startRegistry() (host string, stop func()) {
	handler := olareg.New(config.Config{Storage: config.ConfigStorage{StoreType: config.StoreMem}})
	server := httptest.NewServer(handler)
	return strings.TrimPrefix(server.URL, "http://"), func() {
		server.Close()
		if err := handler.Close(); err != nil {
			log.Print(err)
		}
	}
}
