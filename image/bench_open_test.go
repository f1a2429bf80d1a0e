package image

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkOpen measures the way from a file's name to the view of its image.
func BenchmarkOpen(b *testing.B) {
	for _, name := range []string{"big.oci.tar", "big.docker.tar"} {
		b.Run(name, func(b *testing.B) {
			path := filepath.Join(os.Getenv("BOLTSEAL_IMAGES"), name)
			if _, err := os.Stat(path); err != nil {
				b.Skip("set BOLTSEAL_IMAGES")
			}
			b.ReportAllocs()
			for b.Loop() {
				img, err := Open(b.Context(), "oci-archive:"+path, nil)
				if err != nil {
					b.Fatal(err)
				}
				if err := img.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
