package orchestrator

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/boltseal/boltseal"
)

const rbacPractices = "Kubernetes RBAC good practices"

// rightsChecks is the family R. Rights are judged where they are given, in
// bindings: a role that nobody holds harms nobody.
func rightsChecks() []*Check {
	bindings := resources(rbacGroup, "rolebindings", "clusterrolebindings")
	roles := resources(rbacGroup, "roles", "clusterroles")
	given := func(id, title string, severity boltseal.Severity, source, doc, fix string, requests ...Request) *Check {
		return &Check{
			ID: id, Title: title, Severity: severity, Source: source, Doc: doc, Fix: fix, Judges: bindings, Reads: roles,
			Judge: func(p *Pass) { judgeGiven(p, requests) },
		}
	}
	checks := []*Check{{
		ID: "R01", Title: "cluster-admin given", Severity: boltseal.SeverityCritical, Source: "CIS 5.1.1", Judges: bindings, Reads: roles,
		Doc:   "The role may do everything; who holds it, directly or by a token in reach, owns the cluster.",
		Fix:   "Give a role that lists what is needed.",
		Judge: judgeClusterAdmin,
	}, {
		ID: "R02", Title: "wildcard given", Severity: boltseal.SeverityHigh, Source: "CIS 5.1.3", Judges: bindings, Reads: roles,
		Doc:   "A * covers verbs and resources that do not exist yet, subresources included.",
		Fix:   "List verbs and resources.",
		Judge: judgeWildcard,
	}, given("R03", "may read Secrets", boltseal.SeverityHigh, "CIS 5.1.2",
		"get, list and watch each show the values.", "Limit the rule to the names that are needed.",
		Request{Verb: "get", Resource: "secrets"}, Request{Verb: "list", Resource: "secrets"}, Request{Verb: "watch", Resource: "secrets"},
	), given("R04", "may create pods", boltseal.SeverityHigh, "CIS 5.1.4",
		"A pod runs as any service account of its namespace, and mounts any Secret and claim in it.", "Leave it to a controller, or to a namespace without strong accounts.",
		podCreation()...,
	), given("R05", "may bind, escalate or impersonate", boltseal.SeverityCritical, "CIS 5.1.8",
		"Each is a way to rights that one does not hold.", "Remove the verb, or limit it by resourceNames.",
		Request{Verb: "bind", Group: rbacGroup, Resource: "clusterroles"}, Request{Verb: "bind", Group: rbacGroup, Resource: "roles"},
		Request{Verb: "escalate", Group: rbacGroup, Resource: "clusterroles"}, Request{Verb: "escalate", Group: rbacGroup, Resource: "roles"},
		Request{Verb: "impersonate", Resource: "users"}, Request{Verb: "impersonate", Resource: "groups"}, Request{Verb: "impersonate", Resource: "serviceaccounts"},
	), given("R06", "may create PersistentVolumes", boltseal.SeverityHigh, "CIS 5.1.9",
		"A volume of type hostPath opens any file of a node, whatever the Pod Security level.", "Use a storage class.",
		Request{Verb: "create", Resource: "persistentvolumes"},
	), given("R07", "may reach the kubelet", boltseal.SeverityCritical, "CIS 5.1.10",
		"nodes/proxy runs commands in every pod of the node, past admission and audit; get is enough.", "Use nodes/metrics, nodes/log or nodes/stats.",
		Request{Verb: "get", Resource: "nodes", Subresource: "proxy"}, Request{Verb: "create", Resource: "nodes", Subresource: "proxy"},
	), given("R08", "may approve certificates", boltseal.SeverityHigh, "CIS 5.1.11",
		"With the right to approve for a signer, it makes credentials for any name the signer takes.", "Leave it to the controllers.",
		Request{Verb: "update", Group: "certificates.k8s.io", Resource: "certificatesigningrequests", Subresource: "approval"},
		Request{Verb: "patch", Group: "certificates.k8s.io", Resource: "certificatesigningrequests", Subresource: "approval"},
	), given("R09", "may change admission", boltseal.SeverityCritical, "CIS 5.1.12",
		"A webhook sees and, if mutating, rewrites whatever is written to the cluster, Secrets included.", "Leave it to the cluster's administrators.",
		admissionWrites()...,
	), given("R10", "may make tokens", boltseal.SeverityHigh, "CIS 5.1.13",
		"A token of any service account in reach of the rule, as strong as the account.", "Limit the rule by resourceNames.",
		Request{Verb: "create", Resource: "serviceaccounts", Subresource: "token"},
	), {
		ID: "R11", Title: "binds system:masters", Severity: boltseal.SeverityCritical, Source: "CIS 5.1.7", Judges: bindings,
		Doc:   "Members of the group are allowed everything before RBAC is asked; a certificate that says so cannot be revoked.",
		Fix:   "Bind a group of your own.",
		Judge: judgeMasters,
	}, {
		ID: "R12", Title: "rights for everybody", Severity: boltseal.SeverityCritical, Source: rbacPractices, Judges: bindings, Reads: roles,
		Doc:   "The subject is anybody who reaches the API server, with credentials or without, or every pod.",
		Fix:   "Bind a group or account of your own.",
		Judge: judgeEverybody,
	}}
	return append(checks, hygieneChecks()...)
}

func podCreation() []Request {
	out := []Request{{Verb: "create", Resource: "pods"}, {Verb: "create", Resource: "replicationcontrollers"}}
	for _, r := range []string{"deployments", "daemonsets", "statefulsets", "replicasets"} {
		out = append(out, Request{Verb: "create", Group: "apps", Resource: r})
	}
	return append(out, Request{Verb: "create", Group: "batch", Resource: "jobs"}, Request{Verb: "create", Group: "batch", Resource: "cronjobs"})
}

func admissionWrites() []Request {
	var out []Request
	for _, r := range []string{
		"mutatingwebhookconfigurations", "validatingwebhookconfigurations",
		"mutatingadmissionpolicies", "mutatingadmissionpolicybindings", "validatingadmissionpolicies", "validatingadmissionpolicybindings",
	} {
		for _, v := range []string{"create", "update", "patch", "delete"} {
			out = append(out, Request{Verb: v, Group: "admissionregistration.k8s.io", Resource: r})
		}
	}
	return out
}

// bindingOf returns the binding that is judged.
func (p *Pass) bindingOf() (b Binding, labels map[string]string, ok bool) {
	switch o := p.Object.(type) {
	case *rbacv1.RoleBinding:
		return Binding{Namespace: o.Namespace, Name: o.Name, RoleRef: o.RoleRef, Subjects: o.Subjects}, o.Labels, true
	case *rbacv1.ClusterRoleBinding:
		return Binding{Name: o.Name, RoleRef: o.RoleRef, Subjects: o.Subjects}, o.Labels, true
	}
	return Binding{}, nil, false
}

// ownBinding returns the binding that is judged. ok is false, and the verdict
// set, for one that Kubernetes itself made.
func (p *Pass) ownBinding() (b Binding, ok bool) {
	b, labels, ok := p.bindingOf()
	return b, ok && !p.builtIn(labels)
}

// builtIn reports whether an object was made by Kubernetes itself, and sets the
// verdict if so.
func (p *Pass) builtIn(labels map[string]string) bool {
	if labels[bootstrapLabel] != "rbac-defaults" {
		return false
	}
	p.NotApplicable("made by Kubernetes itself")
	return true
}

// given returns the binding that is judged with its role. ok is false, and the
// verdict set, for a binding that Kubernetes itself made, one without subjects,
// and one whose role was not seen.
func (p *Pass) given() (b Binding, ok bool) {
	b, ok = p.ownBinding()
	switch {
	case !ok:
		return b, false
	case len(b.Subjects) == 0:
		p.NotApplicable("names no subject")
		return b, false
	}
	namespace := ""
	if b.RoleRef.Kind == "Role" {
		namespace = b.Namespace
	}
	b.Role = p.run.access().Role(namespace, b.RoleRef.Name)
	if b.Role == nil {
		if !p.missingIn(namespace, resources(rbacGroup, roleResourceName(b.RoleRef.Kind))...) {
			p.NotApplicable("the role does not exist")
		}
		return b, false
	}
	return b, true
}

func roleResourceName(kind string) string {
	if kind == "Role" {
		return "roles"
	}
	return "clusterroles"
}

// judgeGiven fails where a rule of the role allows one of the requests. For
// requests that carry a name, one that the rule lists is as good as any.
func judgeGiven(p *Pass, requests []Request) {
	b, ok := p.given()
	if !ok {
		return
	}
	for i := range b.Role.Rules {
		rule := &b.Role.Rules[i]
		for _, q := range requests {
			if b.Namespace != "" && clusterResource(q) {
				continue // a RoleBinding gives nothing outside its namespace
			}
			if len(rule.ResourceNames) > 0 {
				q.Name = rule.ResourceNames[0]
			}
			if RuleAllows(rule, q) {
				p.Fail(Evidence{Path: "roleRef", Value: b.Role.String(), Detail: fmt.Sprintf("rule %d: %s; to %s", i, ruleString(rule), subjectNames(b))})
				break
			}
		}
	}
	if b.Role.Incomplete {
		p.Unknown("rules of %s were not all seen", b.Role)
	}
}

// clusterResource reports whether a request is about objects outside every
// namespace. bind on clusterroles is asked in the binding's namespace.
func clusterResource(q Request) bool {
	switch q.Resource {
	case "clusterroles":
		return q.Verb != "bind"
	case "nodes", "persistentvolumes", "users", "groups", "certificatesigningrequests":
		return true
	}
	return q.Group == "admissionregistration.k8s.io"
}

func subjectNames(b Binding) string {
	names := make([]string, 0, len(b.Subjects))
	for _, s := range b.Subjects {
		if subject, ok := BoundSubject(s, b.Namespace); ok {
			names = append(names, subject.String())
		}
	}
	if len(names) > 5 {
		names = append(names[:5], fmt.Sprintf("and %d more", len(names)-5))
	}
	return strings.Join(names, ", ")
}

func judgeClusterAdmin(p *Pass) {
	b, ok := p.given()
	if !ok {
		return
	}
	if len(b.Subjects) == 1 && b.Subjects[0].Kind == rbacv1.GroupKind && b.Subjects[0].Name == GroupMasters {
		p.NotApplicable("system:masters may do everything without it")
		return
	}
	where := "in the whole cluster"
	if b.Namespace != "" {
		where = "in namespace " + b.Namespace
	}
	if b.RoleRef.Name == "cluster-admin" && b.RoleRef.Kind == "ClusterRole" {
		p.Fail(Evidence{Path: "roleRef.name", Value: b.RoleRef.Name, Detail: where + ", to " + subjectNames(b)})
		return
	}
	for i := range b.Role.Rules {
		r := &b.Role.Rules[i]
		if slices.Contains(r.Verbs, "*") && slices.Contains(r.APIGroups, "*") && slices.Contains(r.Resources, "*") && len(r.ResourceNames) == 0 {
			p.Fail(Evidence{Path: "roleRef.name", Value: b.RoleRef.Name, Detail: fmt.Sprintf("rule %d is as good as cluster-admin %s, to %s", i, where, subjectNames(b))})
			return
		}
	}
}

func judgeWildcard(p *Pass) {
	b, ok := p.given()
	if !ok {
		return
	}
	if b.RoleRef.Name == "cluster-admin" {
		p.NotApplicable("R01 speaks of cluster-admin")
		return
	}
	for i := range b.Role.Rules {
		r := &b.Role.Rules[i]
		var where []string
		if slices.Contains(r.Verbs, "*") {
			where = append(where, "verbs")
		}
		if slices.Contains(r.APIGroups, "*") {
			where = append(where, "groups")
		}
		if slices.ContainsFunc(r.Resources, func(s string) bool { return s == "*" || strings.HasPrefix(s, "*/") }) {
			where = append(where, "resources")
		}
		if b.Namespace == "" && slices.Contains(r.NonResourceURLs, "*") {
			where = append(where, "URLs")
		}
		if len(where) > 0 {
			p.Fail(Evidence{Path: "roleRef", Value: b.Role.String(), Detail: fmt.Sprintf("rule %d: any %s; to %s", i, strings.Join(where, ", "), subjectNames(b))})
		}
	}
}

func judgeMasters(p *Pass) {
	b, ok := p.ownBinding()
	if !ok {
		return
	}
	for i, s := range b.Subjects {
		if s.Kind == rbacv1.GroupKind && s.Name == GroupMasters {
			p.Fail(Evidence{Path: element("subjects", i, "name"), Value: s.Name})
		}
	}
}

// judgeEverybody knows the roles that are public by default: they tell the
// version and the list of APIs.
func judgeEverybody(p *Pass) {
	b, ok := p.given()
	if !ok {
		return
	}
	if b.RoleRef.Kind == "ClusterRole" && slices.Contains([]string{"system:discovery", "system:basic-user", "system:public-info-viewer", "system:service-account-issuer-discovery"}, b.RoleRef.Name) {
		p.NotApplicable("public by default")
		return
	}
	for i, s := range b.Subjects {
		subject, ok := BoundSubject(s, b.Namespace)
		if !ok {
			continue
		}
		switch subject {
		case Anonymous(), Group(GroupUnauthenticated), Group(GroupAuthenticated), Group(GroupServiceAccounts):
			p.Fail(Evidence{Path: element("subjects", i, "name"), Value: s.Name, Detail: b.Role.String() + ": " + rulesBrief(b.Role)})
		}
	}
}

// rulesBrief writes the first rules of a role.
func rulesBrief(r *Role) string {
	if len(r.Rules) == 0 {
		return "no rules"
	}
	s := ruleString(&r.Rules[0])
	if n := len(r.Rules) - 1; n > 0 {
		s += fmt.Sprintf(" and %d more rules", n)
	}
	return s
}

// labelWriters yields those whom a binding lets write namespaces, Kubernetes'
// own parts and holders of everything left out.
func labelWriters(a *Access) iter.Seq[Grant] {
	return func(yield func(Grant) bool) {
		for _, verb := range []string{"update", "patch"} {
			for g := range a.WhoCan(Request{Verb: verb, Resource: "namespaces"}) {
				if g.Subject.System() || g.Role.Name == "cluster-admin" || g.Binding.Assumed {
					continue
				}
				if !yield(g) {
					return
				}
			}
		}
	}
}

// writesNamespaces names somebody who may label namespaces. With no name, known
// says whether there is really nobody.
func (r *postureRun) writesNamespaces() (who string, known bool) {
	for g := range labelWriters(r.access()) {
		return g.Subject.String() + " (" + g.Binding.String() + ")", true
	}
	return "", r.snap.Missing("", rbacResources()...) == ""
}
