package secrets

import (
	"time"

	"github.com/boltseal/boltseal"
)

// Kind is what a rule's matches are.
type Kind uint8

const (
	KindSecret     Kind = iota // whoever holds it is let in
	KindHalf                   // useless without its other half: a key ID and its key
	KindIdentifier             // public: never a finding, and bars the generic rules
	KindEncrypted              // a secret that needs another one: encrypted keys, password hashes
)

// Confidence is how sure a match is before its place is looked at.
type Confidence uint8

const (
	ConfidenceHigh   Confidence = iota // the shape alone says it
	ConfidenceMedium                   // shape and context
	ConfidenceLow                      // context only
)

// By is which part of the engine looks for a rule.
type By uint8

const (
	// ByProgram matches Program anywhere.
	ByProgram By = iota
	// ByAssignment matches values that are assigned to a name: NAME=value,
	// "name": "value", <name>value</name> and the like. Context or Names say
	// which names; Program, if any, the whole value. Without both it is one of
	// the generic rules, which the engine knows by ID.
	ByAssignment
	// ByPEM matches armoured blocks whose label is Program's literal, in any
	// form they are written in (real, \n-escaped, indented, joined lines).
	// The token is the block's DER, or for ids with a text body (PGP,
	// OpenSSH) its decoded bytes.
	ByPEM
	// ByJSON matches the innermost JSON object round Program, at most 64 KiB.
	// The token is the object, unescaped if it stood in a string.
	ByJSON
	// ByURL, ByHeader, ByCommand and ByDockerAuth are hand-written: user
	// information in URLs, authorization headers, command-line flags, and the
	// auths of a Docker config. The engine knows their rules by ID.
	ByURL
	ByHeader
	ByCommand
	ByDockerAuth
	// ByPlace rules are matched by code that reads a file format as a whole
	// (keystores, password files); the engine only holds them.
	ByPlace
)

// Rule is one family of credentials, as data. Rules are compiled once, by
// [Compile], and must not be changed afterwards.
type Rule struct {
	// ID is stable and unique; its first word is the provider: "github-pat".
	ID       string
	Provider string // as people write it: "GitHub"
	Title    string // what the token is: "GitHub personal access token"

	By By
	// Program is the shape of the whole token, in the language that [Compile]
	// describes. For ByProgram it holds a literal of three bytes or more.
	Program string
	// Regexp, instead of Program, is an RE2 expression of at most 4 KiB that is
	// tried round each of Anchors. For rules of users and imports: slow.
	Regexp  string
	Group   int      // of Regexp, that is the secret
	Anchors []string // keywords for Regexp, in any case
	// Context holds words, in lower case, one of which must stand in the name,
	// or up to 256 bytes before the match: "linode". For ByAssignment and
	// ByProgram.
	Context []string
	// Names holds names that ByAssignment rules match, lower case with
	// separators left out: "secretkey" matches SECRET_KEY and app.secretKey.
	Names []string
	// Left and Right are the bytes that may not stand before and after the
	// token, as a class of the program language. Default: letters, digits and
	// underscore, and on the right what the token's last class holds. "-" as
	// the whole text means that any byte may.
	Left, Right string

	Kind       Kind
	Confidence Confidence
	Severity   boltseal.Severity // default High
	Revoke     string            // URL of the page, or words: where to revoke it
	// Generic rules give way to any other on the same bytes.
	Generic bool

	// Check looks inside a token whose shape fits. VerdictFail drops the token
	// and bars generic rules on its bytes; VerdictUnknown keeps it.
	Check func(token []byte) boltseal.Verdict
	// Refine, after Check, may change what the candidate says: its severity,
	// kind, expiry, other half. It returns false to drop it, and then other
	// rules may claim the bytes.
	Refine func(c *Candidate) bool
}

// Candidate is a match on its way to becoming a [Match]. Its byte slices are
// valid, and must not be changed, during the call only.
type Candidate struct {
	Rule *Rule
	// Token is the whole match, decoded where the rule says so; Secret the part
	// in braces, or all of it.
	Token, Secret []byte
	// Name is what the value was assigned to; empty if that was not looked at.
	Name string
	// Text is what surrounds the match: up to 64 KiB before and after. The
	// match is Text[Start:End].
	Text       []byte
	Start, End int
	Path       string // of the file, or of the innermost member

	// What follows is the candidate's to change.
	Kind       Kind
	Confidence Confidence
	Severity   boltseal.Severity
	Expires    time.Time
	Verdict    boltseal.Verdict // of Check
	Notes      []string         // evidence, in words without any of the token
	Parts      []Part           // other halves and useful context
}

// Part is something that belongs to a match: the other half of a pair, the host
// a password is for. Parts that are Secret leave the package redacted only.
type Part struct {
	Name   string
	Value  string
	Secret bool
	// Start and End are where it stands in [Candidate.Text], if it does: no
	// other rule claims these bytes. Both 0: nowhere.
	Start, End int
}
