package orchestrator

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
)

// TestUpstreamFacts holds the decisions that the tests of the RBAC authorizer
// itself (k8s.io/kubernetes plugin/pkg/auth/authorizer/rbac, TestRuleMatches
// and TestAuthorizer) expect, case by case.
//
// A rule is "verbs groups resources" or "verbs /paths"; requests are "verb
// group resource" or "verb /path", where - is the core group.
func TestUpstreamFacts(t *testing.T) {
	for _, test := range []struct{ rule, allowed, refused string }{
		{"* group1 resource1", "verb1 group1 resource1; verb2 group1 resource1",
			"verb1 group2 resource1; verb1 group1 resource2; verb1 group2 resource2; verb2 group2 resource1; verb2 group1 resource2; verb2 group2 resource2"},
		{"verb1 * resource1", "verb1 group1 resource1; verb1 group2 resource1",
			"verb1 group1 resource2; verb1 group2 resource2; verb2 group1 resource1; verb2 group2 resource1; verb2 group1 resource2; verb2 group2 resource2"},
		{"verb1 group1 *", "verb1 group1 resource1; verb1 group1 resource2",
			"verb1 group2 resource1; verb1 group2 resource2; verb2 group1 resource1; verb2 group2 resource1; verb2 group1 resource2; verb2 group2 resource2"},
		{"verb1,verb2 group1,group2 resource1,resource2",
			"verb1 group1 resource1; verb1 group2 resource1; verb1 group1 resource2; verb1 group2 resource2; verb2 group1 resource1; verb2 group2 resource1; verb2 group1 resource2; verb2 group2 resource2", ""},
		{"* * resource1/subresource1", "verb1 group1 resource1/subresource1; verb2 group1 resource1/subresource1",
			"verb1 group2 resource1/subresource2; verb1 group1 resource2/subresource1; verb1 group2 resource2/subresource1; verb2 group2 resource1/subresource2; verb2 group1 resource2/subresource1; verb2 group2 resource2/subresource1"},
		{"verb1 *URL*", "verb1 /foo; verb1 /foo/bar; verb1 /foo/baz; verb1 /foo/bar/one; verb1 /foo/baz/one", "verb2 /foo; verb2 /foo/bar; verb2 /foo/baz; verb2 /foo/bar/one; verb2 /foo/baz/one"},
		{"verb1 /foo/*", "verb1 /foo/bar; verb1 /foo/baz; verb1 /foo/bar/one; verb1 /foo/baz/one", "verb1 /foo; verb1 /notfoo; verb1 /notfoo/bar; verb1 /notfoo/baz; verb1 /notfoo/bar/one; verb1 /notfoo/baz/one"},
		{"* /foo,/foo/bar/one", "verb1 /foo; verb1 /foo/bar/one; verb2 /foo; verb2 /foo/bar/one",
			"verb1 /foo/bar; verb1 /foo/baz; verb1 /foo/baz/one; verb2 /foo/bar; verb2 /foo/baz; verb2 /foo/baz/one"},
		{"get /apis", "get /apis", "watch /apis; get /api/v1"},
		{"* /apis", "get /apis; watch /apis", "get /api/v1"},
		{"get /apis/*", "get /apis/v1; get /apis/v1/foobar", "get /api/v1"},
		{"* * pods", "get - pods", "get - pods/status"},
		{"* * pods/status", "get - pods/status", "get - pods"},
		{"* * */scale", "get - pods/scale; get - deployments/scale; get - anything/scale", "get - pods"},
		{"* * *", "get - Pods; watch - Pods; watch group1 Foobar", ""},
	} {
		rule := upstreamRule(test.rule)
		for list, want := range map[string]bool{test.allowed: true, test.refused: false} {
			for text := range strings.SplitSeq(list, "; ") {
				if text != "" {
					require.Equal(t, want, RuleAllows(&rule, upstreamRequest(text)), "%s for %s", test.rule, text)
				}
			}
		}
	}

	// The same role in a namespace, for a user and for a group.
	s := shortWorld(t, "role admin: * *.*\nbind ns1/b admin user=admin group=admins", &LoadOptions{Complete: true})
	a := NewAccess(s)
	in := func(ns, verb, resource string) Request { return Request{Verb: verb, Resource: resource, Namespace: ns} }
	for _, q := range []Request{in("ns1", "get", "Pods"), in("ns1", "watch", "Pods"), {Verb: "watch", Group: "group1", Resource: "Foobar", Namespace: "ns1"}} {
		require.Equal(t, Granted, a.Can(User("admin"), q).Answer)
		require.Equal(t, Granted, a.Can(User("joe"), q, "admins").Answer)
		require.Equal(t, Granted, a.Can(User("joe"), q, "group1", "admins").Answer)
	}
	for _, q := range []Request{in("ns2", "GET", "Pods"), in("", "GET", "Nodes")} {
		require.Equal(t, NotGranted, a.Can(User("admin"), q).Answer)
		require.Equal(t, NotGranted, a.Can(User("admin"), q, "admins").Answer)
	}
}

func upstreamRule(text string) rbacv1.PolicyRule {
	f := strings.Fields(strings.ReplaceAll(text, "*URL*", "/URL*"))
	rule := rbacv1.PolicyRule{Verbs: strings.Split(f[0], ",")}
	if len(f) == 2 {
		rule.NonResourceURLs = strings.Split(strings.ReplaceAll(f[1], "/URL*", "*"), ",")
	} else {
		rule.APIGroups, rule.Resources = strings.Split(f[1], ","), strings.Split(f[2], ",")
	}
	return rule
}

func upstreamRequest(text string) Request {
	f := strings.Fields(text)
	if len(f) == 2 {
		return Request{Verb: f[0], Path: f[1]}
	}
	q := Request{Verb: f[0], Group: strings.Trim(f[1], "-")}
	q.Resource, q.Subresource, _ = strings.Cut(f[2], "/")
	return q
}
