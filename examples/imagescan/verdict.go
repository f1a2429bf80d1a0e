package main

import (
	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/examples/internal/cli"
)

// covered reports whether the advisories cover what was found. A package
// without a version of its own, as a program has that was built from a work
// tree, is reported as undecided and leaves the rest of the scan complete.
func covered(checks []boltseal.Check) bool {
	for _, c := range checks {
		if c.Verdict == boltseal.VerdictUnknown && c.Rule != "vuln/versions" {
			return false
		}
	}
	return true
}

// status is the exit status that a report deserves.
func (o *options) status(c *cli.Console, r *boltseal.Report) int {
	if o.failOn != nil {
		n, unrated := 0, 0
		for i := range r.Findings {
			f := &r.Findings[i]
			if f.Suppressed != "" {
				continue
			}
			rated := f.Severity
			if rated == boltseal.SeverityUnknown {
				rated = o.unrated
			}
			if rated >= *o.failOn {
				n++
				if f.Severity == boltseal.SeverityUnknown {
					unrated++
				}
			}
		}
		if n > 0 {
			if unrated > 0 && *o.failOn != boltseal.SeverityUnknown {
				c.Remark("%d of the %d findings at or above %s are rated by nobody; -unrated says what they count as", unrated, n, *o.failOn)
			}
			return cli.ExitFindings
		}
	}
	// The demo shows what an incomplete scan looks like; that is no failure of it.
	if !r.Complete && o.ref != "" {
		return cli.ExitIncomplete
	}
	return cli.ExitOK
}
