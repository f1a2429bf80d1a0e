package secrets

import (
	"fmt"
	"maps"
	"slices"
	"strings"
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
	// State is what the caller's [Verifier] said; empty if there was none.
	State State `json:"state,omitempty"`
	// Suppressed says why the match does not count: an inline mark, an entry of
	// the allow list or of the baseline.
	Suppressed string `json:"suppressed,omitempty"`
}

// Finding returns the match in the vocabulary that all layers share.
func (m *Match) Finding() boltseal.Finding {
	f := boltseal.Finding{
		Kind: boltseal.KindSecret, Rule: m.Rule, Title: m.Title, Severity: m.Severity, Locations: m.Locations,
		Suppressed: m.Suppressed, Fingerprint: m.Fingerprint, Fix: "revoke it, then remove it: " + m.Revoke,
	}
	if m.Revoke == "" {
		f.Fix = "revoke it, then remove it"
	}
	var b strings.Builder
	b.WriteString(m.Secret.String())
	if m.Name != "" {
		b.WriteString(", assigned to " + m.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Halves)) {
		fmt.Fprintf(&b, ", with %s %s", name, m.Halves[name])
	}
	for _, name := range slices.Sorted(maps.Keys(m.Context)) {
		fmt.Fprintf(&b, ", %s %s", name, m.Context[name])
	}
	if m.Expires != nil {
		b.WriteString(", expires " + m.Expires.UTC().Format(time.DateOnly))
	}
	if m.More > 0 {
		fmt.Fprintf(&b, ", and in %d more places", m.More)
	}
	f.Description = b.String()
	sure := map[Confidence]float64{ConfidenceHigh: 0.95, ConfidenceMedium: 0.7, ConfidenceLow: 0.4}[m.Confidence]
	f.Evidence = []boltseal.Evidence{{Detail: "shape of " + m.Rule, Confidence: sure}}
	for _, n := range m.Notes {
		f.Evidence = append(f.Evidence, boltseal.Evidence{Detail: n})
	}
	return f
}

// longestName bounds what is told of the name a value was assigned to.
const longestName = 80

// describe makes what is told of a candidate. Nothing in it holds the secret.
func (v *view) describe(c *Candidate, o offer) Match {
	m := Match{
		Rule: c.Rule.ID, Provider: c.Rule.Provider, Title: c.Rule.Title, Kind: c.Kind, Confidence: c.Confidence, Severity: c.Severity,
		Secret: redacted(o.anchor, len(c.Secret)), Verified: c.Verdict, Name: clean(c.Name, c.Secret), Via: v.via, Notes: c.Notes, Revoke: c.Rule.Revoke,
	}
	if !c.Expires.IsZero() {
		m.Expires = &c.Expires
	}
	for _, p := range c.Parts {
		if p.Secret {
			if m.Halves == nil {
				m.Halves = map[string]Secret{}
			}
			m.Halves[p.Name] = redacted("", len(p.Value))
		} else if text := clean(p.Value, c.Secret); text != "" {
			if m.Context == nil {
				m.Context = map[string]string{}
			}
			m.Context[p.Name] = text
		}
	}
	return m
}

// clean makes text from the content fit to be told: printable, short, and
// without any piece of the secret.
func clean(text string, secret []byte) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, text[:min(len(text), longestName)])
	const piece = 5
	for i := 0; i+piece <= len(text); i++ {
		if strings.Contains(string(secret), text[i:i+piece]) {
			return ""
		}
	}
	return text
}
