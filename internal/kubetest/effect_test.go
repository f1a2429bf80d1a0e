package kubetest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/boltseal/boltseal/internal/kubetest"
	"github.com/boltseal/boltseal/orchestrator"
	"github.com/boltseal/boltseal/orchestrator/kube"
)

// effectCase is a primitive that is no step of a path: rights with which the
// API server accepts a request, and lesser ones with which it does not.
type effectCase struct {
	row         string
	rules, near string // across the cluster
	method      string
	path        string
	contentType string
	body        string
	attack      func(context.Context, *attacker) error // in place of the request
}

const (
	mergePatch = "application/merge-patch+json"
	jsonType   = "application/json"
)

func effectCases() []effectCase {
	const pods, fx = "/api/v1/namespaces/fx/pods", "/namespaces/fx/"
	return []effectCase{
		{row: "E09", rules: "create roles.rbac; get configmaps", near: "create roles.rbac", method: "POST", path: "/apis/rbac.authorization.k8s.io/v1" + fx + "roles", contentType: jsonType,
			body: `{"metadata":{"name":"fx-waited"},"rules":[{"verbs":["get"],"apiGroups":[""],"resources":["configmaps"]}]}`},
		{row: "E13", rules: "impersonate users nobody; impersonate *.authn", near: "impersonate users nobody; impersonate userextras,userextras/*.authn", attack: forgeNode},
		{row: "E16", rules: "create serviceaccounts/token", near: "create serviceaccounts", attack: nodeToken},
		{row: "E34", rules: "patch deployments/scale.apps", near: "get deployments/scale.apps", method: "PATCH", path: "/apis/apps/v1" + fx + "deployments/fx/scale", contentType: mergePatch, body: `{"spec":{"replicas":0}}`},
		{row: "E37", rules: "create pods/portforward", near: "list pods", method: "POST", path: pods + "/fx/portforward"},
		{row: "E38", rules: "get pods/log", near: "get pods", method: "GET", path: pods + "/fx/log"},
		{row: "E39", rules: "create pods/binding", near: "create bindings", method: "POST", path: pods + "/fx-pending/binding", contentType: jsonType, body: `{"metadata":{"name":"fx-pending"},"target":{"kind":"Node","name":"t-node"}}`},
		{row: "E41", rules: "patch nodes", near: "patch nodes/status", method: "PATCH", path: "/api/v1/nodes/fx-node", contentType: mergePatch, body: `{"metadata":{"labels":{"fx":"y"}},"spec":{"unschedulable":true}}`},
		{row: "E42", rules: "patch nodes/status", near: "patch nodes", method: "PATCH", path: "/api/v1/nodes/fx-node/status", contentType: mergePatch, body: `{"status":{"addresses":[{"type":"InternalIP","address":"192.0.2.1"}]}}`},
		{row: "E49", rules: "create storageclasses.storage.k8s.io", near: "get storageclasses.storage.k8s.io", method: "POST", path: "/apis/storage.k8s.io/v1/storageclasses", contentType: jsonType, body: `{"metadata":{"name":"fx"},"provisioner":"example.com/x"}`},
		{row: "E54", rules: "create validatingwebhookconfigurations.admission", near: "delete validatingwebhookconfigurations.admission", method: "POST", path: "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", contentType: jsonType, body: `{"metadata":{"name":"fx"}}`},
		{row: "E59", rules: "create apiservices.apiregistration.k8s.io", near: "get apiservices.apiregistration.k8s.io", method: "POST", path: "/apis/apiregistration.k8s.io/v1/apiservices?dryRun=All", contentType: jsonType,
			body: `{"metadata":{"name":"v1.fx.example.com"},"spec":{"group":"fx.example.com","version":"v1","groupPriorityMinimum":1,"versionPriority":1,"service":{"namespace":"fx","name":"fx"}}}`},
		{row: "E60", rules: "patch configmaps", near: "get configmaps", attack: reown},
		{row: "E62", rules: "create resourceclaims.resource.k8s.io; patch namespaces", near: "create resourceclaims.resource.k8s.io", attack: adminClaim},
		{row: "E64", rules: "create deviceclasses.resource.k8s.io", near: "get deviceclasses.resource.k8s.io", method: "POST", path: "/apis/resource.k8s.io/v1/deviceclasses", contentType: jsonType, body: `{"metadata":{"name":"fx"},"spec":{}}`},
		{row: "E65", rules: "patch services/status", near: "get services/status", method: "PATCH", path: "/api/v1" + fx + "services/fx/status", contentType: mergePatch, body: `{"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.9"}]}}}`},
		{row: "E66", rules: "create endpointslices.discovery.k8s.io", near: "create endpoints/restricted", method: "POST", path: "/apis/discovery.k8s.io/v1" + fx + "endpointslices", contentType: jsonType,
			body: `{"metadata":{"name":"fx","labels":{"kubernetes.io/service-name":"fx"}},"addressType":"IPv4","endpoints":[{"addresses":["10.1.2.3"]}],"ports":[]}`},
		{row: "E67", rules: "patch pods/status", near: "get pods/status", method: "PATCH", path: pods + "/fx/status", contentType: mergePatch, body: `{"status":{"podIP":"10.9.9.9","podIPs":[{"ip":"10.9.9.9"}]}}`},
		{row: "E68", rules: "create networkpolicies.networking.k8s.io", near: "get networkpolicies.networking.k8s.io", method: "POST", path: "/apis/networking.k8s.io/v1" + fx + "networkpolicies", contentType: jsonType,
			body: `{"metadata":{"name":"fx"},"spec":{"podSelector":{},"ingress":[{}]}}`},
		{row: "E69", rules: "create ingresses.networking.k8s.io", near: "create ingresses/status.networking.k8s.io", method: "POST", path: "/apis/networking.k8s.io/v1" + fx + "ingresses", contentType: jsonType,
			body: `{"metadata":{"name":"fx"},"spec":{"defaultBackend":{"service":{"name":"fx","port":{"number":80}}}}}`},
		{row: "E77", rules: "create leases.coordination.k8s.io", near: "get leases.coordination.k8s.io", method: "POST", path: "/apis/coordination.k8s.io/v1" + fx + "leases", contentType: jsonType, body: `{"metadata":{"name":"fx"}}`},
		// Both halves of E40; that the pod comes back on the held node is a
		// scheduler's affair.
		{row: "E40", rules: "create pods/eviction", near: "get pods", method: "POST", path: pods + "/fx/eviction?dryRun=All", contentType: jsonType, body: `{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"fx"},"deleteOptions":{"dryRun":["All"]}}`},
	}
}

const effectGround = `
apiVersion: v1
kind: Namespace
metadata: {name: fx}
---
apiVersion: v1
kind: Node
metadata: {name: fx-node}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: sa, namespace: fx}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: fx, namespace: fx}
spec:
  replicas: 0
  selector: {matchLabels: {app: fx}}
  template:
    metadata: {labels: {app: fx}}
    spec: {containers: [{name: c, image: registry.example/c:1}]}
---
apiVersion: v1
kind: Service
metadata: {name: fx, namespace: fx}
spec: {type: LoadBalancer, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: mine, namespace: fx}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: yours, namespace: fx}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: waits, namespace: fx}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: fx-waited}
subjects: [{kind: ServiceAccount, namespace: fx, name: sa}]
`

// TestEffectsAreReal has users do what Graph.Effects says they can, and others
// with one right less try the same.
func TestEffectsAreReal(t *testing.T) {
	c := kubetest.Running(t)
	cases := effectCases()
	c.Apply(t, effectGround)
	require.Eventually(t, func() bool {
		_, err := c.Admin.CoreV1().ServiceAccounts("fx").Get(t.Context(), "default", getOptions)
		return err == nil
	}, time.Minute, 100*time.Millisecond)
	for _, name := range []string{"fx", "fx-pending"} {
		spec := corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "registry.example/c:1"}}}
		if name == "fx" {
			spec.NodeName = "fx-node"
		}
		_, err := c.Admin.CoreV1().Pods("fx").Create(t.Context(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec}, metav1.CreateOptions{})
		require.NoError(t, err)
	}
	user := func(i int, near bool) *escalationCase {
		e := &escalationCase{name: fmt.Sprintf("case-%03d", 300+i), rules: cases[i].rules}
		if near {
			e = &escalationCase{name: fmt.Sprintf("case-%03d", 350+i), rules: cases[i].near}
		}
		return e
	}
	for i := range cases {
		c.Apply(t, user(i, false).manifests())
		c.Apply(t, user(i, true).manifests())
	}
	snap, err := kube.Snapshot(t.Context(), c.Config, nil)
	require.NoError(t, err)
	g := orchestrator.NewGraph(orchestrator.NewAccess(snap), &orchestrator.PathOptions{Settled: map[string]bool{
		"plugin-off": true, "driver": true, "secrets-in-logs": true, "held-node": true, "kubelet-certificate": true, "validating-webhook": true,
		"load-balancer": true, "network-policies": true, "route-controller": true,
	}})
	claimed := func(e *escalationCase, row string) bool {
		for x := range g.Effects(orchestrator.User(e.name).Position()) {
			if x.ID == row {
				require.Empty(t, x.Conditions, row)
				return true
			}
		}
		return false
	}
	try := func(x *effectCase, e *escalationCase) error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		a := newAttacker(t, c, e)
		if x.attack != nil {
			return x.attack(ctx, a)
		}
		return a.raw(ctx, x.method, x.path, x.contentType, x.body, nil)
	}
	for i := range cases {
		x, has, lacks := &cases[i], user(i, false), user(i, true)
		if x.row != "E40" { // a step of paths
			require.True(t, claimed(has, x.row), "%s: not claimed for %s", x.row, x.rules)
			if x.row != "E09" { // who lacks what the role gives has a role refused
				require.False(t, claimed(lacks, x.row), "%s: claimed for %s", x.row, x.near)
			}
		}
		require.Error(t, try(x, lacks), "%s: works with %s", x.row, x.near)
		// The binding is known to the authorizer once it lets the request pass.
		var last error
		require.Eventually(t, func() bool { last = try(x, has); return last == nil }, 30*time.Second, 200*time.Millisecond, "%s: refused with %s: %v", x.row, x.rules, &last)
	}
	t.Logf("%d effects shown, and their near misses refused", len(cases))
}

// forgeNode claims to run on a node, in a request as somebody else.
func forgeNode(ctx context.Context, a *attacker) error {
	const key = "authentication.kubernetes.io/node-name"
	conf := rest.CopyConfig(a.conf)
	conf.Impersonate = rest.ImpersonationConfig{UserName: "nobody", Extra: map[string][]string{key: {"t-node"}}}
	return claims(ctx, conf, key)
}

func claims(ctx context.Context, conf *rest.Config, key string) error {
	cs, err := kubernetes.NewForConfig(conf)
	if err != nil {
		return err
	}
	who, err := cs.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err == nil && len(who.Status.UserInfo.Extra[key]) == 0 {
		err = fmt.Errorf("the claim is not there: %v", who.Status.UserInfo.Extra)
	}
	return err
}

// nodeToken mints a token that claims a node.
func nodeToken(ctx context.Context, a *attacker) error {
	got, err := a.cs.CoreV1().ServiceAccounts("fx").CreateToken(ctx, "sa", &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		BoundObjectRef: &authenticationv1.BoundObjectReference{Kind: "Node", APIVersion: "v1", Name: "fx-node"},
	}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	return claims(ctx, a.as(got.Status.Token), "authentication.kubernetes.io/node-name")
}

// reown gives a ConfigMap an owner that is not there: the garbage collector
// deletes it.
func reown(ctx context.Context, a *attacker) error {
	err := a.raw(ctx, "PATCH", "/api/v1/namespaces/fx/configmaps/yours", mergePatch,
		`{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"gone","uid":"00000000-0000-0000-0000-000000000001"}]}}`, nil)
	if err != nil {
		return err
	}
	for range 200 {
		if _, err := a.c.Admin.CoreV1().ConfigMaps("fx").Get(ctx, "yours", getOptions); err != nil {
			if strings.Contains(err.Error(), "not found") {
				return nil
			}
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("the object is still there")
}

// adminClaim labels the namespace and claims devices with admin access.
func adminClaim(ctx context.Context, a *attacker) error {
	a.raw(ctx, "PATCH", "/api/v1/namespaces/fx", mergePatch, `{"metadata":{"labels":{"resource.kubernetes.io/admin-access":"true"}}}`, nil) // the claim tells
	return a.raw(ctx, "POST", "/apis/resource.k8s.io/v1/namespaces/fx/resourceclaims?dryRun=All", jsonType,
		`{"metadata":{"name":"fx"},"spec":{"devices":{"requests":[{"name":"r","exactly":{"deviceClassName":"d","allocationMode":"All","adminAccess":true}}]}}}`, nil)
}
