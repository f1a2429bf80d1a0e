package main

import (
	"github.com/boltseal/boltseal/image"
	"github.com/boltseal/boltseal/image/remote"
)

// transports are the sources beyond files: registries.
func transports() []image.Transport {
	return []image.Transport{remote.Transport(nil)}
}

// openCache opens the directory of layer records.
func openCache(dir string) (image.Cache, error) {
	return &image.DirCache{Dir: dir}, nil
}
