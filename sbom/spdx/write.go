package spdx

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/sbom/internal/document"
)

// WriteOptions control [Write]. The zero value is usable.
type WriteOptions struct {
	// Created is the document's time. Zero: when the image was created; if that
	// is unknown too, the beginning of 1970, as the format demands a time. It is
	// written in UTC, to the second.
	Created time.Time
	// Namespace is the document's, an absolute URI without "#". Empty: one with
	// a version 5 UUID of the content, so that equal content has the equal one.
	Namespace string
	// Tool and ToolVersion name the program that made the report. Empty Tool:
	// "boltseal".
	Tool, ToolVersion string
	// Compact leaves out line breaks and indentation.
	Compact bool
}

// Write writes a report as SPDX 2.3: the image as the package that the document
// describes, the distribution and the packages contained in it, what depends on
// what and which source package each was generated from. Findings are left out:
// the format has no place for them. The report is not modified.
func Write(w io.Writer, r *boltseal.Report, opts *WriteOptions) error {
	var o WriteOptions
	if opts != nil {
		o = *opts
	}
	doc := newBuilder(r, &o).build()
	if doc.DocumentNamespace == "" {
		id := document.NewUUID()
		if err := encode(id, doc, true); err != nil {
			return fmt.Errorf("write SPDX: %w", err)
		}
		doc.DocumentNamespace = "https://spdx.org/spdxdocs/" + url.PathEscape(doc.DocumentName) + "-" + id.String()
	}
	if err := encode(w, doc, o.Compact); err != nil {
		return fmt.Errorf("write SPDX: %w", err)
	}
	return nil
}

func encode(w io.Writer, doc *v2_3.Document, compact bool) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if !compact {
		enc.SetIndent("", "  ")
	}
	return enc.Encode(doc)
}

const (
	documentID  = "DOCUMENT"
	imageID     = "Image"
	osID        = "OperatingSystem"
	noAssertion = "NOASSERTION"
	// incomplete begins the comment of a document with gaps.
	incomplete = "Incomplete: something was skipped or failed."
)

type builder struct {
	report    *boltseal.Report
	doc       *v2_3.Document
	annotator common.Annotator
	created   string
	licenses  map[string]string          // name → LicenseRef-…
	sources   map[string]string          // purl → identifier
	relations map[v2_3.Relationship]bool // those already written
}

func newBuilder(r *boltseal.Report, o *WriteOptions) *builder {
	tool := cmp.Or(o.Tool, "boltseal")
	if o.ToolVersion != "" {
		tool += "-" + o.ToolVersion
	}
	t := document.Time(o.Created, r)
	if t.IsZero() {
		t = time.Unix(0, 0).UTC()
	}
	created := t.Format(time.RFC3339)
	return &builder{
		report: r,
		doc: &v2_3.Document{
			SPDXVersion:       v2_3.Version,
			DataLicense:       v2_3.DataLicense,
			SPDXIdentifier:    documentID,
			DocumentName:      document.ImageName(r.Image),
			DocumentNamespace: o.Namespace,
			CreationInfo: &v2_3.CreationInfo{
				Creators: []common.Creator{{CreatorType: "Tool", Creator: tool}},
				Created:  created,
			},
		},
		annotator: common.Annotator{AnnotatorType: "Tool", Annotator: tool},
		created:   created,
		licenses:  map[string]string{},
		sources:   map[string]string{},
		relations: map[v2_3.Relationship]bool{},
	}
}

func (b *builder) build() *v2_3.Document {
	r := b.report
	if !r.Complete {
		for _, s := range document.Skipped(r) {
			b.doc.Annotations = append(b.doc.Annotations, b.annotation(s))
		}
		b.doc.DocumentComment = incomplete
	}
	root := documentID
	relation := common.TypeRelationshipDescribe
	if r.Image != nil {
		b.add(b.image())
		b.relate(documentID, common.TypeRelationshipDescribe, imageID)
		root, relation = imageID, common.TypeRelationshipContains
	}
	if r.Distro != nil && r.Distro.ID != "" {
		b.add(b.operatingSystem(r.Distro))
		b.relate(root, relation, osID)
	}
	items := document.Items(r)
	ids := make(map[string]string, len(items))
	owners := make(map[string]string, len(items))
	for i := range items {
		id := elementID("Package", &items[i].Package, items[i].Ref)
		ids[items[i].Ref] = id
		owners[items[i].PURL] = id
	}
	for i := range items {
		it := &items[i]
		id := ids[it.Ref]
		b.add(b.pkg(it, id))
		b.relate(root, relation, id)
		if owner := owners[it.OwnedBy]; it.OwnedBy != "" && owner != "" && owner != id {
			b.relate(owner, common.TypeRelationshipContains, id)
		}
		for _, ref := range it.Edges {
			b.relate(id, common.TypeRelationshipDependsOn, ids[ref])
		}
		if it.Edges != nil && len(it.Edges) == 0 && len(it.Unresolved) == 0 {
			b.doc.Relationships = append(b.doc.Relationships, &v2_3.Relationship{
				RefA: common.MakeDocElementID("", id), Relationship: common.TypeRelationshipDependsOn, RefB: common.MakeDocElementSpecial("NONE"),
			})
		}
		b.source(it, id)
	}
	return b.doc
}

func (b *builder) add(p *v2_3.Package) { b.doc.Packages = append(b.doc.Packages, p) }

func (b *builder) relate(from, relation, to string) {
	rel := v2_3.Relationship{RefA: common.MakeDocElementID("", from), Relationship: relation, RefB: common.MakeDocElementID("", to)}
	if !b.relations[rel] {
		b.relations[rel] = true
		b.doc.Relationships = append(b.doc.Relationships, &rel)
	}
}

func (b *builder) annotation(p document.Property) *v2_3.Annotation {
	return &v2_3.Annotation{
		Annotator: b.annotator, AnnotationDate: b.created, AnnotationType: "OTHER", AnnotationComment: p.Name + "=" + p.Value,
	}
}

func (b *builder) annotate(p *v2_3.Package, props []document.Property) {
	for _, prop := range props {
		p.Annotations = append(p.Annotations, *b.annotation(prop))
	}
}
