package cyclonedx

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
	"github.com/boltseal/boltseal/sbom/internal/document"
)

// ReadOptions control [Read]. The zero value is usable.
type ReadOptions struct {
	// Limits bound the work: FileBytes the document, FileResults the components.
	Limits *boltseal.Limits
}

// Read reads a CycloneDX JSON document of version 1.2 to 1.7: packages with
// their distribution, edges, licences, evidence and places; the image; the
// distribution. What syft, trivy, scalibr and others write differently is
// folded into the fields of [boltseal.Package]. Vulnerabilities are not read.
//
// Components without a package URL that may be packages are listed under
// Skipped, and the report is then incomplete, as it is if the document says so
// of itself. An error wraps [boltseal.ErrMalformed] or [boltseal.ErrLimit] and
// comes with the packages read so far, or [errors.ErrUnsupported] for XML.
func Read(r io.Reader, opts *ReadOptions) (*boltseal.Report, error) {
	var limits *boltseal.Limits
	if opts != nil {
		limits = opts.Limits
	}
	rd := reader{
		dec: document.NewDecoder(r, limits),
		out: &boltseal.Report{Schema: boltseal.ReportSchema, Complete: true},
	}
	err := rd.dec.Object(rd.member)
	switch {
	case err == nil && rd.format != cdx.BOMFormat:
		err = fmt.Errorf("%w: bomFormat is %.40q, not %q", boltseal.ErrMalformed, rd.format, cdx.BOMFormat)
	case err != nil && strings.Contains(err.Error(), "invalid character '<' looking for beginning of value"):
		err = fmt.Errorf("XML: %w: convert the document to JSON", errors.ErrUnsupported)
	}
	rd.all.Report(rd.out)
	if err != nil {
		rd.out.Complete = false
		return rd.out, fmt.Errorf("read CycloneDX: %w", err)
	}
	return rd.out, nil
}

type reader struct {
	dec    *document.Decoder
	out    *boltseal.Report
	all    document.Collection
	format string
}

func (rd *reader) member(key string) error {
	switch key {
	case "bomFormat":
		return rd.dec.Value(&rd.format)
	case "metadata":
		return rd.metadata()
	case "components":
		return rd.dec.Array(func() error {
			var c rawComponent
			if err := rd.dec.Value(&c); err != nil {
				return err
			}
			return rd.component(&c)
		})
	case "dependencies":
		return rd.dec.Array(func() error {
			var d struct {
				Ref       string   `json:"ref"`
				DependsOn []string `json:"dependsOn"`
			}
			err := rd.dec.Value(&d)
			if err == nil && d.Ref != "" {
				rd.all.Depends(d.Ref, d.DependsOn...)
			}
			return err
		})
	case "compositions":
		return rd.dec.Array(func() error {
			var c cdx.Composition
			err := rd.dec.Value(&c)
			if strings.HasPrefix(string(c.Aggregate), "incomplete") {
				rd.out.Complete = false
			}
			return err
		})
	}
	return rd.dec.Skip()
}

func (rd *reader) metadata() error {
	var m struct {
		Timestamp  string         `json:"timestamp"`
		Component  rawComponent   `json:"component"`
		Properties []cdx.Property `json:"properties"`
	}
	if err := rd.dec.Value(&m); err != nil {
		return err
	}
	if t, err := time.Parse(time.RFC3339, m.Timestamp); err == nil {
		rd.out.Created = &t
	}
	for _, p := range m.Properties {
		if p.Name == document.PropSkipped {
			rd.out.Skipped = append(rd.out.Skipped, boltseal.Skip{Reason: p.Value})
		}
	}
	if c := &m.Component; c.Type == string(cdx.ComponentTypeContainer) {
		rd.image(c)
		m.Component = rawComponent{Components: c.Components}
	}
	return rd.component(&m.Component)
}

func (rd *reader) image(c *rawComponent) {
	img := &boltseal.ReportImage{Name: c.Name}
	rd.out.Image = img
	if u, err := purl.Parse(c.PURL); err == nil && u.Type == "oci" {
		img.Digest = u.Version
	} else if strings.HasPrefix(c.Version, "sha256:") {
		img.Digest = c.Version
	}
	for _, p := range c.Properties {
		document.ApplyImage(rd.out, document.Property(p))
		if p.Name == "aquasecurity:trivy:ImageID" {
			img.ImageID = p.Value
		}
	}
}

// rawComponent is what is read of a component. Parts that writers fill in more
// than one way are decoded on their own, so that they cannot cost the rest.
type rawComponent struct {
	Ref         string          `json:"bom-ref"`
	Type        string          `json:"type"`
	Group       string          `json:"group"`
	Name        string          `json:"name"`
	Version     string          `json:"version"`
	Description string          `json:"description"`
	CPE         string          `json:"cpe"`
	PURL        string          `json:"purl"`
	Licenses    json.RawMessage `json:"licenses"`
	Evidence    json.RawMessage `json:"evidence"`
	Properties  []cdx.Property  `json:"properties"`
	Pedigree    struct {
		Ancestors []struct {
			Name    string `json:"name"`
			Version string `json:"version"`
			PURL    string `json:"purl"`
		} `json:"ancestors"`
	} `json:"pedigree"`
	Components []rawComponent `json:"components"`
}

func (rd *reader) component(c *rawComponent) error {
	switch {
	case c.Type == string(cdx.ComponentTypeOS):
		if rd.out.Distro == nil {
			rd.out.Distro = distro(c)
		}
	case c.PURL != "" && !strings.HasPrefix(c.PURL, "pkg:oci/"):
		if err := rd.dec.Count(); err != nil {
			return err
		}
		rd.all.Records = append(rd.all.Records, record(c))
	case c.Type == string(cdx.ComponentTypeLibrary), c.Type == string(cdx.ComponentTypeFramework):
		if err := rd.dec.Count(); err != nil {
			return err
		}
		rd.out.Complete = false
		rd.out.Skipped = append(rd.out.Skipped, boltseal.Skip{Reason: fmt.Sprintf("component %.100q has no package URL", c.Name)})
	}
	for i := range c.Components {
		if err := rd.component(&c.Components[i]); err != nil {
			return err
		}
	}
	return nil
}

func distro(c *rawComponent) *boltseal.Distro {
	d := &boltseal.Distro{ID: c.Name, VersionID: c.Version, PrettyName: c.Description, CPE: c.CPE}
	for _, p := range c.Properties {
		document.ApplyDistro(d, document.Property(p))
		if p.Name == document.PropEvidence {
			var e boltseal.Evidence
			if json.Unmarshal([]byte(p.Value), &e) == nil {
				d.Evidence = append(d.Evidence, e)
			}
		}
	}
	why, where := grounds(c.Evidence)
	d.Evidence = append(why, d.Evidence...)
	d.Locations = where
	document.FoldDistro(d)
	return d
}

func record(c *rawComponent) document.Record {
	rec := document.Record{
		Component: document.Component{PURL: c.PURL, Group: c.Group, Name: c.Name, Version: c.Version},
		Ref:       c.Ref,
		Licenses:  stated(c.Licenses),
	}
	rec.Properties = make([]document.Property, len(c.Properties))
	for i, p := range c.Properties {
		rec.Properties[i] = document.Property(p)
	}
	rec.Evidence, rec.Locations = grounds(c.Evidence)
	for _, a := range c.Pedigree.Ancestors {
		if u, err := purl.Parse(a.PURL); err == nil && u.Get("arch") == "source" && a.Name != "" {
			rec.Source = boltseal.Source{Name: a.Name, Version: a.Version}
			break
		}
	}
	return rec
}

// stated lists licences as identifiers, names or expressions. Digests, which
// syft writes for texts that it does not know, name nothing.
func stated(raw json.RawMessage) []string {
	var choices []struct {
		License struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"license"`
		Expression string `json:"expression"`
	}
	if len(raw) == 0 || unreadable(json.Unmarshal(raw, &choices)) {
		return nil
	}
	var out []string
	for _, c := range choices {
		for _, s := range []string{c.License.ID, c.License.Name, c.Expression} {
			if s != "" && !strings.HasPrefix(s, "sha256:") {
				out = append(out, s)
			}
		}
	}
	return out
}

// unreadable is true unless a value merely had fields of a wrong type.
func unreadable(err error) bool {
	var wrongType *json.UnmarshalTypeError
	return err != nil && !errors.As(err, &wrongType)
}

func grounds(raw json.RawMessage) ([]boltseal.Evidence, []boltseal.Location) {
	if len(raw) == 0 {
		return nil, nil
	}
	var e cdx.Evidence
	if unreadable(json.Unmarshal(raw, &e)) {
		return nil, nil
	}
	var why []boltseal.Evidence
	if e.Identity != nil {
		all := deref(e.Identity.Identities)
		if e.Identity.Identity != nil {
			all = append(slices.Clip(all), *e.Identity.Identity)
		}
		for _, id := range all {
			for _, m := range deref(id.Methods) {
				ev := boltseal.Evidence{Technique: boltseal.Technique(m.Technique), Detail: m.Value}
				if m.Confidence != nil {
					// The decimal that was written, not its neighbour in binary.
					ev.Confidence, _ = strconv.ParseFloat(strconv.FormatFloat(float64(*m.Confidence), 'g', -1, 32), 64)
				}
				why = append(why, ev)
			}
		}
	}
	var where []boltseal.Location
	for _, o := range deref(e.Occurrences) {
		if l := place(o); l.Path != "" {
			where = append(where, l)
		}
	}
	return why, where
}

func place(o cdx.EvidenceOccurrence) boltseal.Location {
	l := boltseal.Location{Path: strings.TrimPrefix(o.Location, "/")}
	var more origin
	if strings.HasPrefix(o.AdditionalContext, "{") && json.Unmarshal([]byte(o.AdditionalContext), &more) == nil {
		l.Layer, l.HiddenBy = more.Layer, more.HiddenBy
		suffix := boltseal.Location{Member: more.Member}.String()
		if path, ok := strings.CutSuffix(l.Path, suffix); ok {
			l.Path, l.Member = path, more.Member
		}
	}
	if o.Line != nil && *o.Line > 0 {
		l.Line = *o.Line
	}
	if o.Offset != nil && *o.Offset > 0 {
		l.Offset = int64(*o.Offset)
	}
	return l
}

func deref[T any](p *[]T) []T {
	if p == nil {
		return nil
	}
	return *p
}
