package vex

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/boltseal/boltseal"
)

// Status is what a statement says, in the words of OpenVEX.
type Status string

const (
	NotAffected        Status = "not_affected"
	Affected           Status = "affected"
	Fixed              Status = "fixed"
	UnderInvestigation Status = "under_investigation"
)

// Document is one VEX document of any format.
type Document struct {
	Format     string // "OpenVEX", "CycloneDX", "CSAF"
	ID         string
	Author     string
	Time       time.Time // of its last change; zero if not stated
	Statements []Statement
	// Skipped names statements, or parts of them, that are not valid in their
	// format or not understood, with the reason. They are never applied.
	Skipped []boltseal.Skip
	// Trusted is for the caller to set, on a document that they wrote themselves
	// or whose signature they verified. Statements of other documents are shown
	// and not applied.
	Trusted bool

	pairs int // names times identifiers of all statements
}

// Statement says how products stand to one vulnerability.
type Statement struct {
	Vulnerability []string // its name, then its other names
	Products      []Product
	Status        Status
	Justification string // a label of the format: "vulnerable_code_not_present", "code_not_reachable", …
	Impact        string // why, in words
	Action        string // what to do, in words
	Time          time.Time
}

// Product is a thing a statement speaks of. All IDs name the same thing:
// package URLs, digests as "sha256:<hex>", CPEs, or whatever the author chose.
type Product struct {
	IDs []string
	// Parts, if not empty, restricts the statement to these components inside
	// the product; each has its own IDs.
	Parts [][]string
}

// maxDocument bounds a document's size. CSAF documents of large vendors reach
// some 20 MB.
const maxDocument = 64 << 20

// maxProducts bounds the products of all statements of a document, after
// groups are expanded.
const maxProducts = 1_000_000

// maxPairs bounds the names of a statement times the identifiers of its
// products, in all statements, and so what Apply has to look at.
const maxPairs = 16_000_000

// Read reads a document and finds out its format. Errors wrap
// [boltseal.ErrMalformed] for what is no VEX document and [boltseal.ErrLimit]
// for one of more than 64 MiB, 1,000,000 products (CSAF, after groups are
// expanded) or 16,000,000 pairs of a name and a product's identifier.
func Read(r io.Reader) (*Document, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("read VEX: %w", err)
	}
	if len(data) > maxDocument {
		return nil, fmt.Errorf("read VEX: %w: more than %d bytes", boltseal.ErrLimit, maxDocument)
	}
	var head struct {
		Context   json.RawMessage `json:"@context"`
		BOMFormat string          `json:"bomFormat"`
		Type      string          `json:"_type"`
		Document  *struct {
			Version string `json:"csaf_version"`
		} `json:"document"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("read VEX: %w: %w", boltseal.ErrMalformed, err)
	}
	var doc *Document
	switch {
	case head.Type != "":
		doc, err = readAttestation(data)
	case head.Document != nil && head.Document.Version != "":
		doc, err = readCSAF(data)
	case head.BOMFormat == "CycloneDX":
		doc, err = readCycloneDX(data)
	case len(head.Context) > 0:
		doc, err = readOpenVEX(data, nil)
	default:
		err = fmt.Errorf("%w: neither OpenVEX (@context), CycloneDX (bomFormat) nor CSAF (document.csaf_version)", boltseal.ErrMalformed)
	}
	if err == nil && doc.pairs > maxPairs {
		err = fmt.Errorf("%s: %w: the statements' names times their products are more than %d", doc.Format, boltseal.ErrLimit, maxPairs)
	}
	if err != nil {
		return nil, fmt.Errorf("read VEX: %w", err)
	}
	return doc, nil
}

// decode is json.Unmarshal with the house's error.
func decode(data []byte, format string, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w: %w", format, boltseal.ErrMalformed, err)
	}
	return nil
}

// add keeps a statement, or says why it is none.
func (d *Document) add(s Statement) {
	var why string
	switch {
	case len(s.Vulnerability) == 0:
		why = "names no vulnerability"
	case len(s.Products) == 0:
		why = "names no product"
	case s.Status == "":
		why = "has no status that is known"
	case s.Status == NotAffected && s.Justification == "" && s.Impact == "" && d.Format != "CycloneDX":
		why = "says not_affected without a justification or an impact statement"
	}
	if why != "" {
		d.skip(s.Vulnerability, why)
		return
	}
	for i := range s.Products {
		if d.pairs > maxPairs {
			return // Read says so
		}
		p := &s.Products[i]
		ids := 1 + len(p.IDs)
		for _, part := range p.Parts {
			ids += 1 + len(part)
		}
		d.pairs += ids * len(s.Vulnerability)
	}
	if s.Time.IsZero() {
		s.Time = d.Time
	}
	d.Statements = append(d.Statements, s)
}

// skip reports a statement on a vulnerability, or a part of it, that is left out.
func (d *Document) skip(vulnerability []string, why string) {
	name := "statement"
	if len(vulnerability) > 0 {
		name = fmt.Sprintf("statement on %.80s", vulnerability[0])
	}
	d.Skipped = append(d.Skipped, boltseal.Skip{Reason: fmt.Sprintf("%s %.200s: %s %s", d.Format, d.ID, name, why)})
}

// moment reads a time; one that cannot be read is not stated.
func moment(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// compact drops empty strings and repetitions of the first.
func compact(ids ...string) []string {
	var out []string
	for _, id := range ids {
		if id != "" && (len(out) == 0 || id != out[0]) {
			out = append(out, id)
		}
	}
	return out
}
