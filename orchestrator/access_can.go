package orchestrator

import (
	"iter"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// Can decides whether RBAC allows a request of a subject. Groups are those that
// the authenticator knows beside [Subject.Groups].
//
// It looks at the request alone. What a write of roles and bindings, or an
// impersonation, needs beyond that is in [Access.CanBind], [Access.CanWriteRole]
// and [Access.CanImpersonate].
func (a *Access) Can(s Subject, q Request, groups ...string) Decision {
	var d Decision
	dangling := false
	for held := range identities(s, groups) {
		if held.Kind == rbacv1.GroupKind && held.Name == GroupMasters {
			return Decision{Answer: Granted, Reason: "the group system:masters is allowed everything before any authorizer is asked"}
		}
		spaces := a.held[held]
		if spaces == nil {
			continue
		}
		dangling = a.grants(&d.Grants, held, spaces[""], &q) || dangling
		if q.Namespace != "" && q.Path == "" {
			dangling = a.grants(&d.Grants, held, spaces[q.Namespace], &q) || dangling
		}
	}
	switch {
	case len(d.Grants) > 0:
		d.Answer = Granted
	case dangling:
		d.Reason = "a binding refers to a role whose rules were not seen"
		if missing := a.snap.Missing(q.Namespace, clusterRoleResource, roleResource); missing != "" {
			d.Reason += ": " + missing
		}
	default:
		d.Answer, d.Reason = a.notGranted(s, q, groups)
	}
	return d
}

// grants appends what the holdings allow, and reports whether one of them
// refers to a role that may exist unseen.
func (a *Access) grants(to *[]Grant, s Subject, list []holding, q *Request) (dangling bool) {
	for i := range list {
		h := &list[i]
		r := h.binding.Role
		if r == nil {
			dangling = dangling || !a.roleKnown(h.binding)
			continue
		}
		dangling = dangling || r.Incomplete
		a.matching(r, q, func(rule int) bool {
			*to = append(*to, Grant{Subject: s, Binding: h.binding, SubjectIndex: h.index, Role: r, RuleIndex: rule})
			return true
		})
	}
	return dangling
}

// roleKnown reports whether the role that a binding refers to, and the snapshot
// does not hold, is known not to exist.
func (a *Access) roleKnown(b *Binding) bool {
	resource, namespace := clusterRoleResource, ""
	if b.RoleRef.Kind == "Role" {
		resource, namespace = roleResource, b.Namespace
	}
	return a.snap.Coverage(resource, namespace).Known()
}

func (a *Access) notGranted(s Subject, q Request, groups []string) (Answer, string) {
	if missing := a.Missing(q.Namespace); missing != "" {
		return Unknown, missing
	}
	if strings.HasPrefix(s.UserName(), nodeUser) && (s.Kind == rbacv1.UserKind) && slices.Contains(append(s.Groups(), groups...), GroupNodes) {
		return Unknown, "the Node authorizer decides by what runs on the node"
	}
	return NotGranted, "no RBAC rule allows it"
}

// Missing says which kinds of RBAC objects that concern a namespace (empty:
// cluster-wide rights alone) the snapshot does not know, or returns "".
func (a *Access) Missing(namespace string) string {
	if namespace == "" {
		return a.snap.Missing("", clusterRoleBindingResource)
	}
	if m := a.snap.Missing("", clusterRoleBindingResource); m != "" {
		return m
	}
	return a.snap.Missing(namespace, roleBindingResource)
}

// WhoCan yields every grant that allows a request, those of groups as they are
// named. system:masters, which no binding names, is not among them, nor is what
// [Access.Missing] says is unknown.
func (a *Access) WhoCan(q Request) iter.Seq[Grant] {
	return func(yield func(Grant) bool) {
		for _, b := range a.bindings {
			if b.Role == nil || b.Namespace != "" && (b.Namespace != q.Namespace || q.Path != "") {
				continue
			}
			if !a.matching(b.Role, &q, func(rule int) bool { return b.each(rule, yield) }) {
				return
			}
		}
	}
}

// each yields the grants of one rule to all subjects of a binding.
func (b *Binding) each(rule int, yield func(Grant) bool) bool {
	for i := range b.Subjects {
		if s, ok := BoundSubject(b.Subjects[i], b.Namespace); ok {
			if !yield(Grant{Subject: s, Binding: b, SubjectIndex: i, Role: b.Role, RuleIndex: rule}) {
				return false
			}
		}
	}
	return true
}

// WhatCan yields every rule that a subject has, by itself and by the groups
// that it is in: the cluster-wide ones first.
func (a *Access) WhatCan(s Subject, groups ...string) iter.Seq[Grant] {
	return func(yield func(Grant) bool) {
		var spaces []string
		for held := range identities(s, groups) {
			for ns := range a.held[held] {
				spaces = append(spaces, ns)
			}
		}
		slices.Sort(spaces)
		for _, ns := range slices.Compact(spaces) {
			for held := range identities(s, groups) {
				for _, h := range a.held[held][ns] {
					if h.binding.Role == nil {
						continue
					}
					for rule := range h.binding.Role.Rules {
						if !yield(Grant{Subject: held, Binding: h.binding, SubjectIndex: h.index, Role: h.binding.Role, RuleIndex: rule}) {
							return
						}
					}
				}
			}
		}
	}
}

// Holds yields the bindings that name exactly this subject, dangling ones too,
// with the index of the subject.
func (a *Access) Holds(s Subject) iter.Seq2[*Binding, int] {
	return func(yield func(*Binding, int) bool) {
		for _, list := range a.held[s] {
			for _, h := range list {
				if !yield(h.binding, h.index) {
					return
				}
			}
		}
	}
}

// identities yields what bindings may name to reach a subject, each once: the
// subject and its groups.
func identities(s Subject, groups []string) iter.Seq[Subject] {
	return func(yield func(Subject) bool) {
		if s.Kind == rbacv1.UserKind {
			if sa, ok := serviceAccountOf(s.Name); ok {
				s = sa
			}
		}
		own := s.Groups()
		if s.Kind != rbacv1.GroupKind && !yield(s) {
			return
		}
		for _, g := range own {
			if !yield(Group(g)) {
				return
			}
		}
		for i, g := range groups {
			if !slices.Contains(own, g) && !slices.Contains(groups[:i], g) && !yield(Group(g)) {
				return
			}
		}
	}
}
