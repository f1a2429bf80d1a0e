package image

import (
	"cmp"
	"github.com/boltseal/boltseal"
)

// Inventory is what an image holds.
type Inventory struct {
	Image  *Image
	Distro *boltseal.Distro
	// Layers has one element per layer of the image, lowest first.
	Layers []LayerInfo
	// Packages are those that a container of the image sees, sorted by PURL and
	// path. The layer of the first location is the lowest one from which the
	// package is present unbroken.
	Packages []boltseal.Package
	// Findings include those in files that a higher layer deletes or replaces;
	// their locations say which in HiddenBy.
	Findings []boltseal.Finding
	Skipped  []boltseal.Skip
	// Complete is false if anything was skipped or failed: then the absence of
	// packages and findings proves nothing.
	Complete bool
}

// LayerInfo is one layer and what it does.
type LayerInfo struct {
	*Layer
	Stats LayerStats
	// Verified is set if all bytes were read, now or when the cached record was
	// made, and fit every digest that the image names.
	Verified bool
	// Cached is set if the layer was not read: a cache had its record.
	Cached   bool
	Encoding string // of the blob: plain, gzip or zstd; empty if unknown
}

// LayerStats are a layer's figures.
type LayerStats struct {
	Entries    int   // of the tar, whiteouts left out
	Whiteouts  int   // opaque marks included
	Files      int   // regular files and hard links
	Bytes      int64 // of the regular files' contents
	TarBytes   int64 // of the uncompressed tar
	Compressed int64 // of the blob as stored
	Added      int   // paths that no lower layer has
	Modified   int   // paths that a lower layer has too
	Removed    int   // paths of lower layers that it deletes
	Wasted     int64 // bytes that higher layers delete or replace
	// Packages counts the packages of the finished tree that this layer brought.
	Packages int
	// Brought and Dropped count the packages that the layer adds to the tree
	// below it and takes away, by purl type, whatever becomes of them later.
	Brought, Dropped map[string]int
}

// Report returns the inventory in the form that reports are written in.
func (v *Inventory) Report() *boltseal.Report {
	img := v.Image
	r := &boltseal.Report{
		Schema: boltseal.ReportSchema, Complete: v.Complete,
		Image: &boltseal.ReportImage{
			Name: img.Name, Digest: string(img.Digest), ImageID: string(img.ImageID),
			Platform: FormatPlatform(img.Platform), Created: img.Config.Created,
		},
		Distro: v.Distro, Findings: v.Findings, Skipped: v.Skipped,
	}
	for i := range v.Layers {
		l := &v.Layers[i]
		r.Layers = append(r.Layers, boltseal.ReportLayer{
			Index: i, Digest: string(l.Digest), DiffID: string(l.DiffID), Kind: "unknown",
			Bytes: cmp.Or(l.Stats.TarBytes, l.Stats.Bytes), Compressed: l.Stats.Compressed, Files: l.Stats.Files,
			Added: l.Stats.Added, Modified: l.Stats.Modified, Removed: l.Stats.Removed, Wasted: l.Stats.Wasted,
			Packages: l.Stats.Packages,
		})
	}
	for i := range v.Packages {
		p := boltseal.ReportPackage{Package: v.Packages[i]}
		for j, l := range p.Locations {
			if j == 0 {
				p.Layer = l.Layer
			}
			p.Paths = append(p.Paths, l.Path)
		}
		r.Packages = append(r.Packages, p)
	}
	return r
}
