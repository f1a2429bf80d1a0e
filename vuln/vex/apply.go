package vex

import (
	"fmt"
	"strings"
	"time"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
)

// Options says what was scanned.
type Options struct {
	// Products names the whole that the findings' packages are in: the image's
	// package URL (pkg:oci/…), its digests as "sha256:<hex>", a CPE. Statements
	// about a product apply only where it is listed here, or is the finding's
	// package itself.
	Products []string
}

// Apply lets documents speak about findings, in place, and returns how many
// findings it suppressed. A statement speaks about a finding if it names its
// rule or an alias and, as a product, its package or the whole it is in. Of a
// document's statements on a finding only the latest counts, of several
// documents' the latest decides, and of equally late ones the last. Only trusted
// documents decide. Findings that are suppressed already stay so.
//
// Package URLs match if type, namespace and name are equal, the statement's
// version is absent or equal, and every qualifier of the statement's has an
// equal in the finding's, which may have more. Other identifiers must be equal.
//
// Statements on vulnerabilities and packages that no finding has cost one
// look-up per name and product; memory grows with the findings, not with the
// statements.
func Apply(findings []boltseal.Finding, docs []*Document, opts *Options) (suppressed int) {
	var o Options
	if opts != nil {
		o = *opts
	}
	whole := parseIDs(o.Products)
	q := newQuestions(findings)
	best := make([]ref, len(findings))
	for _, d := range docs {
		q.ask(d, whole)
		for i := range findings {
			s := q.answer(i)
			if s == nil {
				continue
			}
			r := ref{d, s}
			f := &findings[i]
			f.Evidence = append(f.Evidence, boltseal.Evidence{Technique: boltseal.TechniqueAttestation, Detail: r.String()})
			if d.Trusted && (best[i].s == nil || !s.Time.Before(best[i].s.Time)) {
				best[i] = r
			}
		}
	}
	for i, r := range best {
		f := &findings[i]
		if r.s != nil && f.Suppressed == "" && (r.s.Status == NotAffected || r.s.Status == Fixed) {
			f.Suppressed = r.String()
			suppressed++
		}
	}
	return suppressed
}

// ref is a statement in its document.
type ref struct {
	d *Document
	s *Statement
}

// String writes "VEX not_affected (reason), by AUTHOR on DATE in DOCUMENT", with
// long texts cut: many findings may repeat them.
func (r ref) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "VEX %s", r.s.Status)
	why := r.s.Justification
	switch {
	case why == "":
		why = r.s.Impact
	case r.s.Impact != "":
		why += ": " + r.s.Impact
	}
	if why != "" {
		fmt.Fprintf(&b, " (%.500s)", why)
	}
	if r.d.Author != "" {
		fmt.Fprintf(&b, ", by %.200s", r.d.Author)
	}
	if !r.s.Time.IsZero() {
		fmt.Fprintf(&b, " on %s", r.s.Time.Format(time.DateOnly))
	}
	if r.d.ID != "" {
		fmt.Fprintf(&b, " in %.200s", r.d.ID)
	}
	if !r.d.Trusted {
		b.WriteString("; not applied: the document is not trusted")
	}
	return b.String()
}

// identifier is a name of a thing, taken apart if it is a package URL.
type identifier struct {
	raw  string
	purl *purl.PURL
}

func parseID(raw string) identifier {
	x := identifier{raw: raw}
	if p, err := purl.Parse(raw); err == nil {
		x.purl = &p
	}
	return x
}

func parseIDs(ids []string) []identifier {
	var out []identifier
	for _, id := range ids {
		if id != "" {
			out = append(out, parseID(id))
		}
	}
	return out
}

// anyMatch reports whether one of a statement's identifiers fits one of ours.
func anyMatch(statement []string, ours []identifier) bool {
	for _, id := range statement {
		var theirs purl.PURL
		isPURL := false
		for _, our := range ours {
			if id == our.raw && id != "" {
				return true
			}
			if our.purl == nil {
				continue
			}
			if !isPURL {
				p, err := purl.Parse(id)
				if err != nil {
					break
				}
				theirs, isPURL = p, true
			}
			if covers(&theirs, our.purl) {
				return true
			}
		}
	}
	return false
}

func covers(statement, ours *purl.PURL) bool {
	if statement.Type != ours.Type || statement.Namespace != ours.Namespace || statement.Name != ours.Name ||
		statement.Version != "" && statement.Version != ours.Version {
		return false
	}
	for _, q := range statement.Qualifiers {
		if ours.Get(q.Key) != q.Value {
			return false
		}
	}
	return statement.Subpath == "" || statement.Subpath == ours.Subpath
}
