package boltseal

import (
	"fmt"
	"strings"
)

// Severity is how bad a finding is, in the qualitative scale of CVSS v3.1
// section 5 with one value added for "nobody said". None is a statement (the
// issue has no impact), Unknown the absence of one: they are not the same.
type Severity uint8

const (
	SeverityUnknown  Severity = iota // nobody rated it
	SeverityNone                     // rated: no impact (CVSS 0.0)
	SeverityLow                      // CVSS 0.1 to 3.9
	SeverityMedium                   // CVSS 4.0 to 6.9
	SeverityHigh                     // CVSS 7.0 to 8.9
	SeverityCritical                 // CVSS 9.0 to 10.0
)

var severityNames = [...]string{"unknown", "none", "low", "medium", "high", "critical"}

// String returns the lower-case name.
func (s Severity) String() string {
	if int(s) < len(severityNames) {
		return severityNames[s]
	}
	return fmt.Sprintf("severity(%d)", uint8(s))
}

// ParseSeverity reads a name as [Severity.String] writes it, in any case. The
// words of distributions are understood too: "important" is high, "moderate"
// medium, and "minor", "negligible" and "unimportant" are low.
func ParseSeverity(name string) (Severity, error) {
	switch n := strings.ToLower(strings.TrimSpace(name)); n {
	case "moderate":
		return SeverityMedium, nil
	case "important":
		return SeverityHigh, nil
	case "negligible", "unimportant", "minor":
		return SeverityLow, nil
	default:
		for i, s := range severityNames {
			if n == s {
				return Severity(i), nil
			}
		}
	}
	return SeverityUnknown, fmt.Errorf("severity %q: %w: want one of %s", name, ErrMalformed, strings.Join(severityNames[:], ", "))
}

// SeverityFromScore converts a CVSS base score (0 to 10) by the table of CVSS
// v3.1 section 5, which CVSS v4.0 section 6 repeats. Scores outside the range
// are Unknown.
func SeverityFromScore(score float64) Severity {
	switch {
	case score < 0 || score > 10 || score != score:
		return SeverityUnknown
	case score == 0:
		return SeverityNone
	case score < 4:
		return SeverityLow
	case score < 7:
		return SeverityMedium
	case score < 9:
		return SeverityHigh
	}
	return SeverityCritical
}

// MarshalText writes the name, so that JSON carries "high", not 4.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what [Severity.MarshalText] wrote.
func (s *Severity) UnmarshalText(b []byte) (err error) {
	*s, err = ParseSeverity(string(b))
	return err
}
