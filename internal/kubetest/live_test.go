package kubetest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/boltseal/boltseal/internal/kubetest"
	"github.com/boltseal/boltseal/orchestrator"
	"github.com/boltseal/boltseal/orchestrator/kube"
	"github.com/boltseal/boltseal/orchestrator/orchestratortest"
)

// dump writes every object that a snapshot may hold as one List, the way
// kubectl does, in YAML or JSON.
func dump(t *testing.T, c *kubetest.Cluster) []byte {
	d, err := dynamic.NewForConfig(c.Config)
	require.NoError(t, err)
	list := map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{"resourceVersion": ""}}
	items := []any{}
	for _, k := range orchestrator.Kinds() {
		if k.Kind == "Secret" || k.Kind == "Endpoints" {
			continue
		}
		got, err := d.Resource(schema.GroupVersionResource{Group: k.Group, Version: k.Version, Resource: k.Resource}).List(context.Background(), metav1.ListOptions{})
		if err != nil {
			continue // not served
		}
		for _, it := range got.Items {
			items = append(items, it.Object)
		}
	}
	list["items"] = items
	data, err := json.MarshalIndent(list, "", "    ")
	require.NoError(t, err)
	return data
}

// TestLoadDumpIsLoadLive reads one cluster twice, through its API and from a
// dump: nothing differs but where the objects were found.
func TestLoadDumpIsLoadLive(t *testing.T) {
	c := kubetest.Running(t)
	w := orchestratortest.New(5, orchestratortest.Size{Namespaces: 4, ServiceAccounts: 12, Roles: 12, Bindings: 20, Workloads: 15, Services: 5, ConfigMaps: 5, NetworkPolicies: 5})
	for _, o := range w.Objects {
		data, err := json.Marshal(o)
		require.NoError(t, err)
		u := &unstructured.Unstructured{}
		require.NoError(t, json.Unmarshal(data, &u.Object))
		require.NoError(t, kubetest.Create(c.Config, u), "%s %s", u.GetKind(), u.GetName())
	}
	ctx := context.Background()
	opt := &kube.Options{ConfigMaps: true, PageSize: 7} // many pages
	// The controllers go on writing: the two are of one moment when nothing
	// changed from before to after.
	require.Eventually(t, func() bool {
		before := versions(t, c)
		live, err := kube.Snapshot(ctx, c.Config, opt)
		require.NoError(t, err)
		text := dump(t, c)
		if before != versions(t, c) {
			return false
		}
		files, err := orchestrator.Read(ctx, bytes.NewReader(text), "dump.json", &orchestrator.LoadOptions{Complete: true})
		require.NoError(t, err)
		require.Equal(t, 36, live.Minor)
		total := 0
		for _, k := range orchestrator.Kinds() {
			for m := range live.Names(k.GroupKind()) {
				_, a, _ := live.Find(k.GroupKind(), m.Namespace, m.Name)
				_, b, ok := files.Find(k.GroupKind(), m.Namespace, m.Name)
				require.True(t, ok, "%s %s/%s is not in the dump", k.Kind, m.Namespace, m.Name)
				require.Equal(t, a, b)
				total++
			}
			n := 0
			for range files.Names(k.GroupKind()) {
				n++
			}
			for range live.Names(k.GroupKind()) {
				n--
			}
			require.Zero(t, n, "the dump has more of %s", k.Kind)
		}
		require.Greater(t, total, len(w.Objects))
		require.Equal(t, "apis/apps/v1/namespaces/"+live.Deployments[0].Namespace+"/deployments/"+live.Deployments[0].Name, live.Deployments[0].Location.Path)
		return true
	}, 2*time.Minute, time.Second)
}

// versions says which version everything that changes on its own is at.
func versions(t *testing.T, c *kubetest.Cluster) string {
	d, err := dynamic.NewForConfig(c.Config)
	require.NoError(t, err)
	var out []string
	for _, k := range orchestrator.Kinds() {
		got, err := d.Resource(schema.GroupVersionResource{Group: k.Group, Version: k.Version, Resource: k.Resource}).List(context.Background(), metav1.ListOptions{})
		if err != nil {
			continue
		}
		for _, it := range got.Items {
			out = append(out, it.GetKind()+it.GetNamespace()+it.GetName()+it.GetResourceVersion())
		}
	}
	slices.Sort(out)
	return fmt.Sprint(out)
}

// The built-in roles that are assumed for manifests are those of the server.
func TestBootstrapIsTheServers(t *testing.T) {
	c := kubetest.Running(t)
	ctx := context.Background()
	snap, err := orchestrator.FromObjects(func(func(runtime.Object) bool) {}, nil)
	require.NoError(t, err)
	assumed := orchestrator.NewAccess(snap)
	// The controller has filled the aggregated roles once they have rules.
	require.Eventually(t, func() bool {
		r, err := c.Admin.RbacV1().ClusterRoles().Get(ctx, "admin", metav1.GetOptions{})
		return err == nil && len(r.Rules) > 0
	}, time.Minute, 200*time.Millisecond)
	live, err := kube.Snapshot(ctx, c.Config, nil)
	require.NoError(t, err)
	names := map[string]bool{}
	for _, it := range live.ClusterRoles {
		if it.Object.Labels["kubernetes.io/bootstrapping"] == "" {
			continue
		}
		names[it.Name] = true
		r := assumed.Role("", it.Name)
		require.NotNil(t, r, it.Name)
		if it.Object.AggregationRule == nil { // others grow with what tests create
			require.Equal(t, it.Object.Rules, r.Rules, it.Name)
		}
	}
	for _, it := range live.Roles {
		if it.Object.Labels["kubernetes.io/bootstrapping"] != "" {
			names[it.Namespace+"/"+it.Name] = true
			require.Equal(t, it.Object.Rules, assumed.Role(it.Namespace, it.Name).Rules)
		}
	}
	for r := range assumed.Roles() {
		if r.Namespace != "" {
			require.True(t, names[r.Namespace+"/"+r.Name], r.String())
		} else {
			require.True(t, names[r.Name], r.String())
		}
	}
	bindings := map[string]*orchestrator.Binding{}
	for b := range assumed.Bindings() {
		bindings[b.String()] = b
	}
	for _, it := range live.ClusterRoleBindings {
		if it.Object.Labels["kubernetes.io/bootstrapping"] != "" {
			b := bindings["ClusterRoleBinding "+it.Name]
			require.NotNil(t, b, it.Name)
			require.ElementsMatch(t, it.Object.Subjects, b.Subjects, it.Name)
			delete(bindings, b.String())
		}
	}
	for _, it := range live.RoleBindings {
		if it.Object.Labels["kubernetes.io/bootstrapping"] != "" {
			b := bindings["RoleBinding "+it.Namespace+"/"+it.Name]
			require.NotNil(t, b, it.Name)
			require.ElementsMatch(t, it.Object.Subjects, b.Subjects, it.Name)
			delete(bindings, b.String())
		}
	}
	require.Empty(t, bindings, "assumed and not there")
}

// TestForbiddenIsUnknown reads with the least role, and with that role cut down.
func TestForbiddenIsUnknown(t *testing.T) {
	c := kubetest.Running(t)
	ctx := context.Background()
	role := kube.ClusterRole("boltseal-reader", nil, true)
	less := role.DeepCopy()
	less.Name = "boltseal-reader-less"
	for i := range less.Rules {
		less.Rules[i].Resources = slices.DeleteFunc(less.Rules[i].Resources, func(r string) bool { return r == "rolebindings" || r == "pods" })
	}
	less.Rules = slices.DeleteFunc(less.Rules, func(r rbacv1.PolicyRule) bool { return len(r.Resources) == 0 })
	for user, r := range map[string]*rbacv1.ClusterRole{"case-490": role, "case-491": less} {
		_, err := c.Admin.RbacV1().ClusterRoles().Create(ctx, r, metav1.CreateOptions{})
		require.NoError(t, err)
		_, err = c.Admin.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: r.Name},
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: r.Name},
			Subjects: []rbacv1.Subject{{Kind: "User", APIGroup: rbacv1.GroupName, Name: user}}}, metav1.CreateOptions{})
		require.NoError(t, err)
	}
	whole := settled(t, c, "case-490")
	forbidden := []string{}
	for _, k := range orchestrator.Kinds() {
		switch cov := whole.Coverage(k.GroupResource(), ""); {
		case k.Kind == "Secret" || k.Kind == "Endpoints" || k.Kind == "ConfigMap":
			require.Equal(t, orchestrator.NotAsked, cov.State, k.Kind)
		case !cov.Known():
			forbidden = append(forbidden, k.Resource)
		}
	}
	require.Empty(t, forbidden, "the role is enough")
	require.NotNil(t, whole.ConfigMaps.Get("kube-system", "extension-apiserver-authentication"))

	part := settled(t, c, "case-491")
	pods := part.Coverage(schema.GroupResource{Resource: "pods"}, "")
	require.Equal(t, orchestrator.Forbidden, pods.State)
	require.Contains(t, pods.Reason, `User "case-491" cannot list resource "pods"`)
	q := orchestrator.Request{Verb: "get", Resource: "secrets", Namespace: "default"}
	require.Equal(t, orchestrator.NotGranted, orchestrator.NewAccess(whole).Can(orchestrator.User("nobody"), q).Answer)
	d := orchestrator.NewAccess(part).Can(orchestrator.User("nobody"), q)
	require.Equal(t, orchestrator.Unknown, d.Answer)
	require.Contains(t, d.Reason, "rolebindings.rbac.authorization.k8s.io in namespace default: forbidden")
}

// settled reads as a user whose binding the authorizer has seen.
func settled(t *testing.T, c *kubetest.Cluster, user string) (snap *orchestrator.Snapshot) {
	t.Helper()
	require.Eventually(t, func() bool {
		var err error
		snap, err = kube.Snapshot(context.Background(), c.As(user), nil)
		require.NoError(t, err)
		return snap.Coverage(schema.GroupResource{Resource: "namespaces"}, "").Known()
	}, time.Minute, 200*time.Millisecond)
	return snap
}

// Without rights nothing is known, and nothing is an error.
func TestNoRights(t *testing.T) {
	c := kubetest.Running(t)
	snap, err := kube.Snapshot(context.Background(), c.As("case-492"), nil)
	require.NoError(t, err)
	for _, k := range orchestrator.Kinds() {
		require.False(t, snap.Coverage(k.GroupResource(), "").Known(), k.Kind)
	}
}

func TestNamespacedReader(t *testing.T) {
	c := kubetest.Running(t)
	snap, err := kube.Snapshot(context.Background(), c.Config, &kube.Options{Namespaces: []string{"kube-system"}})
	require.NoError(t, err)
	sa := schema.GroupResource{Resource: "serviceaccounts"}
	require.True(t, snap.Coverage(sa, "kube-system").Known())
	require.False(t, snap.Coverage(sa, "default").Known())
	require.False(t, snap.Coverage(schema.GroupResource{Resource: "nodes"}, "").Known())
	require.NotEmpty(t, snap.ServiceAccounts.In("kube-system"))
	require.Empty(t, snap.ServiceAccounts.In("default"))
}

// TestWatch sees a binding come, its role change, and a namespace's label.
func TestWatch(t *testing.T) {
	c := kubetest.Running(t)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	ann := orchestrator.User("watched-ann")
	q := orchestrator.Request{Verb: "get", Resource: "widgets", Namespace: "watched"}
	step := 0
	steps := []struct {
		do   func()
		done func(u kube.Update) bool
	}{
		{func() {
			c.Apply(t, `
apiVersion: v1
kind: Namespace
metadata: {name: watched}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r, namespace: watched}
rules: [{apiGroups: [""], resources: [gadgets], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: watched}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
subjects: [{kind: User, name: watched-ann, apiGroup: rbac.authorization.k8s.io}]
`)
		}, func(u kube.Update) bool {
			return slices.Contains(u.Dirty.Subjects, ann) && orchestrator.NewAccess(u.Snapshot).Can(ann, q).Answer == orchestrator.NotGranted
		}},
		{func() {
			c.Apply(t, `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r, namespace: watched}
rules: [{apiGroups: [""], resources: [widgets], verbs: [get]}]
`)
		}, func(u kube.Update) bool {
			return slices.Contains(u.Dirty.Subjects, ann) && orchestrator.NewAccess(u.Snapshot).Can(ann, q).Answer == orchestrator.Granted
		}},
		{func() {
			ns, err := c.Admin.CoreV1().Namespaces().Get(ctx, "watched", metav1.GetOptions{})
			require.NoError(t, err)
			ns.Labels["pod-security.kubernetes.io/enforce"] = "restricted"
			_, err = c.Admin.CoreV1().Namespaces().Update(ctx, ns, metav1.UpdateOptions{})
			require.NoError(t, err)
		}, func(u kube.Update) bool {
			labels, ok := u.Snapshot.NamespaceLabels("watched")
			return ok && slices.Contains(u.Dirty.Namespaces, "watched") && labels["pod-security.kubernetes.io/enforce"] == "restricted"
		}},
		{func() {
			require.NoError(t, c.Admin.RbacV1().RoleBindings("watched").Delete(ctx, "b", metav1.DeleteOptions{}))
		}, func(u kube.Update) bool {
			return slices.Contains(u.Dirty.Subjects, ann) && orchestrator.NewAccess(u.Snapshot).Can(ann, q).Answer == orchestrator.NotGranted
		}},
	}
	for u, err := range kube.Watch(ctx, c.Config, nil) {
		require.NoError(t, err)
		switch {
		case u.Dirty.Objects == nil && step == 0:
			require.NotNil(t, u.Snapshot.Namespaces.Get("", "default"))
			steps[0].do()
		case steps[step].done(u):
			if step++; step < len(steps) {
				steps[step].do()
			}
		}
		if step == len(steps) {
			break
		}
	}
	require.Equal(t, len(steps), step)
}
