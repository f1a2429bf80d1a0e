package secrets

import (
	"fmt"
	"log/slog"
	"strconv"
)

// Secret is the redacted form of a secret. Its text is an anchor that every
// token of the family begins with, and the length: "ghp_..(40 bytes)". It does
// not hold the secret, so nothing that formats, encodes or reflects it can
// tell more.
type Secret struct {
	anchor string
	length int
}

// redacted keeps of a token what the rule's own text says of it.
func redacted(anchor string, length int) Secret { return Secret{anchor, length} }

// String returns anchor..(n bytes), and (n bytes) for what has no anchor.
func (s Secret) String() string {
	if s.length == 0 {
		return ""
	}
	text := "(" + strconv.Itoa(s.length) + " bytes)"
	if s.anchor != "" {
		text = s.anchor + ".." + text
	}
	return text
}

// GoString returns what String does.
func (s Secret) GoString() string { return s.String() }

// Format writes what String returns, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// MarshalText writes what String returns.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue returns what String does.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
