package secrets

import (
	"time"

	"github.com/boltseal/boltseal"
)

// Match is one secret, with everything that may be told about it and every
// place where it was seen.
type Match struct {
	Rule       string            `json:"rule"`
	Provider   string            `json:"provider,omitempty"`
	Title      string            `json:"title"`
	Kind       Kind              `json:"kind"`
	Confidence Confidence        `json:"confidence"`
	Severity   boltseal.Severity `json:"severity"`
	// Secret is what was found, redacted.
	Secret Secret `json:"secret"`
	// Fingerprint is keyed with the salt of [Options]: the same secret has the
	// same one wherever and however encoded it is found, by this salt.
	Fingerprint string `json:"fingerprint"`
	// Verified is VerdictPass where a checksum or structure inside the token
	// was verified. It says nothing of whether the token still works.
	Verified boltseal.Verdict `json:"verified"`
	// Name is what the value was assigned to.
	Name string `json:"name,omitempty"`
	// Context holds what belongs to it and is no secret: account, host, user.
	Context map[string]string `json:"context,omitempty"`
	// Halves are the secret parts of a pair, redacted.
	Halves  map[string]Secret `json:"halves,omitempty"`
	Expires *time.Time        `json:"expires,omitempty"`
	// Via names the decodings between the file and the secret, outermost first.
	Via []string `json:"via,omitempty"`
	// Notes say why it is believed, and what raised or lowered the severity.
	Notes  []string `json:"notes,omitempty"`
	Revoke string   `json:"revoke,omitempty"`
	// Locations holds the first 100 places, in order; More counts the others.
	Locations []boltseal.Location `json:"locations"`
	More      int                 `json:"more,omitempty"`
	// Suppressed says why the match does not count: an inline mark, an entry of
	// the allow list or of the baseline.
	Suppressed string `json:"suppressed,omitempty"`
}
