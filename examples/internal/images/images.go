// Package images is what the programs in examples that look into images have in
// common: where images come from, and what in them is unpacked.
package images

import (
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/image"
	"github.com/boltseal/boltseal/image/daemon"
	"github.com/boltseal/boltseal/image/remote"
)

// OpenOptions say where images may come from beyond files: registries, and the
// Docker daemon, whose stream is kept in the system's temporary directory while
// it is read. Nothing else is written to disk.
func OpenOptions(ref string, c *cli.Console) *image.OpenOptions {
	opts := &image.OpenOptions{Transports: []image.Transport{remote.Transport(nil), daemon.Transport(&daemon.Options{Host: c.Env("DOCKER_HOST")})}}
	if strings.HasPrefix(ref, "docker:") || strings.HasPrefix(ref, "docker-daemon:") {
		opts.SpoolDir = os.TempDir()
	}
	return opts
}

// Decompress is for [github.com/boltseal/boltseal/secrets.Options]: what the
// standard library does not know.
func Decompress() map[string]func(io.Reader) (io.ReadCloser, error) {
	return map[string]func(io.Reader) (io.ReadCloser, error){"zstd": func(r io.Reader) (io.ReadCloser, error) {
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(128<<20))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}}
}
