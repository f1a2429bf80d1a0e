package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/boltseal/boltseal"
)

// Usage is which rights were used, by an audit log.
type Usage struct {
	access *Access
	// From and To are the times of the first and the last event: the window that
	// was observed.
	From, To time.Time
	// Events is how many events were read, Used how many of them used a right,
	// Denied how many were refused. The others are stages before the end.
	Events, Used, Denied int
	// Malformed is how many documents of the log could not be read.
	Malformed int
	// Complete is [UsageOptions.Complete].
	Complete bool

	used map[Subject]map[Request]*Used
}

// Used is one right that somebody used.
type Used struct {
	Request     Request
	Count       int
	First, Last time.Time
	// Groups are those that the log gives for the user.
	Groups []string
}

// UsageOptions say how to read an audit log for what was used.
type UsageOptions struct {
	// Complete says that the audit policy logs every request at level Metadata or
	// above, and that the log is whole: only then is a right that was not used
	// known not to have been.
	Complete bool
	// Rights bounds the distinct pairs of subject and request; default 1,000,000.
	Rights int
}

// Usage reads which rights were used. Documents that are malformed are counted
// and reported together in the error; what was read beside them counts.
//
// An impersonated request uses the rights of whom it is made for, and the right
// to impersonate of whoever made it.
func (a *Access) Usage(ctx context.Context, events iter.Seq2[AuditEvent, error], opts *UsageOptions) (*Usage, error) {
	if opts == nil {
		opts = &UsageOptions{}
	}
	u := &Usage{access: a, Complete: opts.Complete, used: map[Subject]map[Request]*Used{}}
	limit, count := opts.Rights, 0
	if limit <= 0 {
		limit = 1_000_000
	}
	var first error
	for e, err := range events {
		if ctx.Err() != nil {
			return u, fmt.Errorf("audit usage: %w", ctx.Err())
		}
		if err != nil {
			if errors.Is(err, boltseal.ErrMalformed) || errors.Is(err, boltseal.ErrLimit) || errors.Is(err, errors.ErrUnsupported) {
				u.Malformed++
				if first == nil {
					first = err
				}
				continue
			}
			return u, fmt.Errorf("audit usage: %w", err)
		}
		if count += u.add(&e); count > limit {
			u.Complete = false
			return u, fmt.Errorf("audit usage: %d distinct rights: %w; raise UsageOptions.Rights", limit, boltseal.ErrLimit)
		}
	}
	if u.Malformed > 0 {
		u.Complete = false
		return u, fmt.Errorf("audit usage: %d documents were not read, the first: %w", u.Malformed, first)
	}
	return u, nil
}

// add counts an event and returns how many rights were new.
func (u *Usage) add(e *AuditEvent) (fresh int) {
	u.Events++
	at := e.StageTime
	if at.IsZero() {
		at = e.Received
	}
	if !at.IsZero() {
		if u.From.IsZero() || at.Before(u.From) {
			u.From = at
		}
		if at.After(u.To) {
			u.To = at
		}
	}
	// One event for each request: its end, or the beginning of a watch.
	if e.Stage != "ResponseComplete" && (e.Stage != "ResponseStarted" || e.Verb != "watch") {
		return 0
	}
	if !e.Authorized() {
		u.Denied++
		return 0
	}
	u.Used++
	who := e.User
	if e.ImpersonatedUser != nil {
		who = *e.ImpersonatedUser
		for _, q := range impersonated(&who) {
			fresh += u.count(e.User.Subject(), q, e.User.Groups, at)
		}
	}
	return fresh + u.count(who.Subject(), e.Request(), who.Groups, at)
}

// impersonated returns the rights that speaking for a user takes.
func impersonated(who *AuditUser) (list []Request) {
	sa, isAccount := serviceAccountOf(who.Username)
	if isAccount {
		list = append(list, Request{Verb: "impersonate", Resource: "serviceaccounts", Namespace: sa.Namespace, Name: sa.Name})
	} else {
		list = append(list, Request{Verb: "impersonate", Resource: "users", Name: who.Username})
	}
	for _, g := range who.Groups {
		// The API server adds these itself.
		if g != GroupAuthenticated && g != GroupUnauthenticated && !(isAccount && slices.Contains(sa.Groups(), g)) {
			list = append(list, Request{Verb: "impersonate", Resource: "groups", Name: g})
		}
	}
	if who.UID != "" {
		list = append(list, Request{Verb: "impersonate", Group: authnGroup, Resource: "uids", Name: who.UID})
	}
	for key, values := range who.Extra {
		for _, v := range values {
			list = append(list, Request{Verb: "impersonate", Group: authnGroup, Resource: "userextras", Subresource: key, Name: v})
		}
	}
	return list
}

func (u *Usage) count(s Subject, q Request, groups []string, at time.Time) int {
	list := u.used[s]
	if list == nil {
		list = map[Request]*Used{}
		u.used[s] = list
	}
	x, fresh := list[q], 0
	if x == nil {
		x = &Used{Request: q, First: at, Groups: groups}
		list[q] = x
		fresh = 1
	}
	x.Count++
	if at.Before(x.First) {
		x.First = at
	}
	if at.After(x.Last) {
		x.Last = at
	}
	return fresh
}

// Subjects returns everybody who used a right, sorted.
func (u *Usage) Subjects() []Subject {
	return slices.SortedFunc(maps.Keys(u.used), compareSubjects)
}

// Of returns what a subject used, sorted.
func (u *Usage) Of(s Subject) []Used {
	var out []Used
	for _, x := range u.used[s] {
		out = append(out, *x)
	}
	slices.SortFunc(out, func(a, b Used) int { return strings.Compare(requestKey(a.Request), requestKey(b.Request)) })
	return out
}

func requestKey(q Request) string {
	return strings.Join([]string{q.Namespace, q.Group, q.Resource, q.Subresource, q.Verb, q.Name, q.Path}, "\x00")
}

// Unused is a rule that a binding gives and that nobody needed in the window.
type Unused struct {
	Grant Grant
	// Verdict is fail for what was not used in a complete window, and unknown
	// where the log cannot tell; Reason says why.
	Verdict boltseal.Verdict
	Reason  string
	// Verbs are those of the rule that were not used, where others were.
	Verbs []string
}

// Unused yields the rules that a subject has by a binding that names it and did
// not use. The window is [Usage.From] to [Usage.To].
func (u *Usage) Unused(s Subject) iter.Seq[Unused] {
	return func(yield func(Unused) bool) {
		for b, i := range u.access.Holds(s) {
			if b.Role == nil {
				continue
			}
			for rule := range b.Role.Rules {
				x, ok := u.unused(Grant{Subject: s, Binding: b, SubjectIndex: i, Role: b.Role, RuleIndex: rule})
				if ok && !yield(x) {
					return
				}
			}
		}
	}
}

func (u *Usage) unused(g Grant) (Unused, bool) {
	rule := g.Rule()
	seen := map[string]bool{}
	all := slices.Contains(rule.Verbs, "*")
	for q := range u.used[g.Subject] {
		if g.Namespace() != "" && q.Namespace != g.Namespace() || !RuleAllows(rule, q) {
			continue
		}
		if all {
			return Unused{}, false
		}
		seen[q.Verb] = true
	}
	x := Unused{Grant: g, Verdict: boltseal.VerdictFail}
	for _, v := range rule.Verbs {
		if !seen[v] {
			x.Verbs = append(x.Verbs, v)
		}
	}
	if len(x.Verbs) == 0 {
		return Unused{}, false
	}
	switch {
	case slices.ContainsFunc(x.Verbs, neverLogged):
		x.Verdict = boltseal.VerdictUnknown
		x.Reason = "the verbs bind, escalate, approve, sign and attest are checked inside other requests and never logged"
	case !u.Complete:
		x.Verdict = boltseal.VerdictUnknown
		x.Reason = "nothing says that the audit policy logs every request: set UsageOptions.Complete if it does"
	default:
		x.Reason = fmt.Sprintf("not used from %s to %s", u.From.UTC().Format(time.RFC3339), u.To.UTC().Format(time.RFC3339))
	}
	return x, true
}

// neverLogged reports whether a verb is one that only authorizers see.
func neverLogged(verb string) bool {
	switch verb {
	case "bind", "escalate", "approve", "sign", "attest":
		return true
	}
	return strings.HasPrefix(verb, "impersonate-on:")
}
