package orchestrator

import (
	"fmt"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/component-helpers/auth/rbac/validation"
)

// CanBind decides whether a subject that may write bindings may write one that
// refers to a role: it needs the verb bind on the role, or every right that the
// role gives, in the binding's namespace (empty for a ClusterRoleBinding). With
// bind the role need not exist. The right to write bindings at all is a
// question for [Access.Can]. Deleting a binding is not checked.
func (a *Access) CanBind(s Subject, namespace string, role rbacv1.RoleRef, groups ...string) Decision {
	q := Request{Verb: "bind", Group: rbacGroup, Resource: "clusterroles", Namespace: namespace, Name: role.Name}
	key, kind := objectName{"", role.Name}, clusterRoleResource
	if role.Kind == "Role" {
		q.Resource, key, kind = "roles", objectName{namespace, role.Name}, roleResource
	}
	d := a.Can(s, q, groups...)
	if d.Answer == Granted {
		return d
	}
	r := a.byName[key]
	if r == nil {
		if a.snap.Coverage(kind, key.namespace).Known() {
			return Decision{Answer: NotGranted, Reason: "the role does not exist, and without the verb bind it must"}
		}
		return Decision{Reason: a.snap.Missing(key.namespace, kind)}
	}
	return a.covers(s, namespace, r.Rules, r.Incomplete, groups)
}

// CanWriteRole decides whether a subject that may write roles may write this
// one: it needs the verb escalate, or every right that the role gives, and all
// rights there are if the role aggregates others. Create says that the role is
// created by POST, whose request has no name for a rule's resourceNames to
// match; the checks are the same whatever part of a role changes.
func (a *Access) CanWriteRole(s Subject, role *Role, create bool, groups ...string) Decision {
	q := Request{Verb: "escalate", Group: rbacGroup, Resource: "clusterroles", Namespace: role.Namespace, Name: role.Name}
	if role.Namespace != "" {
		q.Resource = "roles"
	}
	if create {
		q.Name = ""
	}
	d := a.Can(s, q, groups...)
	if d.Answer == Granted {
		return d
	}
	rules := role.Rules
	if role.Aggregation != nil && len(role.Aggregation.ClusterRoleSelectors) > 0 {
		rules = append(rules[:len(rules):len(rules)],
			rbacv1.PolicyRule{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}},
			rbacv1.PolicyRule{Verbs: []string{"*"}, NonResourceURLs: []string{"*"}})
	}
	return a.covers(s, role.Namespace, rules, false, groups)
}

// coversWork bounds one comparison of rights, in pairs of rules.
const coversWork = 20_000_000

// covers decides whether a subject has every right of some rules in a
// namespace, the way the API server compares them: broken down to single
// verbs, groups, resources and names, so that "*" is covered by "*" alone.
func (a *Access) covers(s Subject, namespace string, rules []rbacv1.PolicyRule, incomplete bool, groups []string) Decision {
	var own []rbacv1.PolicyRule
	var grants []Grant
	for g := range a.WhatCan(s, groups...) {
		if ns := g.Namespace(); ns == "" || ns == namespace {
			own = append(own, *g.Rule())
			grants = append(grants, g)
		}
	}
	if parts := len(own) * breakdown(rules); parts > coversWork {
		return Decision{Reason: "the roles are too large to compare"}
	}
	_, missing := validation.Covers(own, rules)
	switch {
	case len(missing) == 0 && incomplete:
		return Decision{Reason: "the role has more rules than could be taken up"}
	case len(missing) == 0:
		return Decision{Answer: Granted, Grants: grants, Reason: "every right that the role gives is held already"}
	}
	answer, reason := a.notGranted(s, Request{Namespace: namespace}, groups)
	for held := range identities(s, groups) {
		for _, ns := range []string{"", namespace} {
			for _, h := range a.held[held][ns] {
				if h.binding.Role == nil && !a.roleKnown(h.binding) || h.binding.Role != nil && h.binding.Role.Incomplete {
					return Decision{Reason: "the rules of " + objectString(h.binding.RoleRef.Kind, "", h.binding.RoleRef.Name) + ", which it holds, were not all seen"}
				}
			}
		}
	}
	if answer == NotGranted {
		reason = fmt.Sprintf("%d rights of the role are not held, the first: %s", len(missing), ruleString(&missing[0]))
	}
	return Decision{Answer: answer, Reason: reason}
}

// breakdown counts the single rights in rules, up to a bound.
func breakdown(rules []rbacv1.PolicyRule) int {
	n := 0
	for i := range rules {
		r := &rules[i]
		parts := len(r.Verbs) * max(1, len(r.NonResourceURLs)+len(r.APIGroups)*len(r.Resources)*max(1, len(r.ResourceNames)))
		if n += parts; n > coversWork {
			return coversWork + 1
		}
	}
	return n
}
