package boltseal

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// ReportSchema names the JSON form of [Report]. It changes only when a reader
// written for it could misread the new form; new keys may appear at any time.
const ReportSchema = "boltseal.report/v1"

// Report is what a scan tells the world: one JSON document, whose schema is in
// docs/report-v1.schema.json.
type Report struct {
	Schema string `json:"schema"` // ReportSchema
	// Complete is false if anything was skipped or failed: then the absence of
	// findings proves nothing.
	Complete bool            `json:"complete"`
	Created  *time.Time      `json:"created,omitempty"` // when the scan ran; omitted in reproducible output
	Image    *ReportImage    `json:"image,omitempty"`
	Distro   *Distro         `json:"distro,omitempty"`
	Layers   []ReportLayer   `json:"layers"`
	Packages []ReportPackage `json:"packages"`
	Findings []Finding       `json:"findings"`
	Checks   []Check         `json:"checks"`
	Skipped  []Skip          `json:"skipped"`
	// Advisories describes the database that was matched against.
	Advisories *ReportAdvisories `json:"advisories,omitempty"`
}

// ReportImage names the image.
type ReportImage struct {
	Name     string      `json:"name"`
	Digest   string      `json:"digest,omitempty"`  // of the manifest
	ImageID  string      `json:"imageId,omitempty"` // digest of the config
	Platform string      `json:"platform,omitempty"`
	Created  *time.Time  `json:"created,omitempty"`
	Base     *ReportBase `json:"base,omitempty"`
}

// ReportBase is the image this one was built on.
type ReportBase struct {
	Name       string  `json:"name,omitempty"`
	Digest     string  `json:"digest,omitempty"`
	Layers     int     `json:"layers"` // how many of the lowest layers are its own; 0 is unknown
	Confidence float64 `json:"confidence"`
	Evidence   string  `json:"evidence"`
}

// ReportLayer is one layer, lowest first.
type ReportLayer struct {
	Index      int     `json:"index"`
	Digest     string  `json:"digest,omitempty"` // of the blob as stored
	DiffID     string  `json:"diffID"`           // of the uncompressed tar
	Kind       string  `json:"kind"`             // base, os-packages, runtime, dependencies, application, config, metadata, tool, mixed, unknown
	Confidence float64 `json:"confidence"`
	Evidence   string  `json:"evidence,omitempty"`
	CreatedBy  string  `json:"createdBy,omitempty"`
	Bytes      int64   `json:"bytes"`                // of the uncompressed tar; of the files where there is none
	Compressed int64   `json:"compressed,omitempty"` // as stored
	Files      int     `json:"files"`                // regular files in the layer
	Added      int     `json:"added"`                // paths that no lower layer has
	Modified   int     `json:"modified"`             // paths that a lower layer has too
	Removed    int     `json:"removed"`              // paths of lower layers that it deletes
	Wasted     int64   `json:"wasted"`               // bytes that higher layers delete or replace
	FromBase   bool    `json:"fromBase,omitempty"`
	Packages   int     `json:"packages"` // packages that this layer brought
}

// ReportPackage is a package with the two answers that readers want first.
type ReportPackage struct {
	Package
	Layer string   `json:"layer,omitempty"` // diffID of the layer that brought it
	Paths []string `json:"paths,omitempty"` // the files that gave it away
}

// ReportAdvisories describes an advisory database.
type ReportAdvisories struct {
	Generation string         `json:"generation"`
	Built      *time.Time     `json:"built,omitempty"`
	Newest     *time.Time     `json:"newest,omitempty"` // of all advisories
	Advisories int            `json:"advisories"`
	Sources    []ReportSource `json:"sources,omitempty"`
}

// ReportSource is one source of advisories, with its licence.
type ReportSource struct {
	Name       string     `json:"name"`
	Advisories int        `json:"advisories"`
	Newest     *time.Time `json:"newest,omitempty"`
	License    string     `json:"license,omitempty"`
}

// WriteJSON writes the report, indented, with every list present, and ending in
// a newline.
func (r *Report) WriteJSON(w io.Writer) error {
	out := *r
	out.Schema = ReportSchema
	out.Layers = list(out.Layers)
	out.Packages = list(out.Packages)
	out.Findings = list(out.Findings)
	out.Checks = list(out.Checks)
	out.Skipped = list(out.Skipped)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(&out)
}

// ReadReport reads what [Report.WriteJSON] wrote, by this version or another
// one of the same schema.
func ReadReport(r io.Reader) (*Report, error) {
	var out Report
	if err := json.NewDecoder(r).Decode(&out); err != nil {
		return nil, fmt.Errorf("read report: %w: %w", ErrMalformed, err)
	}
	if out.Schema != ReportSchema {
		return nil, fmt.Errorf("read report: schema %q: %w: this version reads %q", out.Schema, ErrMalformed, ReportSchema)
	}
	return &out, nil
}

func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
