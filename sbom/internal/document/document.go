// Package document is what the writers and readers of the SBOM formats share:
// a report's packages in their one order, with references, edges and
// properties, and the way back from other writers' habits.
package document

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
)

// Item is one package of a document.
type Item struct {
	*boltseal.ReportPackage
	// Ref is the package URL and a short hash of the locations. It is unique in
	// the document and stays the same when a layer is rebuilt.
	Ref string
	// Edges are the references this package depends on, sorted: empty is none,
	// nil is unknown.
	Edges []string
	// Unresolved are the needed names that no package of the report answers to.
	Unresolved []string
}

// Items returns the packages of a report by package URL and path. Of entries
// that are the same package in the same place, the first one stands.
func Items(r *boltseal.Report) []Item {
	items := make([]Item, len(r.Packages))
	for i := range r.Packages {
		p := &r.Packages[i]
		id := p.PURL
		if id == "" {
			id = p.Name + "@" + p.Version
		}
		items[i] = Item{ReportPackage: p, Ref: id + "|" + placeHash(p)}
	}
	slices.SortStableFunc(items, func(a, b Item) int {
		return cmp.Or(strings.Compare(a.PURL, b.PURL), strings.Compare(FirstPath(a.ReportPackage), FirstPath(b.ReportPackage)), strings.Compare(a.Ref, b.Ref))
	})
	items = slices.CompactFunc(items, func(a, b Item) bool { return a.Ref == b.Ref })
	link(items)
	return items
}

// FirstPath is where a package was found, "" if nobody says.
func FirstPath(p *boltseal.ReportPackage) string {
	if len(p.Locations) > 0 {
		return p.Locations[0].Path
	}
	if len(p.Paths) > 0 {
		return p.Paths[0]
	}
	return ""
}

// placeHash hashes the paths, not the layers: those change with every build.
func placeHash(p *boltseal.ReportPackage) string {
	h := sha256.New()
	for _, l := range p.Locations {
		h.Write([]byte(l.Path))
		for _, m := range l.Member {
			h.Write([]byte{0})
			h.Write([]byte(m))
		}
		h.Write([]byte{1})
	}
	if len(p.Locations) == 0 {
		for _, s := range p.Paths {
			h.Write(append([]byte(s), 1))
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// ImageName is what a person calls the image.
func ImageName(img *boltseal.ReportImage) string {
	if img == nil {
		return "filesystem"
	}
	return cmp.Or(img.Name, img.Digest, img.ImageID, "image")
}
