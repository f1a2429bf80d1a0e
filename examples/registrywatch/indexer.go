package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/image"
	"github.com/boltseal/boltseal/image/remote"
	"github.com/boltseal/boltseal/registry"
	"github.com/boltseal/boltseal/sbom"
)

// indexer reads images for the monitor. Layers that images share are read once.
type indexer struct {
	open  image.OpenOptions
	cache image.Cache
	hosts []string
	label string // that names the team
}

// teamLabel is the default: who is responsible for the image, by the OCI image
// specification 1.1 (annotations).
const teamLabel = "org.opencontainers.image.authors"

func newIndexer(cacheDir, label string, plain, registries []string) (*indexer, error) {
	x := &indexer{label: label, cache: image.NewMemoryCache(256 << 20)}
	if cacheDir != "" {
		x.cache = &image.DirCache{Dir: cacheDir}
	}
	x.open.Transports = []image.Transport{remote.Transport(&remote.Options{PlainHTTP: plain})}
	var err error
	x.hosts, err = hosts(registries)
	return x, err
}

// Index implements registry.Indexer.
func (x *indexer) Index(ctx context.Context, ref string) (registry.Inventory, error) {
	if err := allowedHost(x.hosts, ref); err != nil {
		return registry.Inventory{}, err
	}
	img, err := image.Open(ctx, "registry:"+ref, &x.open)
	if err != nil {
		return registry.Inventory{}, err
	}
	defer img.Close()
	inv, err := image.Analyze(ctx, img, &image.AnalyzeOptions{Cache: x.cache}, sbom.Analyzers()...)
	if err != nil { // a part of an image is tried again before it is believed
		return registry.Inventory{}, err
	}
	out := registry.Inventory{Packages: inv.Packages, Team: img.Config.Config.Labels[x.label]}
	if r := inv.Report(); r.Image != nil {
		out.Platform = r.Image.Platform
	}
	for _, s := range inv.Skipped {
		if !s.Note {
			out.Incomplete = fmt.Sprintf("%s: %s", s.Path, s.Reason)
			break
		}
	}
	switch d := inv.Distro; {
	case out.Incomplete != "":
	case !inv.Complete:
		out.Incomplete = "not all could be read"
	case d != nil && !slices.ContainsFunc(inv.Packages, func(p boltseal.Package) bool { return p.Distro != nil }):
		out.Incomplete = fmt.Sprintf("%s %s, and none of its packages", d.ID, d.VersionID)
	}
	return out, nil
}

// judged is an indexer whose images the advisories may not be able to judge:
// such an image is not clean, it is unknown. Workers have no advisories.
type judged struct {
	registry.Indexer
	advisories *advisories
}

// Index implements registry.Indexer.
func (j judged) Index(ctx context.Context, ref string) (registry.Inventory, error) {
	inv, err := j.Indexer.Index(ctx, ref)
	if err == nil && inv.Incomplete == "" {
		inv.Incomplete = j.advisories.unjudged(inv.Packages)
	}
	return inv, err
}
