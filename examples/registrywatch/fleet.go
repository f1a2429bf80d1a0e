package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/report"
	"github.com/boltseal/boltseal/registry"
	"github.com/boltseal/boltseal/registry/jetstream"
)

// fleet answers what is known now, for the page, the metrics and the commands.
type fleet struct {
	name       string
	store      *registry.Store
	advisories *advisories      // nil: not at hand
	queue      *jetstream.Queue // nil: this process analyses by itself
	interval   time.Duration
	started    time.Time

	mu    sync.Mutex
	full  time.Time // when everything was looked at last
	round registry.Round

	build sync.Mutex // one at a time
	page  *report.Fleet
	trend trend
}

const (
	pageAge    = 3 * time.Second // a page is as old as this at most
	pageIssues = 200
	pageNames  = 25
	pageTeams  = 100
	pageEvents = 50
	trendDays  = 30
)

func (f *fleet) swept(r registry.Round, full bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if full {
		f.full, f.round = time.Now(), r
	}
}

// sweep returns when everything was looked at last, and what came of it.
func (f *fleet) sweep() (time.Time, registry.Round) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.full, f.round
}

// healthy says what is wrong with the monitor itself; "" if nothing.
func (f *fleet) healthy() string {
	at, _ := f.sweep()
	if at.IsZero() {
		at = f.started
	}
	switch {
	case f.advisories.info() == nil:
		return "no advisories"
	case time.Since(at) > 3*f.interval+10*time.Minute:
		return "nothing was looked at since " + at.UTC().Format(time.RFC3339)
	}
	return ""
}

// now returns what is known, a few seconds old at most.
func (f *fleet) now(ctx context.Context) (*report.Fleet, error) {
	f.build.Lock()
	defer f.build.Unlock()
	if f.page != nil && time.Since(f.page.At) < pageAge {
		return f.page, nil
	}
	p, err := f.look(ctx)
	if err == nil {
		f.page = p
	}
	return p, err
}

func (f *fleet) look(ctx context.Context) (*report.Fleet, error) {
	o, err := f.store.Overview(ctx)
	if err != nil {
		return nil, err
	}
	st, err := f.store.Stats()
	if err != nil {
		return nil, err
	}
	if err := f.trend.read(ctx, f.store); err != nil {
		return nil, err
	}
	p := &report.Fleet{Name: f.name, At: time.Now(), Images: o.Images, References: st.References, Worst: map[string]int{}, Incomplete: o.Incomplete, Days: f.trend.days(time.Now()), Events: f.trend.last}
	for s, n := range o.Worst {
		p.Worst[s.String()] = n
	}
	for i := range o.Issues {
		if i == pageIssues {
			p.More = len(o.Issues) - i
			break
		}
		x, err := f.issue(&o.Issues[i])
		if err != nil {
			return nil, err
		}
		p.Issues = append(p.Issues, x)
	}
	if p.Teams, err = f.teams(ctx); err != nil {
		return nil, err
	}
	p.Facts = f.facts(&st)
	p.Gaps, err = f.gaps(&st)
	return p, err
}

// teams returns who answers for the images, those with the worst first; none if
// no image says it.
func (f *fleet) teams(ctx context.Context) (list []report.FleetTeam, err error) {
	all, err := f.store.Summaries(ctx, registry.ByTeam)
	if err != nil || len(all) == 1 && all[0].Name == "" {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b registry.Summary) int {
		for s := boltseal.SeverityCritical; s > boltseal.SeverityUnknown; s-- {
			if n := b.Worst[s] - a.Worst[s]; n != 0 {
				return n
			}
		}
		return b.Images - a.Images
	})
	for _, s := range all[:min(len(all), pageTeams)] {
		t := report.FleetTeam{Name: s.Name, Images: s.Images, Worst: map[string]int{}, Exploited: s.Exploited, Fixable: s.Fixable, Incomplete: s.Incomplete}
		for sev, n := range s.Worst {
			t.Worst[sev.String()] = n
		}
		list = append(list, t)
	}
	return list, nil
}

func (f *fleet) issue(i *registry.Issue) (report.FleetIssue, error) {
	x := report.FleetIssue{Rule: i.Rule, Title: i.Title, Severity: i.Severity, Exploited: i.Exploited, Aliases: i.Aliases, Packages: i.Packages, Fixed: i.Fixed, Images: i.Images}
	for a, err := range f.store.Holders(i) {
		if err != nil {
			return x, err
		}
		name := a.Digest.String()
		if len(a.References) > 0 {
			name = a.References[0]
		}
		if len(a.References) > 1 {
			name += fmt.Sprintf(" and %d more tags", len(a.References)-1)
		}
		if x.Names = append(x.Names, name); len(x.Names) == pageNames {
			if n := i.Images - pageNames; n > 0 {
				x.Names = append(x.Names, fmt.Sprintf("and %d more images", n))
			}
			break
		}
	}
	return x, nil
}

func (f *fleet) facts(st *registry.Stats) (list []report.FleetFact) {
	add := func(name, format string, args ...any) {
		list = append(list, report.FleetFact{Name: name, Value: fmt.Sprintf(format, args...)})
	}
	if info := f.advisories.info(); info != nil {
		newest := ""
		if info.Newest != nil {
			newest = ", the newest of " + info.Newest.UTC().Format(time.DateOnly)
		}
		add("Advisories", "%d%s", info.Advisories, newest)
	}
	add("Generation", "%s", short(st.Generation))
	if at, r := f.sweep(); !at.IsZero() {
		add("Looked at everything", "%s ago, in %s", time.Since(at).Round(time.Second), r.Took.Round(10*time.Millisecond))
	}
	add("Distinct packages", "%d", st.Components)
	if n, ok := f.depth(); ok && n > 0 {
		add("With workers", "%d images", n)
	}
	sinks, err := f.store.Sinks()
	if err == nil {
		for _, name := range sorted(sinks) {
			if lag := st.Events - min(st.Events, sinks[name]); lag > 0 {
				add("Lag of "+name, "%d events", lag)
			}
		}
	}
	add("Store", "%.1f MB, %d events", float64(st.Bytes)/1e6, st.Events)
	return list
}

// depth is how many images wait for a worker, or are with one.
func (f *fleet) depth() (int, bool) {
	if f.queue == nil {
		return 0, false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	n, err := f.queue.Depth(ctx)
	return n, err == nil
}

func (f *fleet) gaps(st *registry.Stats) (list []string, err error) {
	if f.advisories != nil {
		switch info := f.advisories.info(); {
		case info == nil:
			list = append(list, "no advisories could be read yet")
		case st.Generation != info.Generation:
			list = append(list, "new advisories are being evaluated")
		}
	}
	if _, ok := f.depth(); f.queue != nil && !ok {
		list = append(list, "the queue does not answer: new images are not analysed")
	}
	if f.advisories != nil {
		if at, r := f.sweep(); at.IsZero() {
			list = append(list, "the registries are being looked at for the first time since the monitor started")
		} else {
			for i, e := range r.Errors {
				if i == 10 {
					list = append(list, fmt.Sprintf("and %d more", len(r.Errors)-i))
					break
				}
				list = append(list, e.Error())
			}
		}
	}
	failures, err := f.store.Failures()
	for i, x := range failures {
		if i == 10 {
			list = append(list, fmt.Sprintf("and %d more images that could not be analysed", len(failures)-i))
			break
		}
		list = append(list, fmt.Sprintf("%s could not be analysed: %.300s", x.Name, x.Why))
	}
	return list, err
}

func short(generation string) string {
	if len(generation) > 16 {
		return generation[:16]
	}
	return generation
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// trend sums up events, of which it reads each once.
type trend struct {
	at     uint64
	opened map[string]int // by day
	closed map[string]int
	last   []report.FleetEvent
}

func (t *trend) read(ctx context.Context, s *registry.Store) error {
	if t.opened == nil {
		t.opened, t.closed = map[string]int{}, map[string]int{}
	}
	for e, err := range s.Events(ctx, t.at) {
		if err != nil {
			return err
		}
		t.at = e.Sequence
		day := e.Time.UTC().Format(time.DateOnly)
		switch e.Type {
		case registry.VulnerabilityOpened:
			t.opened[day] += int(e.Count())
		case registry.VulnerabilityClosed:
			t.closed[day] += int(e.Count())
		}
		if t.last = append([]report.FleetEvent{{Time: e.Time, Kind: kind(e), Text: text(e)}}, t.last...); len(t.last) > pageEvents {
			t.last = t.last[:pageEvents]
		}
	}
	return nil
}

func (t *trend) days(now time.Time) (list []report.FleetDay) {
	for i := trendDays - 1; i >= 0; i-- {
		day := now.UTC().AddDate(0, 0, -i).Format(time.DateOnly)
		list = append(list, report.FleetDay{Date: day, Opened: t.opened[day], Closed: t.closed[day]})
	}
	return list
}

// kind is an event's type in short: image.new.
func kind(e *registry.Event) string {
	_, s, _ := strings.Cut(string(e.Type), "registry.")
	return s
}

// text says in a line what an event is about.
func text(e *registry.Event) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if e.Reference != "" {
		add("%s", e.Reference)
	}
	if e.Rule != "" {
		add("%s in %s %s", e.Rule, e.Package, strings.Join(e.Versions[:min(3, len(e.Versions))], ", "))
		if e.Severity != boltseal.SeverityUnknown {
			add("%s", e.Severity)
		}
		add("%d images", e.Count())
	}
	if e.From != "" || e.To != "" {
		add("%s → %s", short(e.From), short(e.To))
	}
	if e.Why != "" && e.Rule == "" {
		add("%.200s", e.Why)
	}
	return strings.Join(parts, ", ")
}
