package main

import (
	"io"
	"strings"

	"github.com/boltseal/boltseal"
)

// objectsShown is how many objects the table lists for one check.
const objectsShown = 5

// table writes the audit for a terminal: ways to cluster-admin first, then the
// findings by check, the worst first.
func (a *audit) table(w io.Writer) {
	line := func(format string, args ...any) { line(w, format, args...) }
	var counts [boltseal.SeverityCritical + 1]int
	suppressed := 0
	for i := range a.report.Findings {
		f := &a.report.Findings[i]
		if f.Suppressed != "" {
			suppressed++
			continue
		}
		counts[f.Severity]++
	}
	line("%d objects, Kubernetes 1.%d", a.snap.Count(), a.snap.Minor)
	line("%d critical, %d high, %d medium, %d low, %d for information; %d waived; %d passed", counts[boltseal.SeverityCritical], counts[boltseal.SeverityHigh],
		counts[boltseal.SeverityMedium], counts[boltseal.SeverityLow], counts[boltseal.SeverityNone], suppressed, a.passed)
	for _, s := range a.report.Skipped {
		if !s.Note {
			line("not read: %s: %s", s.Path, s.Reason)
		}
	}
	if len(a.paths) > 0 {
		line("")
		line("Ways to cluster-admin: %d", len(a.paths))
		for i := range a.paths {
			if i == objectsShown {
				line("  and %d more; see clusteraudit paths", len(a.paths)-i)
				break
			}
			p := &a.paths[i]
			kind := "confirmed"
			if !p.Confirmed() {
				kind = "conditional"
			}
			line("  %s (%s)", p.From, kind)
			for j := range p.Steps {
				line("    %d. %s", j+1, p.Steps[j].String())
			}
		}
		if len(a.removals) > 0 {
			r := &a.removals[0]
			line("  First to remove: %s: ends the way of %d%s", r.Text, len(r.Stops)+len(r.Eases), left(r))
		}
	}
	for i := 0; i < len(a.report.Findings); {
		f := &a.report.Findings[i]
		n := i
		for n < len(a.report.Findings) && a.report.Findings[n].Rule == f.Rule && a.report.Findings[n].Severity == f.Severity {
			n++
		}
		if f.Rule != "path" {
			line("")
			line("%s %s %s: %d", f.Severity, f.Rule, f.Title, n-i)
			for j := i; j < n; j++ {
				if j-i == objectsShown {
					line("  and %d more", n-j)
					break
				}
				one := &a.report.Findings[j]
				_, text, _ := strings.Cut(one.Asset, ":")
				if len(one.Evidence) > 0 {
					text += ": " + one.Evidence[0].Detail
				}
				if one.Suppressed != "" {
					text += " (" + one.Suppressed + ")"
				}
				line("  %s", text)
			}
			if f.Fix != "" {
				line("  Fix: %s", f.Fix)
			}
		}
		i = n
	}
	unknown := 0
	for _, c := range a.report.Checks {
		if c.Verdict == boltseal.VerdictUnknown {
			unknown++
		}
	}
	if unknown > 0 {
		line("")
		line("Unknown: %d checks", unknown)
		for _, c := range a.report.Checks {
			if c.Verdict == boltseal.VerdictUnknown {
				line("  %s %s: %s", c.Rule, c.Title, c.Reason)
			}
		}
	}
}
