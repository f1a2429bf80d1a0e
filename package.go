package boltseal

import (
	"fmt"
	"strings"
)

// State says in what sense a package is present.
type State uint8

const (
	StateInstalled State = iota // unpacked and usable, as its manager left it
	StateEmbedded               // compiled or packed into a file: a Go module in a binary, a jar in a war
	StateDeclared               // only named, in a lock file or manifest; may never have been installed
)

var stateNames = [...]string{"installed", "embedded", "declared"}

// String returns the lower-case name.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// MarshalText writes the name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what [State.MarshalText] wrote.
func (s *State) UnmarshalText(b []byte) error {
	for i, n := range stateNames {
		if n == string(b) {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("package state %q: %w: want one of %s", b, ErrMalformed, strings.Join(stateNames[:], ", "))
}

// Package is one piece of software that somebody distributes under a name and
// a version. Fields that are not known are empty; nothing is guessed.
type Package struct {
	// PURL is the canonical package URL (ECMA-427) with the qualifiers arch,
	// distro, epoch (rpm only) and upstream where they are known.
	PURL string `json:"purl"`
	// Type is the purl type: deb, apk, rpm, golang, npm, pypi, maven, generic, …
	Type string `json:"type"`
	// Namespace is the purl namespace as the ecosystem writes it: the distro's
	// ID, a Maven group, an npm scope with its @. Go modules have none here:
	// Name is the whole module path.
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	// Version is written as the ecosystem compares it: "1:2.3-4" with epoch for
	// deb and rpm, "v1.2.3" with the v for Go.
	Version string `json:"version"`
	Arch    string `json:"arch,omitempty"`
	// Source is the source package that the distribution built this one from;
	// advisories of most distributions speak of it. Empty for language packages.
	Source Source `json:"source,omitzero"`
	// Module is the RPM modularity label, name:stream:version:context.
	Module string `json:"module,omitempty"`
	// Vendor is who built it (rpm VENDOR, dpkg Origin), verbatim: third-party
	// rebuilds share names with the distribution's packages.
	Vendor   string   `json:"vendor,omitempty"`
	Licenses []string `json:"licenses,omitempty"` // as stated by the package
	State    State    `json:"state"`
	// Distro is the distribution an OS package belongs to; nil for language
	// packages. Packages of one tree share the pointer; do not modify it.
	Distro *Distro `json:"-"`
	// Files lists what the package owns, slash-separated, relative to the
	// root, as its manager recorded it. A listed file need not be present.
	Files []string `json:"-"`
	// DependsOn holds the names this package needs, as its manager wrote them,
	// alternatives resolved by the analyzer where it can; nil is unknown.
	DependsOn []string `json:"dependsOn,omitempty"`
	// Provides holds further names that DependsOn of others may mean.
	Provides []string `json:"-"`
	// OwnedBy is the PURL of the OS package whose files these are, if any. Such
	// a package is listed but the distribution answers for its advisories.
	OwnedBy string `json:"ownedBy,omitempty"`
	// Evidence says how we know.
	Evidence []Evidence `json:"evidence,omitempty"`
	// Locations are the files that gave it away, the first one the strongest.
	Locations []Location `json:"locations,omitempty"`
}

// Source names a source package. Version is empty where it equals the binary
// package's.
type Source struct {
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
}

// Technique is how evidence was obtained, in the terms of CycloneDX 1.6
// (component.evidence.identity.methods.technique).
type Technique string

const (
	TechniqueManifest    Technique = "manifest-analysis" // a package manager's record
	TechniqueFilename    Technique = "filename"          // a name or a path
	TechniqueBinary      Technique = "binary-analysis"   // strings or sections of a binary
	TechniqueHash        Technique = "hash-comparison"   // a known digest
	TechniqueAttestation Technique = "attestation"       // a signed or attached statement
	TechniqueInstrument  Technique = "instrumentation"   // observed while running
	TechniqueOther       Technique = "other"             // see Detail
)

// Evidence is one reason to believe a statement.
type Evidence struct {
	Technique  Technique `json:"technique,omitempty"`
	Detail     string    `json:"detail,omitempty"`     // in words, for a person
	Confidence float64   `json:"confidence,omitempty"` // 0 to 1; 0 is not stated
}
