package document

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
)

// Names of the properties (CycloneDX) and annotations (SPDX) that carry what
// the formats have no field for.
const (
	PropState     = "boltseal:state"
	PropLayer     = "boltseal:layer:diffID"
	PropOwner     = "boltseal:ownedBy"
	PropVendor    = "boltseal:vendor"
	PropModule    = "boltseal:rpm:module"
	PropNeeds     = "boltseal:dependsOn" // a name that no package of the document answers to
	PropEvidence  = "boltseal:evidence"  // JSON of boltseal.Evidence
	PropLocation  = "boltseal:location"  // JSON of boltseal.Location
	PropCodename  = "boltseal:os:codename"
	PropOSName    = "boltseal:os:name"
	PropIDLike    = "boltseal:os:idLike"
	PropVariant   = "boltseal:os:variant"
	PropRepo      = "boltseal:os:repository"
	PropImageID   = "boltseal:image:configDigest"
	PropPlatform  = "boltseal:image:platform"
	PropBase      = "boltseal:image:base"
	PropLayerList = "boltseal:image:layer:diffID" // lowest first
	PropSkipped   = "boltseal:skipped"
)

// Property is a name with a value. Names may repeat.
type Property struct{ Name, Value string }

// Properties are a package's, in fixed order.
func (it *Item) Properties() []Property {
	p := []Property{{PropState, it.State.String()}}
	add := func(name, value string) {
		if value != "" {
			p = append(p, Property{name, value})
		}
	}
	add(PropLayer, it.Layer)
	add(PropOwner, it.OwnedBy)
	add(PropVendor, it.Vendor)
	add(PropModule, it.Module)
	for _, name := range it.Unresolved {
		add(PropNeeds, name)
	}
	return p
}

// DistroProperties are those of the operating system.
func DistroProperties(d *boltseal.Distro) []Property {
	var p []Property
	add := func(name, value string) {
		if value != "" {
			p = append(p, Property{name, value})
		}
	}
	add(PropCodename, d.Codename)
	add(PropOSName, d.Name)
	for _, id := range d.IDLike {
		add(PropIDLike, id)
	}
	add(PropVariant, d.Variant)
	for _, r := range d.Repositories {
		add(PropRepo, r)
	}
	return p
}

// ImageProperties are those of the image.
func ImageProperties(r *boltseal.Report) []Property {
	var p []Property
	add := func(name, value string) {
		if value != "" {
			p = append(p, Property{name, value})
		}
	}
	if img := r.Image; img != nil {
		add(PropImageID, img.ImageID)
		add(PropPlatform, img.Platform)
		if img.Base != nil {
			base := img.Base.Name
			if img.Base.Digest != "" {
				base += "@" + img.Base.Digest
			}
			add(PropBase, base)
		}
	}
	for _, l := range r.Layers {
		add(PropLayerList, l.DiffID)
	}
	return p
}

// Skipped are the gaps of a report, sorted.
func Skipped(r *boltseal.Report) []Property {
	var p []Property
	for _, s := range r.Skipped {
		if s.Note {
			continue
		}
		place := s.Path
		if place == "" {
			place = s.Layer
		}
		text := s.Reason
		if place != "" {
			text = place + ": " + s.Reason
		}
		p = append(p, Property{PropSkipped, text})
	}
	slices.SortFunc(p, func(a, b Property) int { return strings.Compare(a.Value, b.Value) })
	return slices.Compact(p)
}

// JSON is the value of a property that holds a structure.
func JSON(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return "" // a confidence that is no number
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Apply sets the fields of a package that a property of ours carries.
func Apply(p *boltseal.ReportPackage, prop Property) {
	switch prop.Name {
	case PropState:
		var s boltseal.State
		if s.UnmarshalText([]byte(prop.Value)) == nil {
			p.State = s
		}
	case PropLayer:
		p.Layer = prop.Value
	case PropOwner:
		p.OwnedBy = prop.Value
	case PropVendor:
		p.Vendor = prop.Value
	case PropModule:
		p.Module = prop.Value
	case PropNeeds:
		p.DependsOn = append(p.DependsOn, prop.Value)
	case PropEvidence:
		var e boltseal.Evidence
		if json.Unmarshal([]byte(prop.Value), &e) == nil {
			p.Evidence = append(p.Evidence, e)
		}
	case PropLocation:
		var l boltseal.Location
		if json.Unmarshal([]byte(prop.Value), &l) == nil {
			p.Locations = append(p.Locations, l)
		}
	}
}

// ApplyDistro does the same for an operating system.
func ApplyDistro(d *boltseal.Distro, prop Property) {
	switch prop.Name {
	case PropCodename, "syft:distro:versionCodename":
		d.Codename = prop.Value
	case PropOSName:
		d.Name = prop.Value
	case PropIDLike:
		d.IDLike = append(d.IDLike, prop.Value)
	case PropVariant:
		d.Variant = prop.Value
	case PropRepo:
		d.Repositories = append(d.Repositories, prop.Value)
	}
}

// ApplyImage does the same for the image.
func ApplyImage(r *boltseal.Report, prop Property) {
	switch prop.Name {
	case PropImageID:
		r.Image.ImageID = prop.Value
	case PropPlatform:
		r.Image.Platform = prop.Value
	case PropBase:
		name, digest, _ := strings.Cut(prop.Value, "@")
		r.Image.Base = &boltseal.ReportBase{Name: name, Digest: digest}
	case PropLayerList:
		r.Layers = append(r.Layers, boltseal.ReportLayer{Index: len(r.Layers), DiffID: prop.Value})
	}
}
