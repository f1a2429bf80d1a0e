package report

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path"
	"strings"

	"github.com/boltseal/boltseal"
)

// Tool names the program that made a report.
type Tool struct {
	Name    string // "imagescan"
	Version string // empty if unknown
}

// SARIF writes r as a SARIF 2.1.0 log (OASIS Standard, 27 March 2020) with one
// run: a rule per rule, a result per finding, suppressed ones with their reason.
// Critical and high are errors, medium and unrated ones warnings, low ones notes.
// What was skipped or not decided is a tool execution notification, and
// executionSuccessful is [boltseal.Report.Complete].
//
// Rules carry the property security-severity, the lower end of the rule's CVSS
// band (9.0, 7.0, 4.0, 0.1), by which code hosts sort results.
func SARIF(w io.Writer, r *boltseal.Report, tool Tool) error {
	x := newIndex(r)
	run := sarifRun{
		Tool:       sarifTool{Driver: sarifDriver{Name: tool.Name, Version: tool.Version, Rules: []sarifRule{}}},
		ColumnKind: "unicodeCodePoints",
		Results:    []sarifResult{},
	}
	rules := map[string]int{}
	for _, f := range sorted(r) {
		id := sarifID(f)
		i, ok := rules[id]
		if !ok {
			i = len(run.Tool.Driver.Rules)
			rules[id] = i
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, newSarifRule(id, f))
		}
		run.Results = append(run.Results, x.result(f, id, i, r))
	}
	run.Invocations = []sarifInvocation{{ExecutionSuccessful: r.Complete, Notifications: notifications(r)}}
	if im := r.Image; im != nil {
		run.Properties = map[string]any{"imageName": Clean(im.Name), "imageDigest": im.Digest, "imageID": im.ImageID, "platform": im.Platform}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{Version: "2.1.0", Schema: sarifSchema, Runs: []sarifRun{run}})
}

func sarifID(f *boltseal.Finding) string {
	if f.Rule == "" {
		return string(f.Kind)
	}
	return Clean(f.Rule)
}

func newSarifRule(id string, f *boltseal.Finding) sarifRule {
	title := f.Title
	if title == "" {
		title = id
	}
	text := title
	if f.Description != "" {
		text += "\n\n" + f.Description
	}
	help, md := Clean(text), "**"+markdown(Clean(title))+"**"
	if f.Description != "" {
		md += "\n\n" + markdown(Clean(f.Description))
	}
	if len(f.Aliases) > 0 {
		names := Clean(strings.Join(f.Aliases, ", "))
		help += " Also known as " + names + "."
		md += "\n\nAlso known as " + markdown(names) + "."
	}
	rule := sarifRule{
		ID:               id,
		ShortDescription: sarifMessage{Text: message(Clean(title))},
		FullDescription:  sarifMessage{Text: message(Clean(text))},
		Help:             sarifMessage{Text: message(help), Markdown: md},
		Default:          sarifLevel{Level: level(f.Severity)},
		Properties:       map[string]any{"tags": []string{"security", string(f.Kind)}, "precision": "high"},
	}
	if s := bandFloor(f.Severity); s != "" {
		rule.Properties["security-severity"] = s
	}
	for _, ref := range f.References {
		if u := webLink(ref); u != nil {
			rule.HelpURI = u.String()
			break
		}
	}
	return rule
}

func (x index) result(f *boltseal.Finding, id string, ruleIndex int, r *boltseal.Report) sarifResult {
	name, version, _ := x.name(f)
	text := strings.TrimSpace(name + " " + version)
	if f.Title != "" && f.Title != f.Rule {
		text += ": " + f.Title
	} else {
		text += ": " + id
	}
	switch {
	case f.Fix != "":
		text += ". " + f.Fix
	case f.Fixed != "":
		text += ". Fixed in " + f.Fixed
	case f.Kind == boltseal.KindVulnerability:
		text += ". No fix is known"
	}
	out := sarifResult{
		RuleID: id, RuleIndex: ruleIndex, Level: level(f.Severity),
		Message:      sarifMessage{Text: message(Clean(text)) + "."},
		Fingerprints: map[string]string{"boltsealFingerprint/v1": f.Fingerprint},
		Properties:   map[string]any{"severity": f.Severity.String(), "kind": string(f.Kind)},
	}
	if f.Fingerprint == "" {
		out.Fingerprints = nil
	}
	if f.Package != "" {
		out.Properties["purl"] = f.Package
	}
	if f.Fixed != "" {
		out.Properties["fixed"] = f.Fixed
	}
	if f.Suppressed != "" {
		out.Suppressions = []sarifSuppression{{Kind: "external", Justification: Clean(f.Suppressed)}}
	}
	var why []string
	for _, e := range f.Evidence {
		if e.Detail != "" {
			why = append(why, Clean(e.Detail))
		}
	}
	if len(why) > 0 {
		out.Properties["why"] = why
	}
	for _, l := range x.locations(f) {
		out.Locations = append(out.Locations, sarifPlace(l, f))
	}
	if len(out.Locations) == 0 {
		image := "image"
		if r.Image != nil && r.Image.Name != "" {
			image = r.Image.Name
		}
		out.Locations = []sarifLocation{sarifPlace(boltseal.Location{Path: image}, f)}
	}
	return out
}

// locations returns a finding's own or its package's.
func (x index) locations(f *boltseal.Finding) []boltseal.Location {
	var out []boltseal.Location
	for _, l := range f.Locations {
		if l.Path != "" {
			out = append(out, l)
		}
	}
	if p := x.packages[f.Package]; p != nil && len(out) == 0 {
		for _, path := range p.Paths {
			out = append(out, boltseal.Location{Layer: p.Layer, Path: path})
		}
	}
	return out
}

func sarifPlace(l boltseal.Location, f *boltseal.Finding) sarifLocation {
	place := sarifLocation{Physical: sarifPhysical{Artifact: sarifArtifact{URI: relativeURI(l.Path)}}}
	// A viewer wants a line to point at; for a package's record it is the first.
	place.Physical.Region = &sarifRegion{StartLine: max(1, l.Line)}
	if f.Package != "" {
		place.Logical = []sarifLogical{{FullyQualifiedName: f.Package, Kind: "package"}}
	}
	if len(l.Member) > 0 {
		place.Logical = append(place.Logical, sarifLogical{FullyQualifiedName: Clean(l.Path + "!" + strings.Join(l.Member, "!")), Kind: "member"})
	}
	if l.Layer != "" {
		place.Properties = map[string]any{"layer": l.Layer}
	}
	return place
}

// relativeURI writes a path as a URI reference (RFC 3986 section 4.2) that can
// be taken neither for an absolute one nor for one that leaves its base.
func relativeURI(p string) string {
	p = strings.TrimPrefix(path.Clean("/"+p), "/")
	parts := strings.Split(p, "/")
	for i := range parts {
		parts[i] = strings.ReplaceAll(url.PathEscape(parts[i]), ":", "%3A")
	}
	return strings.Join(parts, "/")
}

func notifications(r *boltseal.Report) []sarifNotification {
	var out []sarifNotification
	for _, c := range r.Checks {
		if c.Verdict == boltseal.VerdictUnknown {
			title := c.Title
			if title == "" {
				title = c.Rule
			}
			out = append(out, sarifNotification{Level: "warning", Message: sarifMessage{Text: message(Clean(fmt.Sprintf("not decided: %s: %s", title, c.Reason)))}})
		}
	}
	for _, s := range r.Skipped {
		n := sarifNotification{Level: "warning", Message: sarifMessage{Text: message(Clean("not looked at: " + s.Reason))}}
		if s.Note {
			n = sarifNotification{Level: "note", Message: sarifMessage{Text: message(Clean(s.Reason))}}
		}
		if s.Path != "" {
			n.Locations = []sarifLocation{{Physical: sarifPhysical{Artifact: sarifArtifact{URI: relativeURI(s.Path)}}}}
		}
		out = append(out, n)
	}
	return out
}

func level(s boltseal.Severity) string {
	switch s {
	case boltseal.SeverityCritical, boltseal.SeverityHigh:
		return "error"
	case boltseal.SeverityLow:
		return "note"
	case boltseal.SeverityNone:
		return "none"
	}
	return "warning"
}

func bandFloor(s boltseal.Severity) string {
	switch s {
	case boltseal.SeverityCritical:
		return "9.0"
	case boltseal.SeverityHigh:
		return "7.0"
	case boltseal.SeverityMedium:
		return "4.0"
	case boltseal.SeverityLow:
		return "0.1"
	}
	return ""
}

// message escapes what a SARIF message string gives a meaning to: placeholders
// (section 3.11.5) and embedded links (section 3.11.6).
func message(s string) string {
	return strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, "{", "{{", "}", "}}").Replace(s)
}

// markdown escapes ASCII punctuation that CommonMark (section 2.4) gives a
// meaning to, so that a text can neither link nor embed.
func markdown(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune("\\`*_{}[]()<>#!|~&$@", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
