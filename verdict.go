package boltseal

import (
	"fmt"
	"strings"
)

// Verdict is how a check ended. The zero value is unknown, so that a check
// that never ran cannot be mistaken for one that passed.
type Verdict uint8

const (
	VerdictUnknown       Verdict = iota // could not be decided; the reason says why
	VerdictPass                         // checked, and nothing is wrong
	VerdictFail                         // checked, and something is wrong
	VerdictNotApplicable                // there is nothing here to check
)

var verdictNames = [...]string{"unknown", "pass", "fail", "not-applicable"}

// String returns the lower-case name.
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return fmt.Sprintf("verdict(%d)", uint8(v))
}

// MarshalText writes the name.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads what [Verdict.MarshalText] wrote.
func (v *Verdict) UnmarshalText(b []byte) error {
	for i, n := range verdictNames {
		if n == string(b) {
			*v = Verdict(i)
			return nil
		}
	}
	return fmt.Errorf("verdict %q: %w: want one of %s", b, ErrMalformed, strings.Join(verdictNames[:], ", "))
}

// Check is one check's outcome. Reason is required unless the verdict is
// VerdictPass: for unknown it says what was missing and how to supply it.
type Check struct {
	Rule    string  `json:"rule"`
	Title   string  `json:"title,omitempty"`
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason,omitempty"`
}

// Skip is something that was not looked at, and why. Skips make a result
// incomplete: they are reported, never dropped.
type Skip struct {
	Layer  string `json:"layer,omitempty"` // diffID, where a layer is concerned
	Path   string `json:"path,omitempty"`
	Rule   string `json:"rule,omitempty"` // ID of the analyzer that skipped, if one did
	Reason string `json:"reason"`
	// Note marks a remark that leaves nothing unread (a duplicate entry, a
	// mislabelled media type): it does not make the result incomplete.
	Note bool `json:"note,omitempty"`
}
