package gitleaks

import (
	"fmt"
	"io"

	"github.com/BurntSushi/toml"

	"github.com/boltseal/boltseal"
)

// document is a configuration file. Both spellings of the allow list are in use.
type document struct {
	Title      string
	MinVersion string
	Extend     struct {
		UseDefault    bool
		Path          string
		URL           string
		DisabledRules []string
	}
	Rules      []rule
	Allowlist  *allowlist
	Allowlists []allowlist
}

type rule struct {
	ID          string
	Description string
	Regex       string
	SecretGroup int
	Entropy     float64
	Keywords    []string
	Path        string
	Tags        []string
	SkipReport  bool
	Allowlist   *allowlist
	Allowlists  []allowlist
	Required    []required
}

type allowlist struct {
	Description string
	Condition   string // OR, the default, or AND
	Commits     []string
	Paths       []string
	RegexTarget string // secret, the default, match or line
	Regexes     []string
	StopWords   []string
	TargetRules []string
}

type required struct {
	ID            string
	WithinLines   *int
	WithinColumns *int
}

// mostBytes bounds a configuration file.
const mostBytes = 8 << 20

// parse reads a file; unknown are the keys that nothing here reads.
func parse(r io.Reader) (d *document, unknown []string, err error) {
	data, err := io.ReadAll(io.LimitReader(r, mostBytes+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read gitleaks rules: %w", err)
	}
	if len(data) > mostBytes {
		return nil, nil, fmt.Errorf("read gitleaks rules: %w of %d bytes", boltseal.ErrLimit, mostBytes)
	}
	d = &document{}
	meta, err := toml.Decode(string(data), d)
	if err != nil {
		return nil, nil, fmt.Errorf("read gitleaks rules: %w: %w", boltseal.ErrMalformed, err)
	}
	for _, k := range meta.Undecoded() {
		unknown = append(unknown, k.String())
	}
	return d, unknown, nil
}
