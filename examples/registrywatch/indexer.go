package main

import (
	"context"
	"fmt"

	"github.com/boltseal/boltseal/image"
	"github.com/boltseal/boltseal/image/remote"
	"github.com/boltseal/boltseal/registry"
	"github.com/boltseal/boltseal/sbom"
)

// indexer reads images for the monitor. Layers that images share are read once.
type indexer struct {
	open       image.OpenOptions
	cache      image.Cache
	advisories *advisories
}

func newIndexer(cacheDir string, plain []string, a *advisories) *indexer {
	x := &indexer{cache: image.NewMemoryCache(256 << 20), advisories: a}
	if cacheDir != "" {
		x.cache = &image.DirCache{Dir: cacheDir}
	}
	x.open.Transports = []image.Transport{remote.Transport(&remote.Options{PlainHTTP: plain})}
	return x
}

// Index implements registry.Indexer.
func (x *indexer) Index(ctx context.Context, ref string) (registry.Inventory, error) {
	img, err := image.Open(ctx, ref, &x.open)
	if err != nil {
		return registry.Inventory{}, err
	}
	defer img.Close()
	inv, err := image.Analyze(ctx, img, &image.AnalyzeOptions{Cache: x.cache}, sbom.Analyzers()...)
	if err != nil { // a part of an image is tried again before it is believed
		return registry.Inventory{}, err
	}
	out := registry.Inventory{Packages: inv.Packages}
	if r := inv.Report(); r.Image != nil {
		out.Platform = r.Image.Platform
	}
	for _, s := range inv.Skipped {
		if !s.Note {
			out.Incomplete = fmt.Sprintf("%s: %s", s.Path, s.Reason)
			break
		}
	}
	if out.Incomplete == "" && !inv.Complete {
		out.Incomplete = "not all could be read"
	}
	if out.Incomplete == "" {
		out.Incomplete = x.advisories.unjudged(inv)
	}
	return out, nil
}
