package orchestrator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/boltseal/boltseal"
)

// AllowOptions say what [AllowList.Check] compares with.
type AllowOptions struct {
	// Now decides which entries have expired; the zero value is the time of the
	// call.
	Now time.Time
	// Graph adds what can be had by confirmed attack paths: whoever can become
	// an identity has its rights. Nil leaves it out.
	Graph *Graph
	// Usage adds what was used: an entry that is granted and was not used is
	// reported too. Nil leaves it out.
	Usage *Usage
}

// ViolationKind says in which way the list and the cluster differ.
type ViolationKind string

const (
	GrantedNotListed ViolationKind = "granted, not listed"
	ReachedNotListed ViolationKind = "reached by a path, not listed"
	ListedNotGranted ViolationKind = "listed, not granted"
	ListedNotUsed    ViolationKind = "listed, not used"
	// ListedUnknown is a right that nothing seen grants, where not all was seen.
	ListedUnknown ViolationKind = "listed, unknown whether granted"
	EntryExpired  ViolationKind = "expired"
)

// Violation is one difference between the list and the cluster.
type Violation struct {
	Kind    ViolationKind
	Subject Subject
	// Right is the least right that differs: one verb, one resource, as the API
	// server breaks rules down. "*" is a right of its own, not the sum of others.
	Right rbacv1.PolicyRule
	// Namespace is where; empty is everywhere.
	Namespace string
	Grants    []Grant     // of a right that is granted
	Path      *Path       // of a right that is reached
	Entry     *AllowEntry // of a right that is listed, and of what expired
	// Waiver is the waiver that covers the violation, or nil.
	Waiver *AllowEntry
	Reason string // why ListedUnknown is unknown
}

// String writes the violation on one line.
func (v *Violation) String() string {
	s := fmt.Sprintf("%s: %s", v.Kind, v.Subject)
	if v.Kind == EntryExpired {
		return fmt.Sprintf("%s on %s: %s", v.Kind, v.Entry.Expires, v.Entry)
	}
	s += ": " + ruleString(&v.Right)
	if v.Namespace != "" {
		s += " in " + v.Namespace
	}
	if v.Waiver != nil {
		s += " (waived until " + v.Waiver.Expires + ": " + v.Waiver.Why + ")"
	}
	return s
}

// Finding returns the violation in the shared vocabulary.
func (v *Violation) Finding() boltseal.Finding {
	f := boltseal.Finding{
		Kind: boltseal.KindMisconfiguration, Rule: "allowlist", Severity: boltseal.SeverityHigh, Title: v.String(), Asset: v.Subject.Position().Asset().ID(),
		Fingerprint: boltseal.Fingerprint(string(boltseal.KindMisconfiguration), "allowlist", string(v.Kind), v.Subject.String(), ruleString(&v.Right), v.Namespace),
	}
	switch v.Kind {
	case ListedNotGranted, ListedNotUsed, ListedUnknown:
		f.Severity, f.Fix = boltseal.SeverityLow, "take the entry out of the list, or grant the right"
	case EntryExpired:
		f.Severity, f.Fix = boltseal.SeverityMedium, "mend what it excused, or renew it with a reason"
	default:
		f.Fix = "list the right with a reason, or take it away"
	}
	for _, g := range v.Grants {
		f.Evidence = append(f.Evidence, boltseal.Evidence{Technique: boltseal.TechniqueManifest, Detail: g.String()})
		if g.Binding.Location.Path != "" {
			f.Locations = append(f.Locations, g.Binding.Location)
		}
	}
	if v.Path != nil {
		f.Evidence = append(f.Evidence, boltseal.Evidence{Technique: boltseal.TechniqueManifest, Detail: v.Path.String()})
	}
	if v.Waiver != nil {
		f.Suppressed = "waived until " + v.Waiver.Expires + ": " + v.Waiver.Why
	}
	return f
}

// Check compares the list with what is granted, in both directions. An entry
// that has expired is a violation, and allows nothing.
func (l *AllowList) Check(ctx context.Context, a *Access, opts *AllowOptions) ([]Violation, error) {
	c := &allowCheck{list: l, access: a, seen: map[violationKey]int{}}
	if opts != nil {
		c.opts = *opts
	}
	if c.opts.Now.IsZero() {
		c.opts.Now = time.Now()
	}
	c.expired()
	for g := range grantsOfInterest(a) {
		if ctx.Err() != nil {
			return c.out, ctx.Err()
		}
		for _, right := range parts(g.Rule(), g.Namespace()) {
			if c.listed(g.Subject, right, g.Namespace()) {
				continue
			}
			key := violationKey{g.Subject, ruleString(&right), g.Namespace()}
			if i, ok := c.seen[key]; ok {
				c.out[i].Grants = append(c.out[i].Grants, g)
				continue
			}
			c.add(Violation{Kind: GrantedNotListed, Subject: g.Subject, Right: right, Namespace: g.Namespace(), Grants: []Grant{g}})
		}
	}
	c.reached(ctx)
	c.unneeded()
	err := ctx.Err()
	if len(c.out) >= maxViolations && err == nil {
		err = fmt.Errorf("check allow list: %w: more than %d violations; list more", boltseal.ErrLimit, maxViolations)
	}
	slices.SortStableFunc(c.out, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), compareSubjects(a.Subject, b.Subject), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(ruleString(&a.Right), ruleString(&b.Right)))
	})
	return c.out, err
}

type violationKey struct {
	subject          Subject
	right, namespace string
}

type allowCheck struct {
	list   *AllowList
	access *Access
	opts   AllowOptions
	out    []Violation
	seen   map[violationKey]int // of what is granted or reached: the index in out
}

// maxViolations bounds what one check reports.
const maxViolations = 100_000

func (c *allowCheck) add(v Violation) {
	for i := range c.list.Waive {
		w := &c.list.Waive[i]
		if w.check(true) == nil && !w.expired(c.opts.Now) && w.covers(v.Subject) && w.allows(v.Right, v.Namespace) {
			v.Waiver = w
			break
		}
	}
	if len(c.out) < maxViolations {
		c.seen[violationKey{v.Subject, ruleString(&v.Right), v.Namespace}] = len(c.out)
		c.out = append(c.out, v)
	}
}

func (c *allowCheck) expired() {
	for _, list := range [][]AllowEntry{c.list.Allow, c.list.Waive} {
		for i := range list {
			if list[i].expired(c.opts.Now) {
				c.out = append(c.out, Violation{Kind: EntryExpired, Entry: &list[i]})
			}
		}
	}
}

// listed reports whether the entries allow one part of a rule.
func (c *allowCheck) listed(s Subject, right rbacv1.PolicyRule, namespace string) bool {
	for i := range c.list.Allow {
		e := &c.list.Allow[i]
		if !e.expired(c.opts.Now) && e.covers(s) && e.allows(right, namespace) {
			return true
		}
	}
	return false
}

// allows reports whether the entry allows one part of a rule in a namespace.
func (e *AllowEntry) allows(right rbacv1.PolicyRule, namespace string) bool {
	if len(e.Namespaces) > 0 && (namespace == "" || !slices.Contains(e.Namespaces, namespace)) {
		return false
	}
	rule := e.rule()
	return coversRight(&rule, &right)
}

// coversRight reports whether a rule covers one part of another, as the API
// server decides who may write a role: "*" is covered by "*" alone.
func coversRight(rule, right *rbacv1.PolicyRule) bool {
	if !matches(rule.Verbs, right.Verbs[0]) {
		return false
	}
	if len(right.NonResourceURLs) > 0 {
		return pathMatches(rule.NonResourceURLs, right.NonResourceURLs[0])
	}
	if !matches(rule.APIGroups, right.APIGroups[0]) {
		return false
	}
	resource, sub, _ := strings.Cut(right.Resources[0], "/")
	if !resourceMatches(rule.Resources, resource, sub) {
		return false
	}
	return len(rule.ResourceNames) == 0 || len(right.ResourceNames) > 0 && slices.Contains(rule.ResourceNames, right.ResourceNames[0])
}

// maxParts bounds what one rule is broken down into.
const maxParts = 10_000

// parts breaks a rule down into single rights. Of one that has too many, wider
// rights stand for what it gives: those for any name, or for all that there is.
func parts(r *rbacv1.PolicyRule, namespace string) (out []rbacv1.PolicyRule) {
	all := []string{"*"}
	verbs, groups, resources, names, urls := r.Verbs, r.APIGroups, r.Resources, r.ResourceNames, r.NonResourceURLs
	if len(verbs) > maxParts {
		verbs = all
	}
	if n := len(verbs) * len(groups) * len(resources); n > maxParts {
		groups, resources, names = all, all, nil
	} else if n*len(names) > maxParts {
		names = nil
	}
	if len(verbs)*len(urls) > maxParts {
		urls = all
	}
	if namespace != "" {
		urls = nil // a RoleBinding gives none
	}
	for _, verb := range verbs {
		for _, group := range groups {
			for _, resource := range resources {
				p := rbacv1.PolicyRule{Verbs: []string{verb}, APIGroups: []string{group}, Resources: []string{resource}}
				if len(names) == 0 {
					out = append(out, p)
				}
				for _, name := range names {
					p.ResourceNames = []string{name}
					out = append(out, p)
				}
			}
		}
		for _, url := range urls {
			out = append(out, rbacv1.PolicyRule{Verbs: []string{verb}, NonResourceURLs: []string{url}})
		}
	}
	return out
}

// reached adds what confirmed paths give: whoever can become an identity that
// has a right has it too. For who reaches cluster-admin, that stands for all else.
func (c *allowCheck) reached(ctx context.Context) {
	g := c.opts.Graph
	if g == nil {
		return
	}
	everything := rbacv1.PolicyRule{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}}
	own := newBuiltin(c.access.snap.Minor)
	admins := map[Subject]bool{}
	for p := range g.Attackers(ctx, ClusterAdmin) {
		s, ok := subjectAt(p.From)
		if !ok || own.subjects[s] || !p.Confirmed() {
			continue
		}
		admins[s] = true // everything stands for all else
		if !c.listed(s, everything, "") && !c.has(s, everything, "") {
			c.add(Violation{Kind: ReachedNotListed, Subject: s, Right: everything, Path: &p})
		}
	}
	for _, s := range slices.SortedFunc(c.access.Subjects(), compareSubjects) {
		if own.subjects[s] || admins[s] {
			continue
		}
		for p := range g.BlastRadius(s.Position()) {
			other, ok := subjectAt(p.To)
			if ctx.Err() != nil {
				return
			}
			// Without a step it is a group that the subject is in: what that is
			// granted is listed for the group.
			if ok && len(p.Steps) > 0 && p.Confirmed() {
				c.reachedRights(s, other, &p)
			}
		}
	}
}

// reachedRights adds the rights of an identity that somebody can become.
func (c *allowCheck) reachedRights(s, other Subject, p *Path) {
	for b, i := range c.access.Holds(other) {
		if b.Role == nil {
			continue
		}
		for rule := range b.Role.Rules {
			for _, right := range parts(&b.Role.Rules[rule], b.Namespace) {
				if c.listed(s, right, b.Namespace) || c.has(s, right, b.Namespace) {
					continue
				}
				c.add(Violation{Kind: ReachedNotListed, Subject: s, Right: right, Namespace: b.Namespace, Path: p,
					Grants: []Grant{{Subject: other, Binding: b, SubjectIndex: i, Role: b.Role, RuleIndex: rule}}})
			}
		}
	}
}

// has reports whether a violation of the right is there already.
func (c *allowCheck) has(s Subject, right rbacv1.PolicyRule, namespace string) bool {
	_, ok := c.seen[violationKey{s, ruleString(&right), namespace}]
	return ok
}

// subjectAt returns the identity that a position is.
func subjectAt(p Position) (Subject, bool) {
	kind, name, _ := strings.Cut(string(p), ":")
	switch kind {
	case rbacv1.ServiceAccountKind:
		ns, name, ok := strings.Cut(name, "/")
		return ServiceAccount(ns, name), ok
	case rbacv1.UserKind:
		return User(name), true
	case rbacv1.GroupKind:
		return Group(name), true
	}
	return Subject{}, false
}

// unneeded adds what is listed and not granted, or granted and not used.
func (c *allowCheck) unneeded() {
	for i := range c.list.Allow {
		e := &c.list.Allow[i]
		if strings.ContainsAny(e.Subject, "*?[") || e.expired(c.opts.Now) {
			continue // a pattern is for those who may come
		}
		subject, ok := subjectAt(Position(e.Subject))
		if !ok {
			continue
		}
		spaces := e.Namespaces
		if len(spaces) == 0 {
			spaces = []string{""}
		}
		rule := e.rule()
		for _, ns := range spaces {
			for _, right := range parts(&rule, ns) {
				v := Violation{Kind: ListedNotGranted, Subject: subject, Right: right, Namespace: ns, Entry: e}
				if v.Grants = c.granting(subject, right, ns); len(v.Grants) == 0 {
					if v.Reason = c.access.Missing(ns); v.Reason != "" {
						v.Kind = ListedUnknown
					}
					c.out = append(c.out, v)
					continue
				}
				if u := c.opts.Usage; u != nil && u.Complete && !neverLogged(right.Verbs[0]) && !u.covers(subject, &right, ns) {
					v.Kind = ListedNotUsed
					c.out = append(c.out, v)
				}
			}
		}
	}
}

// granting returns the grants that give a right.
func (c *allowCheck) granting(s Subject, right rbacv1.PolicyRule, namespace string) (out []Grant) {
	for g := range c.access.WhatCan(s) {
		if (g.Namespace() == "" || g.Namespace() == namespace) && coversRight(g.Rule(), &right) {
			out = append(out, g)
		}
	}
	return out
}

// covers reports whether somebody used a right, or a part of it.
func (u *Usage) covers(s Subject, right *rbacv1.PolicyRule, namespace string) bool {
	for q := range u.used[s] {
		if (namespace == "" || q.Namespace == namespace) && RuleAllows(right, q) {
			return true
		}
	}
	return false
}
