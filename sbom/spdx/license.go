package spdx

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/spdx/tools-golang/spdx/v2/v2_3"

	"github.com/boltseal/boltseal/sbom/internal/document"
)

// declared writes what a package states of its licences as one expression
// (SPDX 2.3 annex D): listed identifiers and expressions as they stand, other
// words as a LicenseRef- whose text is those words.
func (b *builder) declared(stated []string) string {
	var terms []string
	for _, s := range stated {
		switch {
		case s == "":
		case document.IsLicenseID(s):
			terms = append(terms, s)
		case document.IsLicenseExpression(s):
			terms = append(terms, "("+s+")")
		default:
			terms = append(terms, b.licenseRef(s))
		}
	}
	if len(terms) == 0 {
		return noAssertion
	}
	return strings.Join(terms, " AND ")
}

func (b *builder) licenseRef(name string) string {
	if ref, ok := b.licenses[name]; ok {
		return ref
	}
	sum := sha256.Sum256([]byte(name))
	short := name
	if len(short) > 40 {
		short = short[:40]
	}
	ref := "LicenseRef-" + idString(short) + "-" + hex.EncodeToString(sum[:4])
	b.licenses[name] = ref
	b.doc.OtherLicenses = append(b.doc.OtherLicenses, &v2_3.OtherLicense{LicenseIdentifier: ref, LicenseName: name, ExtractedText: name})
	return ref
}
