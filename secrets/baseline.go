package secrets

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/boltseal/boltseal"
)

// BaselineSchema names the form of a baseline file.
const BaselineSchema = "boltseal.secrets.baseline/v1"

// Baseline is what was known at some day: findings that are not reported again. It
// knows secrets by their fingerprints and never by where they stand, so that a
// new secret on an old line is new. Fingerprints are those of one salt.
type Baseline struct {
	Schema  string          `json:"schema"`
	Entries []BaselineEntry `json:"entries"`
}

// BaselineEntry is one secret.
type BaselineEntry struct {
	Fingerprint string `json:"fingerprint"`
	Rule        string `json:"rule"`
	Reason      string `json:"reason"`
}

// NewBaseline makes a baseline of the findings of secrets that count. The reason
// says why they are left for later.
func NewBaseline(findings []boltseal.Finding, reason string) *Baseline {
	b := &Baseline{Schema: BaselineSchema, Entries: []BaselineEntry{}}
	for _, f := range findings {
		if f.Kind == boltseal.KindSecret && f.Suppressed == "" {
			b.Entries = append(b.Entries, BaselineEntry{f.Fingerprint, f.Rule, reason})
		}
	}
	slices.SortFunc(b.Entries, func(x, y BaselineEntry) int {
		return cmp.Or(cmp.Compare(x.Rule, y.Rule), cmp.Compare(x.Fingerprint, y.Fingerprint))
	})
	b.Entries = slices.Compact(b.Entries)
	return b
}

// Write writes the baseline as JSON, one entry a line of a diff.
func (b *Baseline) Write(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(b)
}

// baselineBytes bounds a baseline file.
const baselineBytes = 64 << 20

// ReadBaseline reads what [Baseline.Write] wrote.
func ReadBaseline(r io.Reader) (*Baseline, error) {
	var b Baseline
	dec := json.NewDecoder(io.LimitReader(r, baselineBytes))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&b); err != nil {
		return nil, fmt.Errorf("read baseline: %w: %w", boltseal.ErrMalformed, err)
	}
	if b.Schema != BaselineSchema {
		return nil, fmt.Errorf("read baseline: schema %q: %w: this version reads %q", b.Schema, boltseal.ErrMalformed, BaselineSchema)
	}
	for i, e := range b.Entries {
		if _, err := hex.DecodeString(e.Fingerprint); err != nil || e.Fingerprint == "" || e.Reason == "" {
			return nil, fmt.Errorf("read baseline: entry %d: %w: want a fingerprint and a reason", i+1, boltseal.ErrMalformed)
		}
	}
	return &b, nil
}

// Apply sets Suppressed on the findings that the baseline knows, and returns the
// entries that no finding has any more: they were dealt with, or made with
// another salt.
func (b *Baseline) Apply(findings []boltseal.Finding) (gone []BaselineEntry) {
	type key struct{ rule, fingerprint string }
	seen := map[key]bool{}
	reasons := map[key]string{}
	for _, e := range b.Entries {
		reasons[key{e.Rule, e.Fingerprint}] = e.Reason
	}
	for i := range findings {
		f := &findings[i]
		k := key{f.Rule, f.Fingerprint}
		reason, ok := reasons[k]
		if f.Kind != boltseal.KindSecret || !ok {
			continue
		}
		seen[k] = true
		if f.Suppressed == "" {
			f.Suppressed = "in the baseline: " + reason
		}
	}
	for _, e := range b.Entries {
		if !seen[key{e.Rule, e.Fingerprint}] {
			gone = append(gone, e)
		}
	}
	return gone
}
