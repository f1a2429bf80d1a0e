package cyclonedx

import (
	"cmp"
	"fmt"
	"io"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
	"github.com/boltseal/boltseal/sbom/internal/document"
)

// WriteOptions control [Write]. The zero value is usable.
type WriteOptions struct {
	// Created is the document's time. Zero: when the image was created; if that
	// is unknown too, the document has none. It is written in UTC, to the second.
	Created time.Time
	// SerialNumber is the document's, as urn:uuid:…. Empty: a version 5 UUID of
	// the content, so that equal content has the equal number. The standard
	// recommends a new one for every document.
	SerialNumber string
	// Tool and ToolVersion name the program that made the report. Empty Tool:
	// "boltseal".
	Tool, ToolVersion string
	// Compact leaves out line breaks and indentation.
	Compact bool
}

// Write writes a report as CycloneDX 1.6: the image as metadata.component, the
// distribution and the packages as components with their evidence and licences,
// what depends on what, and the report's vulnerabilities. Findings of other
// kinds are left out. The report is not modified.
func Write(w io.Writer, r *boltseal.Report, opts *WriteOptions) error {
	var o WriteOptions
	if opts != nil {
		o = *opts
	}
	bom := build(r, &o)
	if bom.SerialNumber == "" {
		id := document.NewUUID()
		if err := encode(id, bom, true); err != nil {
			return fmt.Errorf("write CycloneDX: %w", err)
		}
		bom.SerialNumber = "urn:uuid:" + id.String()
	}
	if err := encode(w, bom, o.Compact); err != nil {
		return fmt.Errorf("write CycloneDX: %w", err)
	}
	return nil
}

func encode(w io.Writer, bom *cdx.BOM, compact bool) error {
	return cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(!compact).SetEscapeHTML(false).Encode(bom)
}

const (
	imageRef = "image"
	osRef    = "os"
)

func build(r *boltseal.Report, o *WriteOptions) *cdx.BOM {
	items := document.Items(r)
	bom := &cdx.BOM{
		JSONSchema:   "http://cyclonedx.org/schema/bom-1.6.schema.json",
		BOMFormat:    cdx.BOMFormat,
		SpecVersion:  cdx.SpecVersion1_6,
		SerialNumber: o.SerialNumber,
		Version:      1,
		Metadata: &cdx.Metadata{
			Lifecycles: &[]cdx.Lifecycle{{Phase: cdx.LifecyclePhasePostBuild}},
			Tools: &cdx.ToolsChoice{Components: &[]cdx.Component{{
				Type: cdx.ComponentTypeApplication, Name: cmp.Or(o.Tool, "boltseal"), Version: o.ToolVersion,
			}}},
			Component:  container(r),
			Properties: properties(document.Skipped(r)),
		},
	}
	if t := document.Time(o.Created, r); !t.IsZero() {
		bom.Metadata.Timestamp = t.Format(time.RFC3339)
	}
	components := make([]cdx.Component, 0, len(items)+1)
	if r.Distro != nil && r.Distro.ID != "" {
		components = append(components, operatingSystem(r.Distro))
	}
	for i := range items {
		components = append(components, component(&items[i]))
	}
	bom.Components = &components
	bom.Dependencies = dependencies(r, items)
	if !r.Complete {
		gap := cdx.Composition{Aggregate: cdx.CompositionAggregateIncomplete}
		if r.Image != nil {
			gap.Assemblies = &[]cdx.BOMReference{imageRef}
		} else {
			refs := make([]cdx.BOMReference, len(components))
			for i := range components {
				refs[i] = cdx.BOMReference(components[i].BOMRef)
			}
			gap.Assemblies = &refs
		}
		bom.Compositions = &[]cdx.Composition{gap}
	}
	bom.Vulnerabilities = vulnerabilities(r, items)
	return bom
}

func container(r *boltseal.Report) *cdx.Component {
	if r.Image == nil {
		return nil
	}
	return &cdx.Component{
		BOMRef:     imageRef,
		Type:       cdx.ComponentTypeContainer,
		Name:       document.ImageName(r.Image),
		Version:    r.Image.Digest,
		PackageURL: document.ImagePURL(r.Image),
		Properties: properties(document.ImageProperties(r)),
	}
}

func operatingSystem(d *boltseal.Distro) cdx.Component {
	return cdx.Component{
		BOMRef:      osRef,
		Type:        cdx.ComponentTypeOS,
		Name:        d.ID,
		Version:     d.VersionID,
		Description: d.PrettyName,
		CPE:         d.CPE,
		Properties:  properties(document.DistroProperties(d)),
		Evidence:    evidence(d.Evidence, d.Locations, cdx.EvidenceIdentityFieldTypeName),
	}
}

// dependencies lists the edges that are known. The image and its distribution
// stand above the packages, so that every component can be reached.
func dependencies(r *boltseal.Report, items []document.Item) *[]cdx.Dependency {
	var deps []cdx.Dependency
	var image, system []string
	hasOS := r.Distro != nil && r.Distro.ID != ""
	for i := range items {
		if hasOS && purl.IsOS(items[i].Type) {
			system = append(system, items[i].Ref)
		} else {
			image = append(image, items[i].Ref)
		}
	}
	if hasOS {
		image = append([]string{osRef}, image...)
	}
	if r.Image != nil && len(image) > 0 {
		deps = append(deps, cdx.Dependency{Ref: imageRef, Dependencies: &image})
	}
	if len(system) > 0 {
		deps = append(deps, cdx.Dependency{Ref: osRef, Dependencies: &system})
	}
	for i := range items {
		if it := &items[i]; it.Edges != nil {
			deps = append(deps, cdx.Dependency{Ref: it.Ref, Dependencies: &it.Edges})
		}
	}
	if deps == nil {
		return nil
	}
	return &deps
}

func properties(list []document.Property) *[]cdx.Property {
	if len(list) == 0 {
		return nil
	}
	out := make([]cdx.Property, len(list))
	for i, p := range list {
		out[i] = cdx.Property{Name: p.Name, Value: p.Value}
	}
	return &out
}
