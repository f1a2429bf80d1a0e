package boltseal

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strconv"
	"strings"
)

// Kind is what sort of thing a finding is.
type Kind string

const (
	KindVulnerability    Kind = "vulnerability"
	KindSecret           Kind = "secret"
	KindMisconfiguration Kind = "misconfiguration"
	KindIntegrity        Kind = "integrity" // content that does not match its digest, views that disagree
	KindBehaviour        Kind = "behaviour" // seen at run time
)

// Finding is one thing that somebody should know about.
type Finding struct {
	Kind        Kind     `json:"kind"`
	Rule        string   `json:"rule"` // stable ID: an advisory's, a check's, a secret family's
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Severity    Severity `json:"severity"`
	// Score is the CVSS base score behind Severity, 0 to 10; zero if there is
	// none. EPSS is the probability of exploitation in the next 30 days, 0 to 1;
	// zero where not known. Exploited is the date, YYYY-MM-DD, at which CISA
	// listed the issue as exploited in the wild; empty if it did not.
	Score     float64 `json:"score,omitempty"`
	EPSS      float64 `json:"epss,omitempty"`
	Exploited string  `json:"exploited,omitempty"`
	// Asset is what is affected; see [Asset.ID].
	Asset string `json:"asset,omitempty"`
	// Package is the PURL of the affected package, for vulnerabilities.
	Package string `json:"package,omitempty"`
	// Fixed is the lowest version of Package that has the fix, in its own
	// branch. Empty: none is known.
	Fixed      string     `json:"fixed,omitempty"`
	Aliases    []string   `json:"aliases,omitempty"` // other names of Rule
	Locations  []Location `json:"locations,omitempty"`
	Evidence   []Evidence `json:"evidence,omitempty"` // why we say so
	Fix        string     `json:"fix,omitempty"`      // what to do, in words
	References []string   `json:"references,omitempty"`
	// Suppressed says why the finding does not count (a VEX statement, a
	// distribution's backport, a waiver). Empty: it counts.
	Suppressed string `json:"suppressed,omitempty"`
	// Fingerprint identifies the finding across scans, rebuilds and machines.
	// See [Fingerprint].
	Fingerprint string `json:"fingerprint"`
}

// Fingerprint derives a stable identity from the parts that make a finding the
// same finding tomorrow: kind, rule, package name without version, path. Layer
// digests, line numbers and versions are left out, so that a rebuild does not
// make an old finding new. It is the first 16 bytes of a SHA-256 over the
// length-prefixed parts, in hex.
func Fingerprint(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		io.WriteString(h, strconv.Itoa(len(p))+":"+p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Location is a place in an image, a tree of files or an object. Unknown parts
// are zero.
type Location struct {
	Layer string `json:"layer,omitempty"` // diffID of the layer that brought it
	// Path is slash-separated and relative to the root, without a leading slash.
	Path string `json:"path,omitempty"`
	// Member is the chain of names inside nested archives, outermost first.
	Member []string `json:"member,omitempty"`
	Offset int64    `json:"offset,omitempty"` // byte offset from the start of the innermost content
	Line   int      `json:"line,omitempty"`   // counted from 1
	// HiddenBy is the diffID of the higher layer that deletes or replaces the
	// file: it is in the image, yet not in the running container.
	HiddenBy string `json:"hiddenBy,omitempty"`
}

// String writes path!member!member:line.
func (l Location) String() string {
	var b strings.Builder
	b.WriteString(l.Path)
	for _, m := range l.Member {
		b.WriteByte('!')
		b.WriteString(m)
	}
	if l.Line > 0 {
		b.WriteByte(':')
		b.WriteString(strconv.Itoa(l.Line))
	} else if l.Offset > 0 {
		b.WriteByte('@')
		b.WriteString(strconv.FormatInt(l.Offset, 10))
	}
	if b.Len() == 0 && l.Layer != "" {
		return "layer " + l.Layer
	}
	return b.String()
}
