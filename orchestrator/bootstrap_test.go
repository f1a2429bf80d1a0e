package orchestrator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every table is whole: each line is one of the four kinds, no role is given
// twice, and no binding dangles.
func TestBootstrapTables(t *testing.T) {
	for minor := bootstrapFirst; minor <= bootstrapLast; minor++ {
		data, err := bootstrapFiles.ReadFile(fmt.Sprintf("bootstrap/1.%d.jsonl", minor))
		require.NoError(t, err)
		for line := range bytes.Lines(data) {
			dec := json.NewDecoder(bytes.NewReader(line))
			var o bootstrapObject
			require.NoError(t, dec.Decode(&o), "%s", line)
			require.Contains(t, []string{"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"}, o.Kind)
			require.Equal(t, "rbac-defaults", o.Metadata.Labels[bootstrapLabel])
		}
		roles, bindings := bootstrap(minor)
		require.Equal(t, bytes.Count(data, []byte("\n")), len(roles)+len(bindings))
		a := NewAccess(&Snapshot{Minor: minor})
		for b := range a.Bindings() {
			require.NotNil(t, b.Role, b.Name)
			require.True(t, b.Assumed)
		}
	}
	first, _ := bootstrap(1)
	oldest, _ := bootstrap(bootstrapFirst)
	require.Equal(t, len(oldest), len(first))
}

func TestBootstrapIsAssumed(t *testing.T) {
	a := world(t, `
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: User, name: ann, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: extra, labels: {rbac.authorization.k8s.io/aggregate-to-view: "true"}}
rules: [{apiGroups: [example.com], resources: [widgets], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "system:discovery"}
rules: []
`, &LoadOptions{Complete: true})
	ann := User("ann")
	d := a.Can(ann, Request{Verb: "get", Resource: "pods", Subresource: "log", Namespace: "shop"})
	require.Equal(t, Granted, d.Answer)
	require.True(t, d.Grants[0].Role.Assumed)
	require.Equal(t, "system:aggregate-to-view", d.Grants[0].Role.From[d.Grants[0].RuleIndex].Name)
	require.Equal(t, NotGranted, a.Can(ann, Request{Verb: "get", Resource: "secrets", Namespace: "shop"}).Answer)
	require.Equal(t, Granted, a.Can(ann, Request{Verb: "get", Group: "example.com", Resource: "widgets", Namespace: "shop"}).Answer, "aggregated from the files")
	require.Equal(t, NotGranted, a.Can(ann, Request{Verb: "get", Path: "/api"}).Answer, "the file's own system:discovery counts")
	require.Equal(t, Granted, a.Can(Anonymous(), Request{Verb: "get", Path: "/version"}).Answer)
	require.Equal(t, Granted, a.Can(ServiceAccount("kube-system", "clusterrole-aggregation-controller"),
		Request{Verb: "escalate", Group: rbacGroup, Resource: "clusterroles"}).Answer)

	// A dump of a cluster has its own built-in roles.
	a = world(t, `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: cluster-admin, labels: {kubernetes.io/bootstrapping: rbac-defaults}}
`, nil)
	n := 0
	for range a.Roles() {
		n++
	}
	require.Equal(t, 1, n)
}
