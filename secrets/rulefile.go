package secrets

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/boltseal/boltseal"
)

// RuleFile is what users say about rules, in YAML or JSON:
//
//	rules:
//	- id: acme-key
//	  provider: Acme
//	  title: Acme API key
//	  program: '"acme_" w32'        # the language of Compile; or regexp and anchors
//	  severity: critical
//	  revoke: https://acme.example/keys
//	disable: [generic-*, "kind:encrypted"]
//	severity: {slack-webhook: low}
//	allow:
//	- path: "**/testdata/**"
//	  reason: keys of our own tests
//	  expires: 2027-01-31
type RuleFile struct {
	Rules []FileRule `json:"rules,omitempty" yaml:"rules,omitempty"`
	// Enable, if there is any, leaves only the rules that fit; then Disable takes
	// rules away. Patterns are those of IDs ("aws-*"), of providers
	// ("provider:Amazon*"), and of kinds ("kind:secret", "kind:half",
	// "kind:encrypted", "kind:identifier"); "generic" is all generic rules.
	Enable  []string `json:"enable,omitempty" yaml:"enable,omitempty"`
	Disable []string `json:"disable,omitempty" yaml:"disable,omitempty"`
	// Severity replaces that of the rules that fit a pattern.
	Severity map[string]string `json:"severity,omitempty" yaml:"severity,omitempty"`
	Allow    []Allow           `json:"allow,omitempty" yaml:"allow,omitempty"`
}

// FileRule is a rule in a [RuleFile]; its fields are those of [Rule].
type FileRule struct {
	ID         string   `json:"id" yaml:"id"`
	Provider   string   `json:"provider,omitempty" yaml:"provider,omitempty"`
	Title      string   `json:"title,omitempty" yaml:"title,omitempty"`
	Program    string   `json:"program,omitempty" yaml:"program,omitempty"`
	Regexp     string   `json:"regexp,omitempty" yaml:"regexp,omitempty"`
	Group      int      `json:"group,omitempty" yaml:"group,omitempty"`
	Anchors    []string `json:"anchors,omitempty" yaml:"anchors,omitempty"`
	Context    []string `json:"context,omitempty" yaml:"context,omitempty"`
	Names      []string `json:"names,omitempty" yaml:"names,omitempty"`
	Kind       string   `json:"kind,omitempty" yaml:"kind,omitempty"`             // secret, half, encrypted, identifier
	Confidence string   `json:"confidence,omitempty" yaml:"confidence,omitempty"` // high, medium, low
	Severity   string   `json:"severity,omitempty" yaml:"severity,omitempty"`
	Revoke     string   `json:"revoke,omitempty" yaml:"revoke,omitempty"`
	// Check names a built-in check ("jwt", "base64", "bech32", "crc62") or one of
	// the caller's.
	Check string `json:"check,omitempty" yaml:"check,omitempty"`
}

// Validator looks inside a token whose shape fits a rule, which is valid
// during the call only: VerdictFail drops it, VerdictPass raises the
// confidence, VerdictUnknown changes nothing. It is called from many goroutines.
type Validator interface {
	Validate(token []byte) boltseal.Verdict
}

// ruleFileBytes bounds a rule file.
const ruleFileBytes = 8 << 20

// ReadRules reads a rule file, at most 8 MiB. Keys that it does not know are
// errors: a misspelt one would change nothing and say nothing.
func ReadRules(r io.Reader) (*RuleFile, error) {
	data, err := io.ReadAll(io.LimitReader(r, ruleFileBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read rules: %w", err)
	case len(data) > ruleFileBytes:
		return nil, fmt.Errorf("read rules: %w of %d bytes", boltseal.ErrLimit, ruleFileBytes)
	}
	var f RuleFile
	if text := bytes.TrimSpace(data); len(text) > 0 && text[0] == '{' {
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.DisallowUnknownFields()
		err = dec.Decode(&f)
	} else {
		dec := yaml.NewDecoder(bytes.NewReader(data))
		dec.KnownFields(true)
		if err = dec.Decode(&f); err == io.EOF { // empty
			err = nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read rules: %w: %w", boltseal.ErrMalformed, err)
	}
	for i := range f.Allow {
		if err := f.Allow[i].check(); err != nil {
			return nil, fmt.Errorf("read rules: allow entry %d: %w", i+1, err)
		}
	}
	return &f, nil
}

// Apply returns the rules of base that the file leaves, with its own: one of the
// same ID replaces the built-in. Checks are the caller's, by name; nil if there
// are none. Compile the result.
func (f *RuleFile) Apply(base []Rule, checks map[string]Validator) ([]Rule, error) {
	rules := slices.Clone(base)
	var errs []error
	for i := range f.Rules {
		r, err := f.Rules[i].rule(checks)
		if err != nil {
			errs = append(errs, fmt.Errorf("rule %q: %w", f.Rules[i].ID, err))
			continue
		}
		rules = slices.DeleteFunc(rules, func(o Rule) bool { return o.ID == r.ID })
		rules = append(rules, r)
	}
	hits := map[string]bool{}
	anyOf := func(patterns []string, r *Rule) (fits bool) {
		for _, p := range patterns {
			if r.fits(p) {
				hits[p], fits = true, true
			}
		}
		return fits
	}
	for _, pattern := range sortedKeys(f.Severity) {
		severity, err := boltseal.ParseSeverity(f.Severity[pattern])
		if err != nil {
			errs = append(errs, fmt.Errorf("severity of %q: %w", pattern, err))
			continue
		}
		for i := range rules {
			if anyOf([]string{pattern}, &rules[i]) {
				rules[i].Severity = severity
			}
		}
	}
	rules = slices.DeleteFunc(rules, func(r Rule) bool {
		on := anyOf(f.Enable, &r) || len(f.Enable) == 0
		off := anyOf(f.Disable, &r)
		return off || !on
	})
	for _, p := range slices.Concat(f.Enable, f.Disable, sortedKeys(f.Severity)) {
		if !hits[p] {
			errs = append(errs, fmt.Errorf("%q fits no rule: %w", p, boltseal.ErrMalformed))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	return rules, nil
}

func sortedKeys(m map[string]string) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// fits reports whether a pattern means the rule.
func (r *Rule) fits(pattern string) bool {
	if p, ok := strings.CutPrefix(pattern, "provider:"); ok {
		return glob(p, r.Provider)
	}
	if p, ok := strings.CutPrefix(pattern, "kind:"); ok {
		return glob(p, kindNames[r.Kind])
	}
	return pattern == "generic" && r.Generic || glob(pattern, r.ID)
}

var kindNames = map[Kind]string{KindSecret: "secret", KindHalf: "half", KindIdentifier: "identifier", KindEncrypted: "encrypted"}

var confidenceNames = map[string]Confidence{"": ConfidenceHigh, "high": ConfidenceHigh, "medium": ConfidenceMedium, "low": ConfidenceLow}

// builtinChecks are those that rule files may name.
var builtinChecks = map[string]func([]byte) boltseal.Verdict{
	"jwt": checkJWT, "bech32": checkBech32, "crc62": checkCRC62, "base64": checkBase64,
}

func checkBase64(token []byte) boltseal.Verdict {
	if _, err := base64.StdEncoding.DecodeString(string(token)); err != nil {
		return boltseal.VerdictFail
	}
	return boltseal.VerdictPass
}

// rule makes a rule of what the file says.
func (f *FileRule) rule(checks map[string]Validator) (Rule, error) {
	r := Rule{
		ID: f.ID, Provider: f.Provider, Title: f.Title, Program: f.Program, Regexp: f.Regexp, Group: f.Group, Anchors: f.Anchors,
		Context: f.Context, Names: f.Names, Revoke: f.Revoke,
	}
	if r.ID == "" {
		return r, fmt.Errorf("no id: %w", boltseal.ErrMalformed)
	}
	if r.Title == "" {
		r.Title = r.ID
	}
	if len(r.Names) > 0 && r.Regexp == "" {
		r.By = ByAssignment
	}
	var ok bool
	if r.Confidence, ok = confidenceNames[f.Confidence]; !ok {
		return r, fmt.Errorf("confidence %q: want high, medium or low: %w", f.Confidence, boltseal.ErrMalformed)
	}
	if f.Kind != "" {
		ok = false
		for k, name := range kindNames {
			if name == f.Kind {
				r.Kind, ok = k, true
			}
		}
		if !ok {
			return r, fmt.Errorf("kind %q: want secret, half, identifier or encrypted: %w", f.Kind, boltseal.ErrMalformed)
		}
	}
	if f.Severity != "" {
		var err error
		if r.Severity, err = boltseal.ParseSeverity(f.Severity); err != nil {
			return r, err
		}
	}
	if f.Check != "" {
		if v := checks[f.Check]; v != nil {
			r.Check = v.Validate
		} else if r.Check = builtinChecks[f.Check]; r.Check == nil {
			return r, fmt.Errorf("check %q: neither a built-in nor one of the caller's: %w", f.Check, boltseal.ErrMalformed)
		}
	}
	return r, nil
}
