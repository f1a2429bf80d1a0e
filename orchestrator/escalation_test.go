package orchestrator

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPrimitives checks the table as a table.
func TestPrimitives(t *testing.T) {
	rows := Primitives()
	require.Len(t, rows, 73)
	for i, p := range rows {
		require.Regexp(t, `^E\d\d$`, p.ID)
		if i > 0 {
			require.Less(t, rows[i-1].ID, p.ID)
		}
		require.NotEmpty(t, p.Title, p.ID)
		require.NotEmpty(t, p.Gain, p.ID)
		require.NotEmpty(t, p.Fix, p.ID)
		require.NotEmpty(t, p.Source, p.ID)
		for _, w := range p.Ways {
			require.NotEmpty(t, w, p.ID)
			for _, n := range w {
				for _, r := range n.Rights {
					require.NotEmpty(t, r.Verbs, p.ID)
					require.NotEmpty(t, r.Resource, p.ID)
				}
			}
		}
	}
	require.LessOrEqual(t, len(newRightsTable().rights), len(rightSet{})*64)
}

// TestRuleGives holds what of RBAC's matching the table depends on.
func TestRuleGives(t *testing.T) {
	secrets, token, bindings := right(readVerbs, "", "secrets"), right("create", "", "serviceaccounts/token"), right("create", rbacGroup, "rolebindings")
	for _, test := range []struct {
		rule    Right
		names   []string
		right   Right
		ok, all bool
	}{
		{right("list", "", "secrets"), nil, secrets, true, true},
		{right("get", "", "secrets"), []string{"a"}, secrets, true, false},
		{right("list", "", "secrets"), []string{"a", ""}, secrets, true, true},
		{right("get", "", "secrets"), []string{""}, secrets, true, false},
		{right("delete", "", "secrets"), nil, secrets, false, false},
		{right("*", "*", "*"), nil, secrets, true, true},
		{right("get", "apps", "secrets"), nil, secrets, false, false},
		{right("create", "", "*/token"), nil, token, true, true},
		{right("create", "", "serviceaccounts"), nil, token, false, false},
		{right("create", "", "serviceaccounts/*"), nil, token, false, false},
		{right("create", "", "serviceaccounts/token"), []string{""}, token, true, false},
		{right("create", rbacGroup, "rolebindings"), []string{""}, bindings, true, true},
		{right("create", rbacGroup, "rolebindings"), []string{"x"}, bindings, true, false},
		{right("get", "", "secrets"), nil, needAll.Rights[0], false, false},
		{right("*", "*", "*"), nil, needAll.Rights[0], true, true},
	} {
		rule := test.rule.rule(test.names...)
		ok, all := ruleGives(&rule, &test.right)
		require.Equal(t, []bool{test.ok, test.all}, []bool{ok, all}, "%s %q for %s", test.rule, test.names, test.right)
	}
}

func TestPositions(t *testing.T) {
	for in, want := range map[string]Position{
		"shop/web": "ServiceAccount:shop/web", "anonymous": "User:system:anonymous", "cluster-admin": ClusterAdmin, "node": AnyNode,
		"workload:shop/Deployment/web": "workload:shop/Deployment/web", "secrets:shop": SecretsOf("shop"), "node:n1": NodeRoot("n1"),
		"User:system:node:n": Node("n").Position(), "cloud:arn:aws:iam::1:role/r": CloudRole("arn:aws:iam::1:role/r"),
	} {
		got, err := ParsePosition(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got)
	}
	for _, in := range []string{"", "shop", "/web", "shop/", "a/b/c", "ServiceAccount:web", "workload:web", "secret:x", "nothing:x", "User:"} {
		_, err := ParsePosition(in)
		require.Error(t, err, in)
	}
}
