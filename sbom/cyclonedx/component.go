package cyclonedx

import (
	"cmp"
	"slices"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
	"github.com/boltseal/boltseal/sbom/internal/document"
)

func component(it *document.Item) cdx.Component {
	props := it.Properties()
	for _, e := range it.Evidence {
		if !rated(e) {
			props = append(props, document.Property{Name: document.PropEvidence, Value: document.JSON(e)})
		}
	}
	locations := it.Locations
	if len(locations) == 0 {
		for _, p := range it.Paths {
			locations = append(locations, boltseal.Location{Path: p})
		}
	}
	c := cdx.Component{
		BOMRef:     it.Ref,
		Type:       cdx.ComponentTypeLibrary,
		Group:      it.Namespace,
		Name:       it.Name,
		Version:    it.Version,
		PackageURL: it.PURL,
		Licenses:   licenses(it.Licenses),
		Properties: properties(props),
		Evidence:   evidence(it.Evidence, locations, cdx.EvidenceIdentityFieldTypePURL),
		Pedigree:   pedigree(&it.Package),
	}
	if it.Vendor != "" {
		c.Supplier = &cdx.OrganizationalEntity{Name: it.Vendor}
	}
	return c
}

// pedigree names the source package as the component's ancestor.
func pedigree(p *boltseal.Package) *cdx.Pedigree {
	if p.Source.Name == "" {
		return nil
	}
	version := cmp.Or(p.Source.Version, p.Version)
	source := boltseal.Package{Type: p.Type, Namespace: p.Namespace, Name: p.Source.Name, Version: version, Arch: "source", Distro: p.Distro}
	return &cdx.Pedigree{Ancestors: &[]cdx.Component{{
		Type: cdx.ComponentTypeLibrary, Group: p.Namespace, Name: p.Source.Name, Version: version, PackageURL: purl.Of(&source),
	}}}
}

// licenses writes one expression, or a list of which each is an SPDX
// identifier, to the letter, or a name; 1.6 allows no mixture.
func licenses(stated []string) *cdx.Licenses {
	stated = slices.DeleteFunc(slices.Clone(stated), func(s string) bool { return s == "" })
	switch {
	case len(stated) == 0:
		return nil
	case len(stated) == 1 && !document.IsLicenseID(stated[0]) && document.IsLicenseExpression(stated[0]):
		declared := cdx.LicenseAcknowledgementDeclared
		return &cdx.Licenses{{Expression: stated[0], Acknowledgement: &declared}}
	}
	out := make(cdx.Licenses, len(stated))
	for i, s := range stated {
		l := &cdx.License{Name: s, Acknowledgement: cdx.LicenseAcknowledgementDeclared}
		if document.IsLicenseID(s) {
			l.Name, l.ID = "", s
		}
		out[i].License = l
	}
	return &out
}

// rated reports whether evidence fits the format, which wants a confidence with
// each method. The rest goes into properties.
func rated(e boltseal.Evidence) bool { return e.Confidence > 0 && e.Confidence <= 1 }

// technique keeps to the format's enumeration.
func technique(t boltseal.Technique) cdx.EvidenceIdentityTechnique {
	switch known := cdx.EvidenceIdentityTechnique(t); known {
	case cdx.EvidenceIdentityTechniqueSourceCodeAnalysis, cdx.EvidenceIdentityTechniqueBinaryAnalysis, cdx.EvidenceIdentityTechniqueManifestAnalysis,
		cdx.EvidenceIdentityTechniqueASTFingerprint, cdx.EvidenceIdentityTechniqueHashComparison, cdx.EvidenceIdentityTechniqueInstrumentation,
		cdx.EvidenceIdentityTechniqueDynamicAnalysis, cdx.EvidenceIdentityTechniqueFilename, cdx.EvidenceIdentityTechniqueAttestation:
		return known
	}
	return cdx.EvidenceIdentityTechniqueOther
}

func evidence(list []boltseal.Evidence, places []boltseal.Location, field cdx.EvidenceIdentityFieldType) *cdx.Evidence {
	var out cdx.Evidence
	var methods []cdx.EvidenceIdentityMethod
	var best float32
	for _, e := range list {
		if rated(e) {
			c := float32(e.Confidence)
			best = max(best, c)
			methods = append(methods, cdx.EvidenceIdentityMethod{
				Technique: technique(e.Technique), Confidence: &c, Value: e.Detail,
			})
		}
	}
	if methods != nil {
		out.Identity = &cdx.EvidenceIdentityChoice{Identities: &[]cdx.EvidenceIdentity{{Field: field, Confidence: &best, Methods: &methods}}}
	}
	var occurrences []cdx.EvidenceOccurrence
	for _, l := range places {
		if l.Path != "" {
			occurrences = append(occurrences, occurrence(l))
		}
	}
	if occurrences != nil {
		out.Occurrences = &occurrences
	}
	if out.Identity == nil && out.Occurrences == nil {
		return nil
	}
	return &out
}

// origin is what an occurrence has no field for, as JSON in its
// additionalContext.
type origin struct {
	Layer    string   `json:"layer,omitempty"`
	Member   []string `json:"member,omitempty"`
	HiddenBy string   `json:"hiddenBy,omitempty"`
}

func occurrence(l boltseal.Location) cdx.EvidenceOccurrence {
	o := cdx.EvidenceOccurrence{Location: boltseal.Location{Path: l.Path, Member: l.Member}.String()}
	if l.Line > 0 {
		o.Line = &l.Line
	}
	if offset := int(l.Offset); offset > 0 {
		o.Offset = &offset
	}
	if l.Layer != "" || len(l.Member) > 0 || l.HiddenBy != "" {
		o.AdditionalContext = document.JSON(origin{l.Layer, l.Member, l.HiddenBy})
	}
	return o
}
