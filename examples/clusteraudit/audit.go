package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	psa "k8s.io/pod-security-admission/api"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/internal/report"
	"github.com/boltseal/boltseal/orchestrator"
	"github.com/boltseal/boltseal/secrets"
)

// auditOptions are what the command line asks for.
type auditOptions struct {
	source
	outputs    cli.Outputs
	failOn     *boltseal.Severity
	checks     []string
	registries []string
	waivers    string
	trusted    string
	psaDefault string
}

func parseAudit(args []string) (*auditOptions, error) {
	o := &auditOptions{}
	fs := cli.NewFlagSet("clusteraudit")
	o.source.flags(fs)
	o.outputs.Formats = []string{"table", "json", "html", "sarif"}
	fs.Func("o", "", o.outputs.Add)
	fs.Func("fail-on", "", cli.Severity(&o.failOn))
	fs.Func("checks", "", func(s string) error { o.checks = append(o.checks, strings.Split(s, ",")...); return nil })
	fs.Func("registry", "", func(s string) error { o.registries = append(o.registries, s); return nil })
	fs.StringVar(&o.waivers, "waivers", "", "")
	fs.StringVar(&o.trusted, "trusted", "", "")
	fs.StringVar(&o.psaDefault, "pod-security", "", "")
	rest, err := cli.Parse(fs, args)
	if err != nil {
		return nil, err
	}
	if o.psaDefault != "" {
		if _, err := psa.ParseLevel(o.psaDefault); err != nil {
			return nil, fmt.Errorf("-pod-security: %w", err)
		}
	}
	return o, o.take(rest)
}

// runAudit is the program without a command.
func runAudit(ctx context.Context, args []string, c *cli.Console) int {
	o, err := parseAudit(args)
	if err != nil {
		return c.Usage(err, usage)
	}
	c.Quiet = o.quiet
	posture, err := o.posture()
	if err != nil {
		return c.Usage(err, usage)
	}
	now, _, err := c.Now()
	if err != nil {
		return c.Usage(err, usage)
	}
	posture.Now = now
	snap, loadErr := o.load(ctx, c)
	if snap == nil {
		return c.Fail(loadErr)
	}
	a := &audit{snap: snap, report: &boltseal.Report{Complete: true}}
	a.read(loadErr)
	if err := a.run(ctx, posture, psa.Level(o.psaDefault)); err != nil {
		return c.Fail(err)
	}
	if c.Env("SOURCE_DATE_EPOCH") != "" {
		a.report.Created = &now
	}
	if err := o.write(c, a, now); err != nil {
		return c.Fail(err)
	}
	return o.status(a.report)
}

func (o *auditOptions) posture() (*orchestrator.PostureOptions, error) {
	p := &orchestrator.PostureOptions{Registries: o.registries, Secrets: secrets.NewScanner(nil)}
	if len(o.checks) > 0 {
		selected, err := orchestrator.SelectChecks(o.checks...)
		if err != nil {
			return nil, err
		}
		p.Checks = selected
	}
	if o.waivers != "" {
		f, err := os.Open(o.waivers)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if p.Waivers, err = orchestrator.ReadWaivers(f); err != nil {
			return nil, err
		}
	}
	if o.trusted != "" {
		f, err := os.Open(o.trusted)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		list, err := readTrusted(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.trusted, err)
		}
		p.Verifier = list
	}
	return p, nil
}

func (o *auditOptions) status(r *boltseal.Report) int {
	if o.failOn != nil && slices.ContainsFunc(r.Findings, func(f boltseal.Finding) bool { return f.Suppressed == "" && f.Severity >= *o.failOn }) {
		return cli.ExitFindings
	}
	if !r.Complete {
		return cli.ExitIncomplete
	}
	return cli.ExitOK
}

// audit is what was found.
type audit struct {
	snap     *orchestrator.Snapshot
	report   *boltseal.Report
	paths    []orchestrator.Path
	removals []orchestrator.Removal
	passed   int
}

// read reports what was not read of the input.
func (a *audit) read(err error) {
	a.report.Skipped = append(a.report.Skipped, a.snap.Skipped...)
	for _, e := range unjoin(err) {
		s := boltseal.Skip{Reason: e.Error()}
		if at := (*boltseal.Error)(nil); errors.As(e, &at) {
			s = boltseal.Skip{Path: at.Location.String(), Reason: at.Err.Error()}
		}
		a.report.Skipped = append(a.report.Skipped, s)
	}
	for _, k := range orchestrator.Kinds() {
		if c := a.snap.Coverage(k.GroupResource(), ""); c.State == orchestrator.Forbidden {
			a.report.Skipped = append(a.report.Skipped, boltseal.Skip{Path: k.GroupResource().String(), Reason: c.Reason})
		}
	}
	for _, s := range a.report.Skipped {
		a.report.Complete = a.report.Complete && s.Note
	}
}

func unjoin(err error) []error {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range many.Unwrap() {
			all = append(all, unjoin(e)...)
		}
		return all
	}
	return []error{err}
}

func (a *audit) run(ctx context.Context, o *orchestrator.PostureOptions, level psa.Level) error {
	if err := a.posture(ctx, o); err != nil {
		return err
	}
	if o.Checks == nil {
		if err := a.podSecurity(ctx, level); err != nil {
			return err
		}
		if err := a.access(ctx); err != nil {
			return err
		}
	}
	slices.SortStableFunc(a.report.Findings, func(x, y boltseal.Finding) int {
		return cmp.Or(cmp.Compare(y.Severity, x.Severity), cmp.Compare(x.Rule, y.Rule), cmp.Compare(x.Asset, y.Asset))
	})
	return nil
}

// posture runs the checks: a finding for each failure, and for each check one
// line on how it went.
func (a *audit) posture(ctx context.Context, o *orchestrator.PostureOptions) error {
	type tally struct {
		check  *orchestrator.Check
		counts [4]int
		why    map[string]int
	}
	var order []*tally
	byCheck := map[string]*tally{}
	for r, err := range orchestrator.Posture(ctx, a.snap, o) {
		if err != nil {
			return err
		}
		t := byCheck[r.Check.ID]
		if t == nil {
			t = &tally{check: r.Check, why: map[string]int{}}
			byCheck[r.Check.ID] = t
			order = append(order, t)
		}
		t.counts[r.Verdict]++
		switch r.Verdict {
		case boltseal.VerdictFail:
			a.report.Findings = append(a.report.Findings, r.Finding())
		case boltseal.VerdictUnknown:
			t.why[r.Reason]++
		case boltseal.VerdictPass:
			a.passed++
		}
	}
	for _, t := range order {
		c := boltseal.Check{Rule: t.check.ID, Title: t.check.Title}
		for _, v := range []boltseal.Verdict{boltseal.VerdictFail, boltseal.VerdictUnknown, boltseal.VerdictPass, boltseal.VerdictNotApplicable} {
			if t.counts[v] > 0 {
				c.Verdict = v
				break
			}
		}
		if c.Verdict != boltseal.VerdictPass {
			c.Reason = fmt.Sprintf("%d failed, %d unknown, %d passed, %d not applicable", t.counts[boltseal.VerdictFail], t.counts[boltseal.VerdictUnknown], t.counts[boltseal.VerdictPass], t.counts[boltseal.VerdictNotApplicable])
		}
		if c.Verdict == boltseal.VerdictUnknown {
			c.Reason += ": " + words(commonest(t.why))
		}
		a.report.Checks = append(a.report.Checks, c)
	}
	return nil
}

// commonest is the reason that was given most often.
func commonest(why map[string]int) (text string) {
	for s, n := range why {
		if n > why[text] || n == why[text] && (text == "" || s < text) {
			text = s
		}
	}
	return text
}

func (a *audit) podSecurity(ctx context.Context, level psa.Level) error {
	for r, err := range orchestrator.PodSecurityOf(ctx, a.snap, &orchestrator.PodSecurityOptions{Default: level}) {
		if err != nil {
			return err
		}
		if r.Verdict == boltseal.VerdictFail {
			a.report.Findings = append(a.report.Findings, r.Finding())
		}
	}
	return nil
}

// maxPaths bounds the starts whose way to cluster-admin is reported.
const maxPaths = 200

// access looks at rights: accounts, and the ways to cluster-admin.
func (a *audit) access(ctx context.Context) error {
	graph := orchestrator.NewGraph(orchestrator.NewAccess(a.snap), nil)
	for _, r := range graph.Accounts(ctx) {
		if r.Verdict == boltseal.VerdictFail {
			a.report.Findings = append(a.report.Findings, r.Finding())
		}
	}
	for p := range graph.Attackers(ctx, orchestrator.ClusterAdmin) {
		if p.From.System() {
			continue
		}
		if len(a.paths) == maxPaths {
			a.report.Skipped = append(a.report.Skipped, boltseal.Skip{Rule: "paths", Reason: fmt.Sprintf("more than %d ways to cluster-admin; the paths command asks for one", maxPaths)})
			a.report.Complete = false
			break
		}
		a.paths = append(a.paths, p)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	slices.SortStableFunc(a.paths, func(x, y orchestrator.Path) int {
		return cmp.Or(cmp.Compare(len(x.Conditions), len(y.Conditions)), cmp.Compare(len(x.Steps), len(y.Steps)), cmp.Compare(x.From, y.From))
	})
	for i := range a.paths {
		a.report.Findings = append(a.report.Findings, pathFinding(&a.paths[i]))
	}
	if len(a.paths) > 0 {
		cuts, err := graph.Cuts(ctx, orchestrator.ClusterAdmin, nil)
		if err != nil {
			return err
		}
		a.removals = cuts[:min(len(cuts), 10)]
	}
	return nil
}

func pathFinding(p *orchestrator.Path) boltseal.Finding {
	f := boltseal.Finding{
		Kind: boltseal.KindMisconfiguration, Rule: "path", Severity: boltseal.SeverityCritical,
		Title: fmt.Sprintf("%s becomes %s", p.From, p.To), Asset: p.From.Asset().ID(),
		Fingerprint: boltseal.Fingerprint("misconfiguration", "path", string(p.From), string(p.To)),
	}
	if !p.Confirmed() {
		f.Severity = boltseal.SeverityHigh
		f.Title += ", on conditions"
	}
	for i := range p.Steps {
		f.Evidence = append(f.Evidence, boltseal.Evidence{Technique: boltseal.TechniqueManifest, Detail: fmt.Sprintf("%d. %s", i+1, words(p.Steps[i].String()))})
	}
	if n := len(p.Steps); n > 0 && len(p.Steps[n-1].Remove) > 0 {
		f.Fix = p.Steps[n-1].Remove[0]
	}
	return f
}

// page is the audit as the HTML page wants it.
func (a *audit) page(name string, now time.Time) *report.Cluster {
	r := *a.report
	r.Created = &now
	page := &report.Cluster{Name: name, Report: &r, Passed: a.passed}
	objects, workloads := 0, 0
	for range a.snap.Workloads() {
		workloads++
	}
	objects = a.snap.Count()
	page.Facts = []report.Fact{
		{Name: "Kubernetes", Value: fmt.Sprintf("rules of 1.%d", a.snap.Minor)},
		{Name: "Objects", Value: fmt.Sprint(objects)},
		{Name: "Workloads", Value: fmt.Sprint(workloads)},
		{Name: "Read from", Value: map[bool]string{true: "a running cluster", false: "manifests"}[a.snap.Live()]},
	}
	for i := range a.paths {
		p := &a.paths[i]
		out := report.AttackPath{From: p.From.String(), To: p.To.String(), Confirmed: p.Confirmed()}
		for j := range p.Steps {
			s := &p.Steps[j]
			step := report.AttackStep{To: s.To.String(), ID: s.ID, Text: words(s.String()), Conditional: len(s.Conditions) > 0, Remove: s.Remove}
			for _, from := range s.From {
				step.From = append(step.From, from.String())
			}
			out.Steps = append(out.Steps, step)
		}
		page.Paths = append(page.Paths, out)
	}
	for _, r := range a.removals {
		page.Removals = append(page.Removals, report.PathRemoval{Text: r.Text + left(&r), Stops: len(r.Stops) + len(r.Eases)})
	}
	return page
}

// left says whose confirmed way alone a removal ends.
func left(r *orchestrator.Removal) string {
	if len(r.Eases) == 0 {
		return ""
	}
	return fmt.Sprintf(" (leaves %d a way on conditions)", len(r.Eases))
}
