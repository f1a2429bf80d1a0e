package orchestrator_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/boltseal/boltseal/orchestrator"
)

const exampleManifests = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: deployer, namespace: ops}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {serviceAccountName: web, containers: [{name: web, image: shop/web}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: tokens, namespace: ops}
rules:
- {apiGroups: [""], resources: [serviceaccounts/token], verbs: [create], resourceNames: [deployer]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web-tokens, namespace: ops}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: tokens}
subjects: [{kind: ServiceAccount, name: web, namespace: shop}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: deployers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: deployer, namespace: ops}]
`

func exampleSnapshot() *orchestrator.Snapshot {
	snap, err := orchestrator.Read(context.Background(), strings.NewReader(exampleManifests), "shop.yaml", &orchestrator.LoadOptions{Complete: true})
	if err != nil {
		panic(err)
	}
	return snap
}

// How a compromised web server becomes cluster administrator, and what to do.
func ExampleGraph_Paths() {
	g := orchestrator.NewGraph(orchestrator.NewAccess(exampleSnapshot()), nil)
	for p, err := range g.Paths(context.Background(), "workload:shop/Deployment/web", orchestrator.ClusterAdmin) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(p)
		for _, s := range p.Steps {
			fmt.Println("-", s.Remove[0])
		}
	}
	// Output:
	// code in shop/Deployment/web -> cluster-admin
	//   1. code in shop/Deployment/web: automountServiceAccountToken is true where nothing is said -> service account shop/web
	//   2. E15 service account shop/web: create serviceaccounts/token named deployer in ops -> service account ops/deployer
	//   3. E01 service account ops/deployer: * *.* -> cluster-admin
	// - set automountServiceAccountToken: false
	// - remove ServiceAccount:shop/web from RoleBinding ops/web-tokens, or rule 0 of Role ops/tokens (create serviceaccounts/token of "" named deployer)
	// - remove ServiceAccount:ops/deployer from ClusterRoleBinding deployers, or rule 0 of ClusterRole cluster-admin (* * of *)
}

// Which single change helps most.
func ExampleGraph_Cuts() {
	g := orchestrator.NewGraph(orchestrator.NewAccess(exampleSnapshot()), nil)
	cuts, err := g.Cuts(context.Background(), orchestrator.ClusterAdmin, &orchestrator.CutOptions{Objects: []string{"binding"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range cuts {
		fmt.Println(len(c.Stops), c.Text)
	}
	// Output:
	// 3 remove ServiceAccount:ops/deployer from ClusterRoleBinding deployers (cluster-admin)
	// 2 remove ServiceAccount:shop/web from RoleBinding ops/web-tokens (tokens)
}

// Who may do more than the list says.
func ExampleAllowList() {
	list, err := orchestrator.ReadAllowList(strings.NewReader(`
version: 1
allow:
- {subject: "ServiceAccount:ops/deployer", verbs: ["*"], groups: ["*"], resources: ["*"], why: deploys}
- {subject: "ServiceAccount:ops/deployer", verbs: ["*"], paths: ["*"], why: deploys}
- {subject: "ServiceAccount:shop/web", namespaces: [shop], verbs: [get], groups: [""], resources: [configmaps], why: settings}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	access := orchestrator.NewAccess(exampleSnapshot())
	violations, err := list.Check(context.Background(), access, &orchestrator.AllowOptions{
		Now: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC), Graph: orchestrator.NewGraph(access, nil),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range violations {
		fmt.Println(v.String())
	}
	// Output:
	// granted, not listed: ServiceAccount:shop/web: create serviceaccounts/token of "" named deployer in ops
	// listed, not granted: ServiceAccount:shop/web: get configmaps of "" in shop
	// reached by a path, not listed: ServiceAccount:shop/web: * * of *
}

// The least roles for what was used.
func ExampleUsage_Suggest() {
	log := `{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"1","stage":"ResponseComplete","verb":"get","requestURI":"/api/v1/namespaces/shop/configmaps/settings","user":{"username":"system:serviceaccount:shop:web"},"objectRef":{"resource":"configmaps","namespace":"shop","name":"settings"},"responseStatus":{"code":200}}
{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"2","stage":"ResponseComplete","verb":"list","requestURI":"/api/v1/namespaces/shop/pods","user":{"username":"system:serviceaccount:shop:web"},"objectRef":{"resource":"pods","namespace":"shop"},"responseStatus":{"code":200}}
`
	ctx := context.Background()
	usage, err := orchestrator.NewAccess(exampleSnapshot()).Usage(ctx, orchestrator.ReadAudit(ctx, strings.NewReader(log), nil), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	s := usage.Suggest(orchestrator.ServiceAccount("shop", "web"), nil)
	for _, r := range s.Roles {
		for _, rule := range r.Rules {
			fmt.Println(r.Namespace, rule.Verbs, rule.Resources, rule.ResourceNames)
		}
	}
	fmt.Println(s.Proof.Requests, "requests,", len(s.Proof.Missing), "of them not allowed")
	// Output:
	// shop [get] [configmaps] [settings]
	// shop [list] [pods] []
	// 2 requests, 0 of them not allowed
}
