package orchestrator

import (
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/component-helpers/auth/rbac/validation"

	"github.com/boltseal/boltseal"
)

// hygieneChecks are R13 to R18: rights that are not what they seem.
func hygieneChecks() []*Check {
	bindings := resources(rbacGroup, "rolebindings", "clusterrolebindings")
	roles := resources(rbacGroup, "roles", "clusterroles")
	return []*Check{{
		ID: "R13", Title: "binding to a role that does not exist", Severity: boltseal.SeverityMedium, Source: rbacPractices, Judges: bindings, Reads: roles,
		Doc: "Whoever may create a role of that name gives its rights to the subjects, without the right to bind.",
		Fix: "Delete the binding, or create the role.",
		Judge: func(p *Pass) {
			b, _, ok := p.bindingOf()
			if !ok {
				return
			}
			namespace := ""
			if b.RoleRef.Kind == "Role" {
				namespace = b.Namespace
			}
			if p.run.access().Role(namespace, b.RoleRef.Name) == nil && !p.missingIn(namespace, resources(rbacGroup, roleResourceName(b.RoleRef.Kind))...) {
				p.Fail(Evidence{Path: "roleRef", Value: b.RoleRef.Kind + " " + b.RoleRef.Name})
			}
		},
	}, {
		ID: "R14", Title: "binding to a service account that does not exist", Severity: boltseal.SeverityMedium, Source: rbacPractices, Judges: bindings, Reads: resources("", "serviceaccounts"),
		Doc: "Whoever may create a service account of that name has the rights.",
		Fix: "Remove the subject.",
		Judge: func(p *Pass) {
			b, ok := p.ownBinding()
			if !ok {
				return
			}
			for i, s := range b.Subjects {
				subject, ok := BoundSubject(s, b.Namespace)
				if !ok || subject.Kind != rbacv1.ServiceAccountKind || p.Snapshot.ServiceAccounts.Get(subject.Namespace, subject.Name) != nil {
					continue
				}
				if !p.missingIn(subject.Namespace, resources("", "serviceaccounts")...) {
					p.Fail(Evidence{Path: element("subjects", i, "name"), Value: subject.Namespace + "/" + subject.Name})
				}
			}
		},
	}, {
		ID: "R15", Title: "role that nobody holds", Severity: boltseal.SeverityNone, Source: rbacPractices, Judges: roles, Reads: bindings,
		Doc:   "It gives nothing today, and its rules to whoever is bound to it tomorrow, unread.",
		Fix:   "Delete it.",
		Judge: judgeUnbound,
	}, {
		ID: "R16", Title: "bound in the whole cluster, needed in one namespace", Severity: boltseal.SeverityMedium, Source: rbacPractices,
		Judges: resources(rbacGroup, "clusterrolebindings"), Reads: roles,
		Doc:   "A RoleBinding to the same role in the account's own namespace gives all that such rules are for.",
		Fix:   "Bind the role with a RoleBinding.",
		Judge: judgeTooWide,
	}, {
		ID: "R17", Title: "default role changed", Severity: boltseal.SeverityHigh, Source: rbacPractices, Judges: resources(rbacGroup, "clusterroles"),
		Doc:   "Rights were added to a role that Kubernetes keeps for its own parts, or that everybody takes as harmless; or its repair is switched off.",
		Fix:   "Put the rules into a role of your own, and remove rbac.authorization.kubernetes.io/autoupdate: \"false\".",
		Judge: judgeDefaultRole,
	}, {
		ID: "R18", Title: "rule that gives nothing", Severity: boltseal.SeverityLow, Source: rbacPractices, Judges: roles,
		Doc:   "Such a rule does not do what its author meant; the next attempt to make it work is often a *.",
		Fix:   "Correct or delete the rule.",
		Judge: judgeIdleRule,
	}}
}

func judgeUnbound(p *Pass) {
	var namespace, name string
	switch o := p.Object.(type) {
	case *rbacv1.Role:
		namespace, name = o.Namespace, o.Name
	case *rbacv1.ClusterRole:
		name = o.Name
		if p.builtIn(o.Labels) {
			return
		}
		for key := range o.Labels {
			if strings.HasPrefix(key, "rbac.authorization.k8s.io/aggregate-to-") {
				p.NotApplicable("held through an aggregated role")
				return
			}
		}
	default:
		return
	}
	for b := range p.run.access().Bindings() {
		if b.RoleRef.Name != name || len(b.Subjects) == 0 {
			continue
		}
		if namespace == "" && b.RoleRef.Kind == "ClusterRole" || b.RoleRef.Kind == "Role" && b.Namespace == namespace {
			return
		}
	}
	if namespace == "" && p.missingIn("", resources(rbacGroup, "clusterrolebindings", "rolebindings")...) {
		return
	}
	if namespace != "" && p.Missing(resources(rbacGroup, "rolebindings")...) {
		return
	}
	p.Fail(Evidence{Path: "metadata.name", Value: name})
}

// judgeTooWide fails a binding whose rules all concern what lies in the
// account's own namespace: objects by name, leases, events. Rules about all
// objects of a kind may be meant for other namespaces; only use can tell.
func judgeTooWide(p *Pass) {
	b, ok := p.given()
	if !ok {
		return
	}
	home := ""
	for _, s := range b.Subjects {
		if s.Kind != rbacv1.ServiceAccountKind || home != "" && home != s.Namespace {
			p.NotApplicable("not the service accounts of one namespace")
			return
		}
		home = s.Namespace
	}
	local := true
	for i := range b.Role.Rules {
		r := &b.Role.Rules[i]
		if len(r.NonResourceURLs) > 0 || !p.run.namespaced(r) {
			p.NotApplicable("gives rights outside namespaces")
			return
		}
		local = local && (len(r.ResourceNames) > 0 || ownNamespace(r))
	}
	switch {
	case len(b.Role.Rules) == 0:
		p.NotApplicable("the role has no rules")
	case local:
		p.Fail(Evidence{Path: "roleRef", Value: b.Role.String(), Detail: "every rule concerns the account's own namespace, " + home})
	default:
		p.Unknown("whether %s is used outside %s, only the audit log can tell", b.Role, home)
	}
}

// ownNamespace reports whether a rule concerns only what a program keeps beside
// itself.
func ownNamespace(r *rbacv1.PolicyRule) bool {
	return len(r.Resources) > 0 && !slices.ContainsFunc(r.Resources, func(s string) bool {
		return s != "leases" && s != "events"
	})
}

// namespaced reports whether all resources of a rule are known to lie in
// namespaces.
func (r *postureRun) namespaced(rule *rbacv1.PolicyRule) bool {
	r.namespacedOnce.Do(func() {
		r.namespacedKinds = map[string]bool{"events": true, "leases": true}
		for _, k := range kinds() {
			if k.Namespaced {
				r.namespacedKinds[k.Resource] = true
			}
		}
		for _, it := range r.snap.CustomResourceDefinitions {
			if it.Object.Spec.Scope == "Namespaced" {
				r.namespacedKinds[it.Object.Spec.Names.Plural] = true
			}
		}
		for _, name := range []string{
			"horizontalpodautoscalers", "poddisruptionbudgets", "limitranges", "resourcequotas", "podtemplates", "controllerrevisions",
			"bindings", "localsubjectaccessreviews", "csistoragecapacities",
		} {
			r.namespacedKinds[name] = true
		}
	})
	for _, s := range rule.Resources {
		name, _, _ := strings.Cut(s, "/")
		if !r.namespacedKinds[name] {
			return false
		}
	}
	return len(rule.Resources) > 0
}

func judgeDefaultRole(p *Pass) {
	o, ok := p.Object.(*rbacv1.ClusterRole)
	if !ok {
		return
	}
	var own *Role
	for _, r := range p.run.defaultRoles() {
		if r.Namespace == "" && r.Name == o.Name {
			own = r
		}
	}
	if own == nil {
		p.NotApplicable("not a role of Kubernetes itself")
		return
	}
	if o.Annotations[rbacv1.AutoUpdateAnnotationKey] == "false" {
		p.Fail(Evidence{Path: "metadata.annotations[" + rbacv1.AutoUpdateAnnotationKey + "]", Value: "false", Detail: "what is missing or changed is not repaired"})
	}
	if own.Aggregation != nil {
		return // its rules are those of the roles it selects
	}
	for i := range o.Rules {
		if ok, extra := validation.Covers(own.Rules, o.Rules[i:i+1]); !ok {
			parts := make([]string, len(extra))
			for j := range extra {
				parts[j] = ruleString(&extra[j])
			}
			p.Fail(Evidence{Path: element("rules", i, ""), Value: ruleString(&o.Rules[i]), Detail: "beyond the default: " + strings.Join(parts, "; ")})
		}
	}
}

func judgeIdleRule(p *Pass) {
	var rules []rbacv1.PolicyRule
	namespaced := false
	switch o := p.Object.(type) {
	case *rbacv1.Role:
		rules, namespaced = o.Rules, true
	case *rbacv1.ClusterRole:
		rules = o.Rules
		if p.builtIn(o.Labels) {
			return
		}
	}
	for i := range rules {
		for _, why := range idle(&rules[i], namespaced) {
			p.Fail(Evidence{Path: element("rules", i, ""), Value: ruleString(&rules[i]), Detail: why})
		}
	}
}

// idle says what in a rule matches no request, by the authorizer's matching.
func idle(r *rbacv1.PolicyRule, namespaced bool) (why []string) {
	switch {
	case len(r.Verbs) == 0:
		return []string{"no verbs"}
	case len(r.NonResourceURLs) > 0 && namespaced:
		return []string{"URLs are given by a ClusterRoleBinding only"}
	case len(r.NonResourceURLs) > 0:
		return nil
	case len(r.APIGroups) == 0:
		return []string{"no API groups; the core group is \"\""}
	case len(r.Resources) == 0:
		return []string{"no resources"}
	}
	for _, s := range r.Resources {
		name, sub, slash := strings.Cut(s, "/")
		switch {
		case slash && sub == "*":
			why = append(why, fmt.Sprintf("%q matches nothing: * stands alone, or before a subresource", s))
		case strings.ToLower(s) != s:
			why = append(why, fmt.Sprintf("%q matches nothing: resources are lower case", s))
		case name != "*" && strings.Contains(name, "*"):
			why = append(why, fmt.Sprintf("%q matches nothing: * is no pattern", s))
		}
	}
	for _, v := range r.Verbs {
		if v != "*" && strings.Contains(v, "*") || strings.ToLower(v) != v {
			why = append(why, fmt.Sprintf("verb %q matches nothing", v))
		}
	}
	if len(r.ResourceNames) > 0 && !slices.Contains(r.ResourceNames, "") && onlyNameless(r.Verbs) {
		why = append(why, "resourceNames with verbs whose requests carry no name")
	}
	return why
}

func onlyNameless(verbs []string) bool {
	return !slices.ContainsFunc(verbs, func(v string) bool { return v != "deletecollection" })
}
