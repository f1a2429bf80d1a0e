package vuln

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/boltseal/boltseal"
)

// record is one advisory in the OSV format, schema 1.7
// (https://ossf.github.io/osv-schema/), as far as it decides matching or is
// shown. Unknown keys are ignored, as the schema asks.
type record struct {
	ID        string        `json:"id"`
	Modified  string        `json:"modified"`
	Published string        `json:"published"`
	Withdrawn string        `json:"withdrawn"`
	Aliases   []string      `json:"aliases"`
	Upstream  []string      `json:"upstream"`
	Related   []string      `json:"related"`
	Summary   string        `json:"summary"`
	Severity  []osvSeverity `json:"severity"`
	Affected  []affected    `json:"affected"`
	Specific  specific      `json:"database_specific"`
}

type osvSeverity struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

type affected struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
	} `json:"package"`
	Severity  []osvSeverity `json:"severity"`
	Ranges    []osvRange    `json:"ranges"`
	Versions  []string      `json:"versions"`
	Ecosystem specific      `json:"ecosystem_specific"`
	Database  specific      `json:"database_specific"`
}

type osvRange struct {
	Type   string `json:"type"`
	Events []struct {
		Introduced   string `json:"introduced"`
		Fixed        string `json:"fixed"`
		LastAffected string `json:"last_affected"`
		Limit        string `json:"limit"`
	} `json:"events"`
}

// specific is the union of the source-specific keys that matter. Sources give
// one key different types, so that a value of an unexpected type is no error.
type specific struct {
	Severity      loose[string]            `json:"severity"`
	Status        loose[string]            `json:"status"`
	Urgency       loose[string]            `json:"urgency"`
	Derived       loose[bool]              `json:"derived"`
	GitHub        loose[*bool]             `json:"github_reviewed"`
	Informational loose[string]            `json:"informational"`
	Modularity    loose[string]            `json:"rpm_modularity"`
	CVSS2         loose[float64]           `json:"cvss_v2"`
	CVSS3         loose[float64]           `json:"cvss_v3"`
	CVSS4         loose[float64]           `json:"cvss_v4"`
	Custom        loose[[]json.RawMessage] `json:"custom_ranges"`
	Imports       loose[[]importedPath]    `json:"imports"`
	Affects       loose[struct {
		OS []string `json:"os"`
	}] `json:"affects"`
}

type importedPath struct {
	GOOS []string `json:"goos"`
}

// loose holds a value, or nothing where the document has another type.
type loose[T any] struct{ v T }

func (l *loose[T]) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &l.v) != nil {
		var zero T
		l.v = zero
	}
	return nil
}

// maxRanges bounds what one advisory may bring; the largest real ones have
// some thousand rows.
const (
	maxAffected = 200_000
	maxEvents   = 100_000 // of one affected entry, versions included
	maxName     = 4096    // of an ID, a package name or a version
)

// parseRecord reads one OSV document and checks what the database relies on.
func parseRecord(b []byte) (*record, error) {
	r := new(record)
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("%w: not an OSV document: %w", boltseal.ErrMalformed, err)
	}
	switch {
	case !goodName(r.ID):
		return nil, fmt.Errorf("%w: OSV document without a usable id", boltseal.ErrMalformed)
	case len(r.Affected) > maxAffected:
		return nil, fmt.Errorf("%w: %s lists %d affected packages, at most %d are read", boltseal.ErrLimit, r.ID, len(r.Affected), maxAffected)
	}
	for i := range r.Affected {
		n := len(r.Affected[i].Versions)
		for _, g := range r.Affected[i].Ranges {
			n += len(g.Events)
		}
		if n > maxEvents {
			return nil, fmt.Errorf("%w: %s has %d events and versions for one package, at most %d are read", boltseal.ErrLimit, r.ID, n, maxEvents)
		}
	}
	return r, nil
}

// goodName says whether s can stand in the database's tables: not empty, of
// bounded length, without control characters.
func goodName(s string) bool {
	return s != "" && len(s) <= maxName && strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) < 0
}

// parseTime reads an RFC 3339 time; anything else is the zero time.
func parseTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() < 1970 || t.Year() > 2140 {
		return time.Time{}
	}
	return t.UTC()
}
