package kubetest_test

import (
	"context"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/boltseal/boltseal/internal/kubetest"
	"github.com/boltseal/boltseal/orchestrator"
	"github.com/boltseal/boltseal/orchestrator/kube"
)

// TestWatchIsRefused takes a right from a reader that watches and breaks its
// connections: what it may no longer list becomes unknown, and the rest is what
// a reader who starts anew sees.
func TestWatchIsRefused(t *testing.T) {
	c := kubetest.Running(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	const user = "case-475"
	role := kube.ClusterRole("boltseal-watcher", nil, true)
	api := c.Admin.RbacV1().ClusterRoles()
	_, err := api.Create(ctx, role, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = c.Admin.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: role.Name},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects: []rbacv1.Subject{{Kind: "User", APIGroup: rbacv1.GroupName, Name: user}}}, metav1.CreateOptions{})
	require.NoError(t, err)
	settled(t, c, user)

	// A proxy whose connections can be broken.
	target, err := url.Parse(c.Config.Host)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.FlushInterval = -1
	proxy.Transport, err = rest.TransportFor(&rest.Config{TLSClientConfig: c.Config.TLSClientConfig})
	require.NoError(t, err)
	server := httptest.NewServer(proxy)
	defer server.Close()
	conf := &rest.Config{Host: server.URL, BearerToken: "token-of-" + user, QPS: -1}

	pods, bindings := schema.GroupResource{Resource: "pods"}, schema.GroupResource{Group: rbacv1.GroupName, Resource: "rolebindings"}
	q := orchestrator.Request{Verb: "get", Resource: "secrets", Namespace: "default"}
	first, done := true, false
	for u, err := range kube.Watch(ctx, conf, nil) {
		if err != nil {
			continue // a list that the broken connection cut off
		}
		if first {
			first = false
			require.True(t, u.Snapshot.Coverage(pods, "").Known())
			require.Equal(t, orchestrator.NotGranted, orchestrator.NewAccess(u.Snapshot).Can(orchestrator.User("nobody"), q).Answer)
			less := role.DeepCopy()
			for i := range less.Rules {
				less.Rules[i].Resources = slices.DeleteFunc(less.Rules[i].Resources, func(r string) bool { return r == "rolebindings" || r == "pods" })
			}
			_, err := api.Update(ctx, less, metav1.UpdateOptions{})
			require.NoError(t, err)
			require.Eventually(t, func() bool {
				snap, err := kube.Snapshot(ctx, c.As(user), nil)
				return err == nil && !snap.Coverage(pods, "").Known()
			}, time.Minute, 100*time.Millisecond)
			server.CloseClientConnections()
			continue
		}
		if u.Snapshot.Coverage(pods, "").Known() || u.Snapshot.Coverage(bindings, "").Known() || !u.Snapshot.Coverage(schema.GroupResource{Resource: "namespaces"}, "").Known() {
			continue
		}
		done = true
		require.Equal(t, orchestrator.Forbidden, u.Snapshot.Coverage(pods, "").State)
		require.Empty(t, u.Snapshot.RoleBindings, "what is forbidden is unknown, not what it was")
		require.Equal(t, orchestrator.Unknown, orchestrator.NewAccess(u.Snapshot).Can(orchestrator.User("nobody"), q).Answer)
		fresh, err := kube.Snapshot(ctx, c.As(user), nil)
		require.NoError(t, err)
		for _, kind := range []string{"ClusterRole", "ClusterRoleBinding", "Role"} {
			gk := schema.GroupKind{Group: rbacv1.GroupName, Kind: kind}
			require.Equal(t, names(fresh, gk), names(u.Snapshot, gk))
		}
		break
	}
	require.True(t, done)
}

func names(s *orchestrator.Snapshot, kind schema.GroupKind) (out []string) {
	for m := range s.Names(kind) {
		out = append(out, m.Namespace+"/"+m.Name)
	}
	slices.Sort(out)
	return out
}
