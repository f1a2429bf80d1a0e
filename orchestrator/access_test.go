package orchestrator

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const rbacWorld = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: logs}
rules:
- {apiGroups: [""], resources: ["*/log"], verbs: [get]}
- {nonResourceURLs: ["/debug/*", /metrics], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: names}
rules:
- {apiGroups: [""], resources: [secrets], resourceNames: [db], verbs: [get, list]}
- {apiGroups: [""], resources: [configmaps], resourceNames: [""], verbs: [list]}
- {apiGroups: [""], resources: ["pods/*"], verbs: [get]}
- {apiGroups: [""], resources: [pods], verbs: [get]}
- {apiGroups: [apps], resources: ["*"], verbs: ["*"]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: logs}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: logs}
subjects: [{kind: Group, name: "system:serviceaccounts:shop", apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: names, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: names}
subjects:
- {kind: ServiceAccount, name: web}
- {kind: User, name: "system:serviceaccount:other:web", apiGroup: rbac.authorization.k8s.io}
- {kind: User, name: ann, apiGroup: rbac.authorization.k8s.io}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: gone, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: gone}
subjects: [{kind: User, name: bob, apiGroup: rbac.authorization.k8s.io}]
`

func world(t *testing.T, text string, opt *LoadOptions) *Access {
	t.Helper()
	s, err := read(t, text, opt)
	require.NoError(t, err)
	return NewAccess(s)
}

func TestCan(t *testing.T) {
	a := world(t, rbacWorld, &LoadOptions{Complete: true})
	web := ServiceAccount("shop", "web")
	for _, c := range []struct {
		who  Subject
		q    Request
		want Answer
		rule string // binding and rule of the grant
	}{
		{web, Request{Verb: "get", Resource: "pods", Subresource: "log", Namespace: "shop"}, Granted, "logs 0"},
		{web, Request{Verb: "get", Resource: "nodes", Subresource: "log", Name: "n"}, Granted, "logs 0"},
		{web, Request{Verb: "get", Resource: "pods", Namespace: "shop"}, Granted, "names 3"},
		{web, Request{Verb: "get", Resource: "pods", Subresource: "exec", Namespace: "shop"}, NotGranted, ""},
		{web, Request{Verb: "get", Resource: "pods", Namespace: "other"}, NotGranted, ""},
		{web, Request{Verb: "Get", Resource: "pods", Namespace: "shop"}, NotGranted, ""},
		{web, Request{Verb: "get", Path: "/debug/pprof"}, Granted, "logs 1"},
		{web, Request{Verb: "get", Path: "/debug"}, NotGranted, ""},
		{web, Request{Verb: "get", Path: "/metrics"}, Granted, "logs 1"},
		{web, Request{Verb: "get", Path: "/metrics/x"}, NotGranted, ""},
		{web, Request{Verb: "get", Resource: "secrets", Namespace: "shop", Name: "db"}, Granted, "names 0"},
		{web, Request{Verb: "list", Resource: "secrets", Namespace: "shop", Name: "db"}, Granted, "names 0"},
		{web, Request{Verb: "list", Resource: "secrets", Namespace: "shop"}, NotGranted, ""},
		{web, Request{Verb: "list", Resource: "configmaps", Namespace: "shop"}, Granted, "names 1"},
		{web, Request{Verb: "list", Resource: "configmaps", Namespace: "shop", Name: "x"}, NotGranted, ""},
		{web, Request{Verb: "update", Group: "apps", Resource: "deployments", Subresource: "scale", Namespace: "shop"}, Granted, "names 4"},
		{ServiceAccount("other", "web"), Request{Verb: "get", Resource: "pods", Namespace: "shop"}, Granted, "names 3"},
		{ServiceAccount("other", "web"), Request{Verb: "get", Path: "/metrics"}, NotGranted, ""},
		{User("system:serviceaccount:shop:web"), Request{Verb: "get", Resource: "pods", Namespace: "shop"}, Granted, "names 3"},
		{User("ann"), Request{Verb: "get", Resource: "pods", Namespace: "shop"}, Granted, "names 3"},
		{Group("ann"), Request{Verb: "get", Resource: "pods", Namespace: "shop"}, NotGranted, ""},
		{User("bob"), Request{Verb: "get", Resource: "pods", Namespace: "shop"}, NotGranted, ""},
		{Group("system:serviceaccounts:shop"), Request{Verb: "get", Path: "/metrics"}, Granted, "logs 1"},
		{Node("n"), Request{Verb: "get", Resource: "pods", Namespace: "shop"}, Unknown, ""},
	} {
		d := a.Can(c.who, c.q)
		require.Equal(t, c.want, d.Answer, "%s: %s: %s", c.who, c.q, d.Reason)
		got := ""
		if len(d.Grants) > 0 {
			got = fmt.Sprint(d.Grants[0].Binding.Name, " ", d.Grants[0].RuleIndex)
		}
		require.Equal(t, c.rule, got, "%s: %s", c.who, c.q)
	}
	require.Equal(t, Granted, a.Can(User("root"), Request{Verb: "x"}, GroupMasters).Answer)
	require.Equal(t, Granted, a.Can(User("ann"), Request{Verb: "get", Path: "/metrics"}, "system:serviceaccounts:shop").Answer)
	require.Equal(t, "RoleBinding shop/names gives User:ann ClusterRole names, rule 3: get pods of \"\"",
		a.Can(User("ann"), Request{Verb: "get", Resource: "pods", Namespace: "shop"}).Grants[0].String())
}

// What was not seen is unknown, and what was seen is granted all the same.
func TestCanUnknown(t *testing.T) {
	get := Request{Verb: "get", Resource: "pods", Namespace: "shop"}
	a := world(t, rbacWorld, nil)
	require.Equal(t, Granted, a.Can(User("ann"), get).Answer)
	d := a.Can(User("bob"), Request{Verb: "list", Resource: "nodes"})
	require.Equal(t, Unknown, d.Answer)
	require.Contains(t, d.Reason, "LoadOptions.Complete")

	live := func(state CoverageState, resource, ns string) *Access {
		s, err := read(t, rbacWorld, nil)
		require.NoError(t, err)
		s.live = true
		for _, r := range []string{"roles", "clusterroles", "rolebindings", "clusterrolebindings"} {
			s.coverage[coverageKey{Resource(rbacGroup, r), ""}] = Coverage{State: Listed}
		}
		s.coverage[coverageKey{Resource(rbacGroup, resource), ns}] = Coverage{State: state}
		return NewAccess(s)
	}
	require.Equal(t, NotGranted, live(Listed, "roles", "").Can(User("bob"), get).Answer)
	require.Equal(t, Unknown, live(Forbidden, "roles", "").Can(User("bob"), get).Answer, "the role that bob is bound to was not seen")
	require.Equal(t, NotGranted, live(Forbidden, "roles", "").Can(User("eve"), get).Answer, "nothing is bound to eve")
	require.Equal(t, Unknown, live(Forbidden, "rolebindings", "").Can(User("eve"), get).Answer)
	require.Equal(t, NotGranted, live(Forbidden, "rolebindings", "").Can(User("eve"), Request{Verb: "list", Resource: "nodes"}).Answer, "needs no RoleBinding")
	require.Equal(t, Unknown, live(Truncated, "clusterrolebindings", "").Can(User("eve"), get).Answer)
	require.Equal(t, NotGranted, live(Forbidden, "clusterroles", "").Can(User("eve"), get).Answer)
}

func TestWhoAndWhatCan(t *testing.T) {
	a := world(t, rbacWorld, &LoadOptions{Complete: true})
	var who []string
	for g := range a.WhoCan(Request{Verb: "get", Resource: "pods", Namespace: "shop"}) {
		if !g.Binding.Assumed {
			who = append(who, g.Subject.String())
		}
	}
	require.Equal(t, []string{"ServiceAccount:shop/web", "ServiceAccount:other/web", "User:ann"}, who)
	var what []string
	for g := range a.WhatCan(ServiceAccount("shop", "web")) {
		if !g.Binding.Assumed {
			what = append(what, fmt.Sprintf("%s %s %d", g.Namespace(), g.Role.Name, g.RuleIndex))
		}
	}
	require.Equal(t, []string{" logs 0", " logs 1", "shop names 0", "shop names 1", "shop names 2", "shop names 3", "shop names 4"}, what)
}

// A long role is looked up by index and answers as a scan does.
func TestIndexIsScan(t *testing.T) {
	resources := []string{"pods", "pods/log", "*/log", "*", "nodes/log", "pods/*", ""}
	var rules []rbacv1.PolicyRule
	for i := range 300 {
		r := rbacv1.PolicyRule{Verbs: []string{[]string{"get", "*", "list"}[i%3]}, APIGroups: []string{[]string{"", "apps", "*"}[i%4%3]}}
		for j := range 1 + i%3 {
			r.Resources = append(r.Resources, resources[(i*5+j)%len(resources)])
		}
		if i%5 == 0 {
			r.NonResourceURLs = []string{"/a*", "/b"}
		}
		rules = append(rules, r)
	}
	role := &Role{Rules: rules}
	a := &Access{indexes: map[*Role]roleIndex{role: indexRules(rules)}}
	for _, res := range []string{"pods", "nodes", "x", ""} {
		for _, sub := range []string{"", "log", "exec"} {
			for _, q := range []Request{{Verb: "get", Resource: res, Subresource: sub}, {Verb: "list", Group: "apps", Resource: res, Subresource: sub}, {Verb: "get", Path: "/ab"}} {
				var want, got []int
				for i := range rules {
					if RuleAllows(&rules[i], q) {
						want = append(want, i)
					}
				}
				a.matching(role, &q, func(i int) bool { got = append(got, i); return true })
				slices.Sort(got)
				require.Equal(t, want, got, "%+v", q)
			}
		}
	}
}

const aggregated = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: top, labels: {to: base}}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {to: top}}, {matchExpressions: [{key: more, operator: Exists}]}]}
rules: [{verbs: [overwritten]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: base, labels: {to: top}}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {to: base}}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: leaf, labels: {to: base}}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: leaf2, labels: {more: ""}}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}, {apiGroups: [""], resources: [nodes], verbs: [get]}]
`

func TestAggregation(t *testing.T) {
	a := world(t, aggregated, nil)
	for _, name := range []string{"top", "base"} { // they select each other
		r := a.Role("", name)
		require.Len(t, r.Rules, 2, name)
		require.False(t, r.Incomplete)
		from := map[string]bool{}
		for i := range r.Rules {
			from[r.Rules[i].Resources[0]+" "+r.From[i].Name] = true
		}
		require.True(t, from["nodes leaf2"], "%v", from)
	}
}

// Roles that select each other in crowds cost bounded work, and say so.
func TestAggregationIsBounded(t *testing.T) {
	var roles []*Role
	for i := range 5000 {
		r := &Role{Name: fmt.Sprint(i), Labels: map[string]string{"a": "b"}, Rules: []rbacv1.PolicyRule{{Verbs: []string{fmt.Sprint(i)}}}}
		if i%2 == 0 {
			r.Aggregation = &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{{MatchLabels: map[string]string{"a": "b"}}}}
		}
		roles = append(roles, r)
	}
	aggregate(roles)
	require.True(t, roles[0].Incomplete)
	require.False(t, roles[1].Incomplete)
}

func TestCanBindAndWriteRole(t *testing.T) {
	a := world(t, rbacWorld+`---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: binder}
rules:
- {apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], resourceNames: [names, absent], verbs: [bind]}
- {apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], resourceNames: [names], verbs: [escalate]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: binder, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: binder}
subjects: [{kind: User, name: eve, apiGroup: rbac.authorization.k8s.io}]
`, &LoadOptions{Complete: true})
	ref := func(name string) rbacv1.RoleRef {
		return rbacv1.RoleRef{APIGroup: rbacGroup, Kind: "ClusterRole", Name: name}
	}
	eve, ann := User("eve"), User("ann")
	require.Equal(t, Granted, a.CanBind(eve, "shop", ref("names")).Answer)
	require.Equal(t, NotGranted, a.CanBind(eve, "", ref("names")).Answer, "bind holds in shop alone")
	require.Equal(t, NotGranted, a.CanBind(eve, "shop", ref("logs")).Answer)
	require.Equal(t, Granted, a.CanBind(eve, "shop", ref("absent")).Answer, "with bind the role need not exist")
	require.Equal(t, NotGranted, a.CanBind(ann, "shop", ref("absent")).Answer)
	require.Equal(t, Granted, a.CanBind(ann, "shop", ref("names")).Answer, "holds all of it already")
	require.Equal(t, NotGranted, a.CanBind(ann, "other", ref("names")).Answer)
	d := a.CanBind(ann, "shop", ref("logs"))
	require.Equal(t, `3 rights of the role are not held, the first: get */log of ""`, d.Reason)

	role := &Role{Name: "names", Rules: []rbacv1.PolicyRule{{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}}}}
	require.Equal(t, NotGranted, a.CanWriteRole(eve, role, false).Answer, "a ClusterRole is written cluster-wide")
	require.Equal(t, NotGranted, a.CanWriteRole(ann, role, false).Answer)
}

func TestCanImpersonate(t *testing.T) {
	a := world(t, `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: old}
rules:
- {apiGroups: [""], resources: [users, groups], resourceNames: [ann, devs], verbs: [impersonate]}
- {apiGroups: [""], resources: [serviceaccounts], resourceNames: [web], verbs: [impersonate]}
- {apiGroups: [authentication.k8s.io], resources: [userextras/scopes], resourceNames: [view], verbs: [impersonate]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: new}
rules:
- {apiGroups: [authentication.k8s.io], resources: [users, nodes], verbs: ["impersonate:user-info", "impersonate:associated-node"]}
- {apiGroups: [""], resources: [pods], verbs: ["impersonate-on:user-info:list", "impersonate-on:associated-node:list"]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: old}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: old}
subjects: [{kind: User, name: old, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: new}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: new}
subjects: [{kind: User, name: new, apiGroup: rbac.authorization.k8s.io}]
`, &LoadOptions{Complete: true})
	list, get := Request{Verb: "list", Resource: "pods"}, Request{Verb: "get", Resource: "pods"}
	for _, c := range []struct {
		who  string
		as   Impersonation
		q    Request
		want Answer
	}{
		{"old", Impersonation{User: "ann"}, get, Granted},
		{"old", Impersonation{User: "bob"}, get, NotGranted},
		{"old", Impersonation{User: "ann", Groups: []string{"devs"}}, get, Granted},
		{"old", Impersonation{User: "ann", Groups: []string{"devs", "system:masters"}}, get, NotGranted},
		{"old", Impersonation{User: "system:serviceaccount:shop:web"}, get, Granted},
		{"old", Impersonation{User: "ann", Extra: map[string][]string{"scopes": {"view"}}}, get, Granted},
		{"old", Impersonation{User: "ann", Extra: map[string][]string{"scopes": {"edit"}}}, get, NotGranted},
		{"old", Impersonation{User: "ann", UID: "1"}, get, NotGranted},
		{"new", Impersonation{User: "ann"}, list, Granted},
		{"new", Impersonation{User: "ann"}, get, NotGranted},
		{"new", Impersonation{User: "system:serviceaccount:shop:web"}, list, NotGranted},
		{"new", Impersonation{User: "system:node:n"}, list, Unknown},
		{"new", Impersonation{User: "system:node:n"}, get, NotGranted},
	} {
		d := a.CanImpersonate(User(c.who), c.as, c.q)
		require.Equal(t, c.want, d.Answer, "%s as %+v: %s", c.who, c.as, d.Reason)
	}
}
