package secrets

import (
	"slices"

	"github.com/boltseal/boltseal"
)

// Short names for the tables of families.
const (
	low      = boltseal.SeverityLow
	medium   = boltseal.SeverityMedium
	high     = boltseal.SeverityHigh
	critical = boltseal.SeverityCritical
)

// Families returns the built-in rules, in no order that matters. The slice is
// the caller's, to add to and to take from.
//
// The shapes are those that the issuers document or publish in source, as far
// as they do; the others are those that scanners agree on. Severities say what
// a thief could do with an average token of the family.
func Families() []Rule {
	rules := slices.Concat(
		cloudFamilies(), azureFamilies(), hostingFamilies(), packageFamilies(), chatFamilies(), aiFamilies(),
		paymentFamilies(), mailFamilies(), monitoringFamilies(), infrastructureFamilies(),
		jwtFamilies(), keyFamilies(), fileFamilies(), frameworkFamilies(), genericFamilies(),
		contextFamilies(),
	)
	for i := range rules {
		r := &rules[i]
		if r.Revoke == "" {
			r.Revoke = r.Provider + ": the page of its API keys"
			if r.Generic || r.Provider == "" {
				r.Revoke = "rotate it at the service that it opens"
			}
		}
		if r.Severity == boltseal.SeverityUnknown {
			r.Severity = high
			if r.Kind == KindIdentifier {
				r.Severity = low
			}
		}
	}
	return rules
}
