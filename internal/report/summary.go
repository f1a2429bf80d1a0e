package report

import (
	"slices"

	"github.com/boltseal/boltseal"
)

// severities from the worst down. Unknown stands before None: nobody rated it,
// so it may be anything.
var severities = [...]boltseal.Severity{
	boltseal.SeverityCritical, boltseal.SeverityHigh, boltseal.SeverityMedium,
	boltseal.SeverityLow, boltseal.SeverityUnknown, boltseal.SeverityNone,
}

// order returns a severity's place in severities.
func order(s boltseal.Severity) int {
	if i := slices.Index(severities[:], s); i >= 0 {
		return i
	}
	return len(severities)
}

// Summary counts what a report says.
type Summary struct {
	Counts     map[boltseal.Severity]int // findings that count, by severity
	Findings   int                       // their sum
	Fixable    int                       // those of them with a known fix
	Suppressed int                       // findings that do not count
	Unknown    []boltseal.Check          // checks that could not be decided
	Skipped    []boltseal.Skip           // what was not looked at, notes left out
	Notes      int
	Bytes      int64 // of all layers, inflated
	Wasted     int64
}

// Summarize counts what r says.
func Summarize(r *boltseal.Report) Summary {
	s := Summary{Counts: map[boltseal.Severity]int{}}
	for _, f := range r.Findings {
		if f.Suppressed != "" {
			s.Suppressed++
			continue
		}
		s.Counts[f.Severity]++
		s.Findings++
		if f.Fixed != "" {
			s.Fixable++
		}
	}
	for _, c := range r.Checks {
		if c.Verdict == boltseal.VerdictUnknown {
			s.Unknown = append(s.Unknown, c)
		}
	}
	for _, k := range r.Skipped {
		if k.Note {
			s.Notes++
		} else {
			s.Skipped = append(s.Skipped, k)
		}
	}
	for _, l := range r.Layers {
		s.Bytes += l.Bytes
		s.Wasted += l.Wasted
	}
	return s
}
