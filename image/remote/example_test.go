package remote_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/boltseal/boltseal/image"
	"github.com/boltseal/boltseal/image/remote"
)

func ExampleTransport() {
	config := `{"os":"linux","architecture":"arm64","rootfs":{"type":"layers","diff_ids":[]}}`
	manifest := fmt.Sprintf(`{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":%d},"layers":[]}`,
		digest.FromString(config), len(config))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.Contains(r.URL.Path, "/manifests/"):
			w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
			_, _ = io.WriteString(w, manifest)
		case strings.Contains(r.URL.Path, "/blobs/"):
			_, _ = io.WriteString(w, config)
		}
	}))
	defer s.Close()

	img, err := image.Open(context.Background(), strings.TrimPrefix(s.URL, "http://")+"/shop:1.4", &image.OpenOptions{
		Transports: []image.Transport{remote.Transport(nil)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer img.Close()
	fmt.Println(image.FormatPlatform(img.Platform), len(img.Layers))
	// Output: linux/arm64 0
}
