package orchestrator_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/boltseal/boltseal/orchestrator"
	"github.com/boltseal/boltseal/orchestrator/orchestratortest"
)

// millionRules is 1,000 ClusterRoles of 1,000 rules, bound to everybody.
func millionRules(t testing.TB) *orchestrator.Snapshot {
	s, err := orchestrator.FromObjects(func(yield func(runtime.Object) bool) {
		for i := range 1000 {
			r := &rbacv1.ClusterRole{}
			r.Name = fmt.Sprintf("role-%d", i)
			for j := range 1000 {
				r.Rules = append(r.Rules, rbacv1.PolicyRule{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{fmt.Sprintf("r%d", j)}})
			}
			b := &rbacv1.ClusterRoleBinding{RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: r.Name}}
			b.Name = r.Name
			b.Subjects = []rbacv1.Subject{{Kind: rbacv1.GroupKind, Name: orchestrator.GroupAuthenticated}}
			if !yield(r) || !yield(b) {
				return
			}
		}
	}, &orchestrator.LoadOptions{Complete: true})
	require.NoError(t, err)
	return s
}

func TestMillionRules(t *testing.T) {
	a := orchestrator.NewAccess(millionRules(t))
	d := a.Can(orchestrator.User("ann"), orchestrator.Request{Verb: "get", Resource: "r7"})
	require.Equal(t, orchestrator.Granted, d.Answer)
	require.Len(t, d.Grants, 1000)
	require.Equal(t, 7, d.Grants[999].RuleIndex)
	_, ok := orchestrator.NewGraph(a, nil).Shortest(orchestrator.Group(orchestrator.GroupAuthenticated).Position(), orchestrator.ClusterAdmin)
	require.False(t, ok)
}

// What is written comes back the same, by YAML and by JSON.
func TestWorldRoundTrip(t *testing.T) {
	w := orchestratortest.New(7, orchestratortest.Objects(300))
	want, err := w.Snapshot()
	require.NoError(t, err)
	for name, write := range map[string]func(*bytes.Buffer) error{
		"yaml": func(b *bytes.Buffer) error { return w.WriteYAML(b) },
		"json": func(b *bytes.Buffer) error { return w.WriteJSON(b) },
	} {
		var b bytes.Buffer
		require.NoError(t, write(&b))
		got, err := orchestrator.Read(context.Background(), &b, name, &orchestrator.LoadOptions{Complete: true})
		require.NoError(t, err)
		require.Empty(t, got.Skipped)
		for i, it := range want.Deployments {
			require.Equal(t, it.Object.Spec, got.Deployments[i].Object.Spec)
		}
		require.Len(t, got.Deployments, len(want.Deployments))
		require.Len(t, got.ClusterRoles, len(want.ClusterRoles))
		a, b2 := orchestrator.NewAccess(want), orchestrator.NewAccess(got)
		for s := range a.Subjects() {
			n, m := 0, 0
			for range a.WhatCan(s) {
				n++
			}
			for range b2.WhatCan(s) {
				m++
			}
			require.Equal(t, n, m, s)
		}
	}
}

// Each planted hop is a right that the account really has; a near miss has not.
func TestWorldTruth(t *testing.T) {
	w := orchestratortest.New(3, orchestratortest.Size{ServiceAccounts: 20, Roles: 20, Bindings: 40})
	s, err := w.Snapshot()
	require.NoError(t, err)
	a := orchestrator.NewAccess(s)
	require.Len(t, w.Chains, 12)
	for _, c := range w.Chains {
		require.Len(t, c.Means, len(c.Steps)+1)
		at := c.Start
		for i, to := range c.Steps {
			q := map[string]orchestrator.Request{
				"create serviceaccounts/token": {Verb: "create", Resource: "serviceaccounts", Subresource: "token", Namespace: to.Namespace, Name: to.Name},
				"impersonate serviceaccounts":  {Verb: "impersonate", Resource: "serviceaccounts", Namespace: to.Namespace, Name: to.Name},
				"create pods":                  {Verb: "create", Resource: "pods", Namespace: to.Namespace},
				"create deployments":           {Verb: "create", Group: "apps", Resource: "deployments", Namespace: to.Namespace},
			}[c.Means[i]]
			require.Equal(t, orchestrator.Granted, a.Can(at, q).Answer, "%s: %s", at, c.Means[i])
			at = to
		}
	}
	for _, m := range w.Misses {
		require.NotEqual(t, orchestrator.Granted, a.Can(m, orchestrator.Request{Verb: "create", Resource: "pods", Namespace: m.Namespace}).Answer)
	}
}
