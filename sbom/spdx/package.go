package spdx

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
	"github.com/boltseal/boltseal/sbom/internal/document"
)

// newPackage fills the fields that every package must or should have (SPDX 2.3
// clause 7). NOASSERTION says that nothing is claimed.
func newPackage(id, name, version, purpose, purl string) *v2_3.Package {
	p := &v2_3.Package{
		PackageName:               name,
		PackageSPDXIdentifier:     common.ElementID(id),
		PackageVersion:            version,
		PackageSupplier:           &common.Supplier{Supplier: noAssertion},
		PackageDownloadLocation:   noAssertion,
		IsFilesAnalyzedTagPresent: true,
		PackageLicenseConcluded:   noAssertion,
		PackageLicenseDeclared:    noAssertion,
		PackageCopyrightText:      noAssertion,
		PrimaryPackagePurpose:     purpose,
	}
	if purl != "" {
		p.PackageExternalReferences = []*v2_3.PackageExternalReference{{
			Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: purl,
		}}
	}
	return p
}

func (b *builder) image() *v2_3.Package {
	img := b.report.Image
	p := newPackage(imageID, document.ImageName(img), img.Digest, "CONTAINER", document.ImagePURL(img))
	if alg, hash, ok := strings.Cut(img.Digest, ":"); ok && alg == "sha256" {
		p.PackageChecksums = []common.Checksum{{Algorithm: common.SHA256, Value: hash}}
	}
	b.annotate(p, document.ImageProperties(b.report))
	return p
}

func (b *builder) operatingSystem(d *boltseal.Distro) *v2_3.Package {
	p := newPackage(osID, d.ID, d.VersionID, "OPERATING_SYSTEM", "") // as the JSON schema spells it
	p.PackageDescription = d.PrettyName
	switch {
	case strings.HasPrefix(d.CPE, "cpe:2.3:"):
		p.PackageExternalReferences = cpe(d.CPE, common.TypeSecurityCPE23Type)
	case strings.HasPrefix(d.CPE, "cpe:/"):
		p.PackageExternalReferences = cpe(d.CPE, common.TypeSecurityCPE22Type)
	}
	p.PackageSourceInfo = foundIn(d.Locations, nil)
	b.annotate(p, document.DistroProperties(d))
	b.annotate(p, grounds(d.Evidence, d.Locations))
	return p
}

func cpe(name, refType string) []*v2_3.PackageExternalReference {
	return []*v2_3.PackageExternalReference{{Category: common.CategorySecurity, RefType: refType, Locator: name}}
}

func (b *builder) pkg(it *document.Item, id string) *v2_3.Package {
	name := it.Name
	if it.Type != "golang" && it.Namespace != "" && !purl.IsOS(it.Type) {
		name = it.Namespace + "/" + it.Name
	}
	p := newPackage(id, name, it.Version, "LIBRARY", it.PURL)
	if it.Vendor != "" {
		p.PackageSupplier = &common.Supplier{SupplierType: "Organization", Supplier: it.Vendor}
	}
	p.PackageLicenseDeclared = b.declared(it.Licenses)
	p.PackageSourceInfo = foundIn(it.Locations, it.Paths)
	p.PackageComment = because(it.Evidence)
	b.annotate(p, it.Properties())
	places := it.Locations
	if len(places) == 0 {
		for _, path := range it.Paths {
			places = append(places, boltseal.Location{Path: path})
		}
	}
	b.annotate(p, grounds(it.Evidence, places))
	return p
}

// source writes the source package of a distribution's binary package, once.
func (b *builder) source(it *document.Item, id string) {
	if it.Source.Name == "" {
		return
	}
	version := cmp.Or(it.Source.Version, it.Version)
	src := boltseal.Package{Type: it.Type, Namespace: it.Namespace, Name: it.Source.Name, Version: version, Arch: "source", Distro: it.Distro}
	u := purl.Of(&src)
	srcID := b.sources[u]
	if srcID == "" {
		srcID = elementID("Source", &src, u)
		b.sources[u] = srcID
		b.add(newPackage(srcID, src.Name, version, "SOURCE", u))
	}
	b.relate(id, common.TypeRelationshipGeneratedFrom, srcID)
}

// foundIn is the sourceInfo: for people; the annotations say it exactly.
func foundIn(places []boltseal.Location, paths []string) string {
	var at []string
	for _, l := range places {
		if s := l.String(); s != "" {
			at = append(at, s)
		}
	}
	if len(at) == 0 {
		at = paths
	}
	if len(at) == 0 {
		return ""
	}
	return "found in: " + strings.Join(at, ", ")
}

func because(list []boltseal.Evidence) string {
	var lines []string
	for _, e := range list {
		line := string(cmp.Or(e.Technique, boltseal.TechniqueOther))
		if e.Detail != "" {
			line += ": " + e.Detail
		}
		if e.Confidence > 0 {
			line += fmt.Sprintf(" (confidence %.2g)", e.Confidence)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func grounds(list []boltseal.Evidence, places []boltseal.Location) []document.Property {
	var props []document.Property
	for _, l := range places {
		props = append(props, document.Property{Name: document.PropLocation, Value: document.JSON(l)})
	}
	for _, e := range list {
		props = append(props, document.Property{Name: document.PropEvidence, Value: document.JSON(e)})
	}
	return props
}

// elementID makes an SPDX identifier, of letters, digits, "." and "-" only
// (clause 7.2): readable, and unique by a hash of the reference.
func elementID(kind string, p *boltseal.Package, ref string) string {
	sum := sha256.Sum256([]byte(ref))
	name := p.Name
	if len(name) > 80 {
		name = name[:80]
	}
	return kind + "-" + idString(p.Type) + "-" + idString(name) + "-" + hex.EncodeToString(sum[:8])
}

func idString(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '.', r == '-':
			return r
		}
		return '-'
	}, s)
}
