package orchestrator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// GenerateOptions say what [Generate] puts into a list.
type GenerateOptions struct {
	// Graph adds a waiver for each right that is reached by a confirmed path and
	// granted to nobody, so that [AllowList.Check] with the same graph finds
	// nothing new. Nil leaves them out.
	Graph *Graph
	// Now is the time from which waivers count; zero is the present.
	Now time.Time
	// Days is how long the waivers hold; zero is 90.
	Days int
}

// Generate makes a list of what is granted now: a start, to be read, cut and
// given reasons. What every cluster grants to its own components is left out,
// as [AllowList.Check] leaves it out. An error is that of the context, or
// [boltseal.ErrLimit] where more is reached than one list takes.
func Generate(ctx context.Context, a *Access, opts *GenerateOptions) (*AllowList, error) {
	l := &AllowList{Version: 1}
	seen := map[string]int{}
	for g := range grantsOfInterest(a) {
		rule := g.Rule()
		e := AllowEntry{
			Subject: g.Subject.String(), Verbs: rule.Verbs, Groups: rule.APIGroups, Resources: rule.Resources, Names: rule.ResourceNames, Paths: rule.NonResourceURLs,
			Why: fmt.Sprintf("granted by %s", g.Binding),
		}
		if ns := g.Namespace(); ns != "" {
			e.Namespaces, e.Paths = []string{ns}, nil
		}
		for _, part := range e.split() {
			if part.check(false) == nil { // else a rule that grants nothing
				l.merge(part, seen)
			}
		}
	}
	slices.SortStableFunc(l.Allow, func(a, b AllowEntry) int { return cmp.Compare(a.String(), b.String()) })
	if opts == nil || opts.Graph == nil {
		return l, ctx.Err()
	}
	return l, l.waiveReached(ctx, a, opts)
}

// merge adds an entry: one that is there for other namespaces takes its
// namespace in.
func (l *AllowList) merge(e AllowEntry, seen map[string]int) {
	same := e
	same.Namespaces, same.Why = nil, ""
	key := same.String()
	if len(e.Namespaces) == 0 {
		key += " everywhere"
	}
	i, ok := seen[key]
	if !ok {
		seen[key] = len(l.Allow)
		l.Allow = append(l.Allow, e)
		return
	}
	have := &l.Allow[i]
	if len(e.Namespaces) > 0 && !slices.Contains(have.Namespaces, e.Namespaces[0]) {
		have.Namespaces = append(have.Namespaces, e.Namespaces[0])
		slices.Sort(have.Namespaces)
	}
}

// waiveReached adds a waiver for each right that is only reached by a path.
func (l *AllowList) waiveReached(ctx context.Context, a *Access, opts *GenerateOptions) error {
	now, days := opts.Now, opts.Days
	if now.IsZero() {
		now = time.Now()
	}
	if days <= 0 {
		days = 90
	}
	found, err := l.Check(ctx, a, &AllowOptions{Now: now, Graph: opts.Graph})
	for i := range found {
		v := &found[i]
		if v.Kind != ReachedNotListed {
			continue
		}
		e := AllowEntry{
			Subject: v.Subject.String(), Verbs: v.Right.Verbs, Groups: v.Right.APIGroups, Resources: v.Right.Resources, Names: v.Right.ResourceNames, Paths: v.Right.NonResourceURLs,
			Why: "reached by a path: " + strings.Join(v.Path.IDs(), ", "), Expires: now.UTC().AddDate(0, 0, days).Format(time.DateOnly),
		}
		if v.Namespace != "" {
			e.Namespaces = []string{v.Namespace}
		}
		l.Waive = append(l.Waive, e)
	}
	return err
}

// split takes resources and paths apart: a rule may have both, an entry not.
func (e AllowEntry) split() (out []AllowEntry) {
	if len(e.Resources) > 0 || len(e.Groups) > 0 {
		r := e
		r.Paths = nil
		out = append(out, r)
	}
	if len(e.Paths) > 0 {
		p := e
		p.Groups, p.Resources, p.Names, p.Namespaces = nil, nil, nil, nil
		out = append(out, p)
	}
	return out
}
