// Package vex reads statements about exploitability and applies them to
// findings: OpenVEX 0.2.0 (bare, or as the predicate of an in-toto statement),
// CycloneDX VEX (1.4 and later) and CSAF 2.0.
//
//	doc, err := vex.Read(r)                  // any of the formats
//	doc.Trusted = true                       // it is yours, or its signature was verified
//	vex.Apply(report.Findings, []*vex.Document{doc}, &vex.Options{Products: []string{imagePURL}})
//
// Apply deletes nothing. A finding that a trusted statement calls not affected
// or fixed says so in Suppressed, with status, reason, author and document;
// every other statement that speaks of a finding becomes evidence. A document
// is not trusted unless the caller says so: what lies in the scanned image was
// put there by whoever built it.
package vex
