package orchestrator

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

func podYAML(kind, ns, name, account, image, more string) string {
	return fmt.Sprintf(`---
apiVersion: apps/v1
kind: %s
metadata: {name: %s, namespace: %s}
spec:
  selector: {matchLabels: {app: %s}}
  template:
    metadata: {labels: {app: %s}}
    spec: {serviceAccountName: %s, containers: [{name: c, image: %q}]%s}
`, kind, name, ns, name, name, account, image, more)
}

func TestAccounts(t *testing.T) {
	s := shortWorld(t, `ns a
ns b
sa a/idle
sa a/none
sa a/shared
sa a/agent
sa a/cross
sa a/default
sa a/quiet
role r: get pods
role full: * *.*
bind a/idle r a/idle
bind a/shared r a/shared
bind b/cross r a/cross
bind a/default r a/default
bind a/gone r a/gone
bind agent full a/agent
bind all r group=system:serviceaccounts:b
`+"\n---\n"+podYAML("Deployment", "a", "none", "none", "x", "")+podYAML("Deployment", "a", "one", "shared", "reg:5000/one:1", "")+podYAML("Deployment", "a", "two", "shared", "reg:5000/two:1", "")+
		podYAML("Deployment", "a", "quiet", "quiet", "x", ", automountServiceAccountToken: false")+
		podYAML("DaemonSet", "a", "agent", "agent", "x", "")+podYAML("Deployment", "a", "d", "default", "x", "")+
		podYAML("Deployment", "a", "cross", "cross", "x", `, volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: t, expirationSeconds: 100000}}]}}]`)+`---
apiVersion: v1
kind: Secret
type: kubernetes.io/service-account-token
metadata: {name: old, namespace: a, annotations: {kubernetes.io/service-account.name: idle}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: cloud, namespace: b, annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::1:role/r"}}
`, &LoadOptions{Complete: true})
	var got []string
	for _, r := range NewGraph(NewAccess(s), nil).Accounts(t.Context()) {
		require.Equal(t, boltseal.VerdictFail, r.Verdict, r.String())
		got = append(got, r.Rule.ID+" "+strings.TrimPrefix(r.Account.String(), "ServiceAccount:"))
		require.NotEmpty(t, r.Detail)
	}
	require.ElementsMatch(t, []string{
		"S12 Group:system:serviceaccounts:b", "S11 a/agent", "S04 a/cross", "S08 a/cross", "S08 a/cross", "S02 a/default", "S03 a/default",
		"S06 a/gone", "S05 a/idle", "S07 a/idle", "S01 a/none", "S10 a/shared", "S09 b/cloud",
	}, got)
}

func TestAllowListBothWays(t *testing.T) {
	s := shortWorld(t, "ns a\nsa a/x\nsa a/z\nrole r: get,list pods,secrets\nbind a/b r a/x\nbind a/c r a/z", &LoadOptions{Complete: true})
	a := NewAccess(s)
	l, err := Generate(t.Context(), a, nil)
	require.NoError(t, err)
	day := time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
	check := func(l *AllowList) (out []string) {
		list, err := l.Check(t.Context(), a, &AllowOptions{Now: day})
		require.NoError(t, err)
		for _, v := range list {
			out = append(out, v.String())
		}
		return out
	}
	require.Empty(t, check(l), "what is generated is what is granted")

	var text strings.Builder
	require.NoError(t, l.Write(&text))
	again, err := ReadAllowList(strings.NewReader(text.String()))
	require.NoError(t, err)
	require.Equal(t, l, again)

	l.Allow = []AllowEntry{
		{Subject: "ServiceAccount:a/*", Namespaces: []string{"a"}, Verbs: []string{"get"}, Groups: []string{""}, Resources: []string{"pods", "secrets"}},
		{Subject: "ServiceAccount:a/x", Namespaces: []string{"a"}, Verbs: []string{"*"}, Groups: []string{""}, Resources: []string{"pods"}, Expires: "2026-12-31"},
		{Subject: "ServiceAccount:a/x", Verbs: []string{"list"}, Groups: []string{""}, Resources: []string{"pods"}},
	}
	l.Waive = []AllowEntry{
		{Subject: "ServiceAccount:a/z", Verbs: []string{"list"}, Groups: []string{""}, Resources: []string{"secrets"}, Why: "soon", Expires: "2027-01-01"},
	}
	require.Equal(t, []string{
		`expired on 2026-12-31: ServiceAccount:a/x: * pods of "" in a`,
		`granted, not listed: ServiceAccount:a/x: list secrets of "" in a`,
		`granted, not listed: ServiceAccount:a/z: list pods of "" in a`,
		`granted, not listed: ServiceAccount:a/z: list secrets of "" in a (waived until 2027-01-01: soon)`,
		`listed, not granted: ServiceAccount:a/x: list pods of ""`,
	}, check(l))
}

// TestAllowListIsQuietAfterGenerate checks a list against what it was made of,
// paths and built-in grants included, and then against additions to them.
func TestAllowListIsQuietAfterGenerate(t *testing.T) {
	const world = "ns shop\nns kube-system\nsa shop/web\nsa shop/op\nsa kube-system/cni\nrole r: create serviceaccounts/token\nrole full: * *.*\nbind shop/b r shop/web\nbind o full shop/op\nbind c r kube-system/cni"
	day := time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
	access := func(more string) *Access { return NewAccess(shortWorld(t, world+more, &LoadOptions{Complete: true})) }
	a := access("")
	l, err := Generate(t.Context(), a, &GenerateOptions{Graph: NewGraph(a, nil), Now: day})
	require.NoError(t, err)
	var lines []string
	for i := range l.Allow {
		lines = append(lines, l.Allow[i].String())
	}
	require.Equal(t, []string{
		`ServiceAccount:kube-system/cni: create serviceaccounts/token of ""`, // not what the API server made
		`ServiceAccount:shop/op: * * of *`, `ServiceAccount:shop/web: create serviceaccounts/token of "" in shop`,
	}, lines)
	require.Equal(t, "reached by a path: E15, E01", l.Waive[1].Why)
	require.Equal(t, "2027-04-01", l.Waive[1].Expires)

	check := func(a *Access, now time.Time) (open []string) {
		found, err := l.Check(t.Context(), a, &AllowOptions{Now: now, Graph: NewGraph(a, nil)})
		require.NoError(t, err)
		for i := range found {
			if found[i].Waiver == nil {
				open = append(open, found[i].String())
			}
		}
		return open
	}
	require.Empty(t, check(a, day))
	require.Contains(t, check(a, day.AddDate(0, 4, 0)), `reached by a path, not listed: ServiceAccount:shop/web: * * of *`, "the waiver has expired")
	const extra = "system:basic-user"
	require.Equal(t, []string{
		`granted, not listed: Group:system:serviceaccounts:kube-system: create selfsubjectaccessreviews of authorization.k8s.io`,
	}, check(access("\nrole "+extra+": create selfsubjectaccessreviews.authorization.k8s.io\nbind "+extra+" "+extra+" group=system:serviceaccounts:kube-system"), day),
		"a subject that somebody added to a built-in binding")
	require.Contains(t, check(access("\nrole system:discovery: get secrets\nbind system:discovery system:discovery group=system:authenticated"), day),
		`granted, not listed: Group:system:authenticated: get secrets of ""`, "a rule that somebody added to a built-in role")
	require.Contains(t, check(access("\nsa kube-system/late\nbind late full kube-system/late"), day), `granted, not listed: ServiceAccount:kube-system/late: * * of *`)
}

func TestReadAllowListErrors(t *testing.T) {
	for text, want := range map[string]string{
		"version: 2": "version 2", "version: 1\nallow: [{subject: x, verbs: [get]}]": "subject", "version: 1\nmore: 1": "more",
		"version: 1\nallow: [{subject: 'User:u', groups: [''], resources: [pods]}]":                                      "no verbs",
		"version: 1\nallow: [{subject: 'User:u', verbs: [get]}]":                                                         "no groups",
		"version: 1\nallow: [{subject: 'User:[', verbs: [get], groups: [''], resources: [pods]}]":                        "pattern",
		"version: 1\nwaive: [{subject: 'User:u', verbs: [get], groups: [''], resources: [pods], why: x}]":                "expires",
		"version: 1\nwaive: [{subject: 'User:u', verbs: [get], groups: [''], resources: [pods], expires: '2027-01-01'}]": "reason",
		"{": "malformed",
	} {
		_, err := ReadAllowList(strings.NewReader(text))
		require.ErrorIs(t, err, boltseal.ErrMalformed, text)
		require.ErrorContains(t, err, want, text)
	}
}

func FuzzReadAllowList(f *testing.F) {
	f.Add("version: 1\nallow:\n- {subject: 'ServiceAccount:a/x', namespaces: [a], verbs: [get], groups: [''], resources: [pods]}\n")
	f.Add("version: 1\nwaive: [{subject: 'User:u*', verbs: ['*'], paths: ['/x*'], why: x, expires: '2027-01-01'}]")
	f.Add("{")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ReadAllowList(strings.NewReader(text))
		if err != nil {
			return
		}
		var b strings.Builder
		require.NoError(t, l.Write(&b))
		_, err = ReadAllowList(strings.NewReader(b.String()))
		require.NoError(t, err, b.String())
	})
}
