package vuln

import (
	"time"

	"github.com/boltseal/boltseal"
)

// Advisory is what the database holds of one advisory. Texts are in a second,
// optional file: see [DB.Text].
type Advisory struct {
	ID        string
	Aliases   []string // other names of the same issue, transitively (OSV aliases)
	Upstream  []string // issues that this advisory is about (OSV upstream): a DSA's CVEs
	Related   []string // issues that its source calls related; AlmaLinux lists its CVEs here
	Source    string   // who published it; see [boltseal.ReportSource]
	Derived   bool     // inferred by tooling from other data, not stated by the source
	Published time.Time
	Modified  time.Time
	Withdrawn time.Time // zero: it holds
	Ratings   []Rating  // the most telling first
}

// Rating is one statement of severity. Type is the OSV severity type
// (CVSS_V2, CVSS_V3, CVSS_V4, Ubuntu) or "source" for a word of the advisory's
// own publisher; Value is a CVSS vector or that word.
type Rating struct {
	Type  string
	Value string
}

// Match is one package affected by one issue. Advisories that are aliases of
// each other make one match: Advisory is the most authoritative of them and
// Also names the rest.
type Match struct {
	Package   *boltseal.Package
	Advisory  Advisory
	Also      []string // advisories merged into this one
	Ecosystem string   // as OSV names it: "Debian:12", "Go"
	Severity  boltseal.Severity
	Score     float64 // CVSS base score, 0 to 10; 0 with SeverityUnknown is none
	RatedBy   string  // which rating gave Severity
	// Fixed is the lowest fixed version above the package's own, in the terms
	// of the package that was looked up (the source package's version for most
	// distributions). Empty: none is known.
	Fixed string
	Why   Why
	// Exploited is the date CISA listed it as exploited in the wild; zero: not listed.
	Exploited time.Time
	// EPSS is the probability of exploitation in the next 30 days, and
	// Percentile its rank among all; both 0 to 1, zero where not known.
	EPSS, Percentile float64
	// Suppressed says why the match does not count. It is listed all the same.
	Suppressed string
}

// Why is how a decision came about.
type Why struct {
	Name      string   // what was looked up
	NameKind  string   // binary, source, origin, module, derived
	NameField string   // the field of boltseal.Package that gave Name
	Version   string   // what was compared
	Scheme    string   // ordering: deb, rpm, apk, semver, …
	Range     string   // the range in words: "introduced 0, fixed 1.2.3"; "versions" for a listed version
	Event     string   // the event that decided: "introduced 0"
	Status    string   // the source's own status, where it states one
	Caveats   []string // what may be wrong with it
}
