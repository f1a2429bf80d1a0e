package main

import (
	"os"
	"strings"

	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/image"
	"github.com/boltseal/boltseal/image/daemon"
	"github.com/boltseal/boltseal/image/remote"
)

// openOptions say where images may come from beyond files: registries, and the
// Docker daemon, whose stream is kept in the system's temporary directory while
// it is read. Nothing else is written to disk.
func (o *options) openOptions(c *cli.Console) *image.OpenOptions {
	opts := &image.OpenOptions{
		Platform:   o.platform,
		Transports: []image.Transport{remote.Transport(nil), daemon.Transport(&daemon.Options{Host: c.Env("DOCKER_HOST")})},
	}
	if strings.HasPrefix(o.ref, "docker:") || strings.HasPrefix(o.ref, "docker-daemon:") {
		opts.SpoolDir = os.TempDir()
	}
	return opts
}
