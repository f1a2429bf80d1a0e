package spdx

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spdx/tools-golang/spdx/v2/common"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
	"github.com/boltseal/boltseal/sbom/internal/document"
)

// ReadOptions control [Read]. The zero value is usable.
type ReadOptions struct {
	// Limits bound the work: FileBytes the document, FileResults the packages.
	Limits *boltseal.Limits
}

// Read reads an SPDX JSON document of version 2.2 or 2.3: packages with their
// distribution, edges, source packages, licences, and what annotations of
// [Write] say of them; the image; the distribution. What syft, trivy, scalibr
// and others write differently is folded into the fields of [boltseal.Package].
//
// Packages without a package URL are listed under Skipped, unless they are the
// image, the distribution, files, or a document's root, and the report is then
// incomplete. An error wraps [boltseal.ErrMalformed] or [boltseal.ErrLimit] and
// comes with the packages read so far.
func Read(r io.Reader, opts *ReadOptions) (*boltseal.Report, error) {
	var limits *boltseal.Limits
	if opts != nil {
		limits = opts.Limits
	}
	rd := reader{
		dec:      document.NewDecoder(r, limits),
		out:      &boltseal.Report{Schema: boltseal.ReportSchema, Complete: true},
		licenses: map[string]string{},
		sources:  map[string]boltseal.Source{},
		from:     map[string]string{},
		roots:    map[string]bool{},
	}
	err := rd.dec.Object(rd.member)
	if err == nil && !strings.HasPrefix(rd.version, "SPDX-2.") {
		err = fmt.Errorf("%w: spdxVersion is %.40q, not SPDX-2.2 or SPDX-2.3", boltseal.ErrMalformed, rd.version)
	}
	rd.finish()
	if err != nil {
		rd.out.Complete = false
		return rd.out, fmt.Errorf("read SPDX: %w", err)
	}
	return rd.out, nil
}

type reader struct {
	dec      *document.Decoder
	out      *boltseal.Report
	all      document.Collection
	version  string
	declared []string                   // of each record in all
	nameless []rawPackage               // packages without a package URL
	licenses map[string]string          // LicenseRef-… → name
	sources  map[string]boltseal.Source // identifier → source package
	from     map[string]string          // identifier → that of its source package
	roots    map[string]bool            // identifiers that the document describes
}

// rawPackage is what is read of a package.
type rawPackage struct {
	ID          string `json:"SPDXID"`
	Name        string `json:"name"`
	Version     string `json:"versionInfo"`
	Description string `json:"description"`
	Purpose     string `json:"primaryPackagePurpose"`
	Declared    string `json:"licenseDeclared"`
	Refs        []struct {
		Type    string `json:"referenceType"`
		Locator string `json:"referenceLocator"`
	} `json:"externalRefs"`
	Annotations []rawAnnotation `json:"annotations"`
}

type rawAnnotation struct {
	Comment string `json:"comment"`
}

func (a rawAnnotation) property() document.Property {
	name, value, _ := strings.Cut(a.Comment, "=")
	if !strings.HasPrefix(name, "boltseal:") {
		return document.Property{}
	}
	return document.Property{Name: name, Value: value}
}

func (p *rawPackage) ref(refType string) string {
	for _, r := range p.Refs {
		if r.Type == refType {
			return r.Locator
		}
	}
	return ""
}

func (rd *reader) member(key string) error {
	switch key {
	case "spdxVersion":
		return rd.dec.Value(&rd.version)
	case "creationInfo":
		var info struct {
			Created string `json:"created"`
		}
		err := rd.dec.Value(&info)
		if t, bad := time.Parse(time.RFC3339, info.Created); bad == nil && t.Unix() > 0 {
			rd.out.Created = &t
		}
		return err
	case "annotations":
		return rd.dec.Array(func() error {
			var a rawAnnotation
			err := rd.dec.Value(&a)
			if p := a.property(); p.Name == document.PropSkipped {
				rd.out.Skipped = append(rd.out.Skipped, boltseal.Skip{Reason: p.Value})
				rd.out.Complete = false
			}
			return err
		})
	case "comment":
		var comment string
		err := rd.dec.Value(&comment)
		if strings.HasPrefix(comment, incomplete) {
			rd.out.Complete = false
		}
		return err
	case "documentDescribes":
		return rd.dec.Array(func() error {
			var id string
			err := rd.dec.Value(&id)
			rd.roots[id] = true
			return err
		})
	case "hasExtractedLicensingInfos":
		return rd.dec.Array(func() error {
			var l struct {
				ID   string `json:"licenseId"`
				Name string `json:"name"`
				Text string `json:"extractedText"`
			}
			err := rd.dec.Value(&l)
			if l.Name == "" || l.Name == noAssertion {
				l.Name = l.Text
			}
			if l.ID != "" && len(l.Name) < 1024 && !strings.HasPrefix(l.Name, "sha256:") {
				rd.licenses[l.ID] = l.Name
			}
			return err
		})
	case "packages":
		return rd.dec.Array(func() error {
			var p rawPackage
			if err := rd.dec.Value(&p); err != nil {
				return err
			}
			return rd.pkg(&p)
		})
	case "relationships":
		return rd.dec.Array(rd.relationship)
	}
	return rd.dec.Skip()
}

func (rd *reader) relationship() error {
	var r struct {
		A    string `json:"spdxElementId"`
		Type string `json:"relationshipType"`
		B    string `json:"relatedSpdxElement"`
	}
	if err := rd.dec.Value(&r); err != nil {
		return err
	}
	switch r.Type {
	case common.TypeRelationshipDependsOn:
		if r.B == "NONE" {
			rd.all.Depends(r.A)
		} else {
			rd.all.Depends(r.A, r.B)
		}
	case common.TypeRelationshipDependencyOf, common.TypeRelationshipRuntimeDependencyOf:
		rd.all.Depends(r.B, r.A)
	case common.TypeRelationshipGeneratedFrom:
		rd.from[r.A] = r.B
	case common.TypeRelationshipDescribe:
		rd.roots[r.B] = true
	}
	return nil
}

func (rd *reader) pkg(p *rawPackage) error {
	url := p.ref(common.TypePackageManagerPURL)
	switch {
	case p.Purpose == "CONTAINER", strings.HasPrefix(url, "pkg:oci/"):
		rd.image(p, url)
		return nil
	case p.Purpose == "OPERATING_SYSTEM", p.Purpose == "OPERATING-SYSTEM", url == "" && strings.HasPrefix(p.ID, "SPDXRef-OperatingSystem"):
		if rd.out.Distro == nil {
			rd.out.Distro = distro(p)
		}
		return nil
	}
	if err := rd.dec.Count(); err != nil {
		return err
	}
	if url == "" {
		p.Annotations = nil
		rd.nameless = append(rd.nameless, *p)
		return nil
	}
	if u, err := purl.Parse(url); err == nil && p.Purpose == "SOURCE" && isSourceArch(u.Get("arch")) {
		rd.sources[p.ID] = boltseal.Source{Name: p.Name, Version: p.Version}
		return nil
	}
	rec := document.Record{
		Component: document.Component{PURL: url, Name: p.Name, Version: p.Version},
		Ref:       p.ID,
	}
	for _, a := range p.Annotations {
		if prop := a.property(); prop.Name != "" {
			rec.Properties = append(rec.Properties, prop)
		}
	}
	rd.all.Records = append(rd.all.Records, rec)
	rd.declared = append(rd.declared, p.Declared)
	return nil
}

func isSourceArch(arch string) bool { return arch == "source" || arch == "src" }

func (rd *reader) image(p *rawPackage, url string) {
	if rd.out.Image != nil {
		return
	}
	rd.out.Image = &boltseal.ReportImage{Name: p.Name}
	if u, err := purl.Parse(url); err == nil && u.Type == "oci" {
		rd.out.Image.Digest = u.Version
	} else if strings.HasPrefix(p.Version, "sha256:") {
		rd.out.Image.Digest = p.Version
	}
	for _, a := range p.Annotations {
		document.ApplyImage(rd.out, a.property())
	}
}

func distro(p *rawPackage) *boltseal.Distro {
	d := &boltseal.Distro{ID: p.Name, VersionID: p.Version, PrettyName: p.Description}
	if d.CPE = p.ref(common.TypeSecurityCPE23Type); d.CPE == "" {
		d.CPE = p.ref(common.TypeSecurityCPE22Type)
	}
	for _, a := range p.Annotations {
		prop := a.property()
		document.ApplyDistro(d, prop)
		switch prop.Name {
		case document.PropEvidence:
			var e boltseal.Evidence
			if json.Unmarshal([]byte(prop.Value), &e) == nil {
				d.Evidence = append(d.Evidence, e)
			}
		case document.PropLocation:
			var l boltseal.Location
			if json.Unmarshal([]byte(prop.Value), &l) == nil {
				d.Locations = append(d.Locations, l)
			}
		}
	}
	document.FoldDistro(d)
	return d
}

// finish resolves what may stand after the packages.
func (rd *reader) finish() {
	for i := range rd.all.Records {
		rec := &rd.all.Records[i]
		rec.Licenses = rd.stated(rd.declared[i])
		rec.Source = rd.sources[rd.from[rec.Ref]]
	}
	for i := range rd.nameless {
		p := &rd.nameless[i]
		if p.Purpose == "FILE" || p.Purpose == "APPLICATION" || rd.roots[p.ID] {
			continue
		}
		rd.out.Complete = false
		rd.out.Skipped = append(rd.out.Skipped, boltseal.Skip{Reason: fmt.Sprintf("package %.100q has no package URL", p.Name)})
	}
	rd.all.Report(rd.out)
}

// stated takes an expression apart again where [builder.declared] joined it: at
// AND outside parentheses. AND binds tighter than OR: an expression with OR
// there stays whole.
func (rd *reader) stated(expression string) []string {
	if expression == "" || expression == noAssertion || expression == "NONE" {
		return nil
	}
	var out []string
	depth, start := 0, 0
	for i := range len(expression) {
		rest := expression[i:]
		switch {
		case rest[0] == '(':
			depth++
		case rest[0] == ')':
			depth--
		case depth == 0 && strings.HasPrefix(rest, " OR "):
			return []string{expression}
		case depth == 0 && strings.HasPrefix(rest, " AND "):
			out = append(out, rd.term(expression[start:i]))
			start = i + len(" AND ")
		}
	}
	out = append(out, rd.term(expression[start:]))
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

func (rd *reader) term(s string) string {
	s = strings.TrimSpace(s)
	if inner, ok := strings.CutPrefix(s, "("); ok {
		if inner, ok = strings.CutSuffix(inner, ")"); ok && document.IsLicenseExpression(inner) {
			return inner
		}
	}
	if strings.HasPrefix(s, "LicenseRef-sha256-") {
		return ""
	}
	if name, ok := rd.licenses[s]; ok {
		return name
	}
	return s
}
