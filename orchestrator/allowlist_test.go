package orchestrator

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/boltseal/boltseal"
)

// A rule of more rights than are compared one by one hides none behind the
// others: each of these has one that the list does not allow, after 10,000 that
// it does.
func TestRightsBehindOthers(t *testing.T) {
	many := func(prefix string) (list []string) {
		for i := range maxParts {
			list = append(list, prefix+strconv.Itoa(i))
		}
		return list
	}
	list := AllowList{Version: 1, Allow: []AllowEntry{
		{Subject: "User:bob", Verbs: []string{"get"}, Groups: []string{""}, Resources: append(many("r"), "configmaps")},
		{Subject: "User:bob", Verbs: many("v"), Groups: []string{""}, Resources: []string{"configmaps"}},
		{Subject: "User:bob", Verbs: []string{"get"}, Paths: many("/")},
	}}
	for name, c := range map[string]struct {
		rule rbacv1.PolicyRule
		want string
	}{
		"names":     {rbacv1.PolicyRule{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"configmaps", "secrets"}, ResourceNames: many("n")}, `get secrets of ""`},
		"resources": {rbacv1.PolicyRule{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: append(many("r"), "secrets")}, `get * of *`},
		"verbs":     {rbacv1.PolicyRule{Verbs: append(many("v"), "delete"), APIGroups: []string{""}, Resources: []string{"configmaps"}}, `* configmaps of ""`},
		"paths":     {rbacv1.PolicyRule{Verbs: []string{"get"}, NonResourceURLs: append(many("/"), "/metrics")}, `get *`},
	} {
		t.Run(name, func(t *testing.T) {
			b := NewBuilder(nil)
			require.NoError(t, b.Add(&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "r"}, Rules: []rbacv1.PolicyRule{c.rule}}, boltseal.Location{}))
			require.NoError(t, b.Add(&rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "b"},
				RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "r"}, Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: "bob"}}}, boltseal.Location{}))
			found, err := list.Check(t.Context(), NewAccess(b.Snapshot()), nil)
			require.NoError(t, err)
			var granted []string
			for _, v := range found {
				if v.Kind == GrantedNotListed {
					granted = append(granted, ruleString(&v.Right))
				}
			}
			require.Equal(t, []string{c.want}, granted)
		})
	}
}
