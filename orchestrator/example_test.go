package orchestrator_test

import (
	"context"
	"fmt"
	"testing/fstest"

	"github.com/boltseal/boltseal/orchestrator"
)

func Example() {
	manifests := fstest.MapFS{"rbac.yaml": {Data: []byte(`
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: shop}
rules:
- {apiGroups: [""], resources: [configmaps], verbs: [get]}
- {apiGroups: [""], resources: [secrets], resourceNames: [db], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web-reads, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: web}]
`)}}
	snap, err := orchestrator.Load(context.Background(), manifests, &orchestrator.LoadOptions{Complete: true})
	if err != nil {
		fmt.Println(err)
	}
	access := orchestrator.NewAccess(snap)
	web := orchestrator.ServiceAccount("shop", "web")

	d := access.Can(web, orchestrator.Request{Verb: "get", Resource: "secrets", Namespace: "shop", Name: "db"})
	fmt.Println(d.Answer)
	for _, g := range d.Grants {
		fmt.Println(g, "at", g.Binding.Location)
	}
	d = access.Can(web, orchestrator.Request{Verb: "list", Resource: "secrets", Namespace: "shop"})
	fmt.Println(d.Answer)

	for g := range access.WhoCan(orchestrator.Request{Verb: "get", Resource: "configmaps", Namespace: "shop"}) {
		if !g.Binding.Assumed { // the controllers of every cluster
			fmt.Println(g.Subject)
		}
	}
	// Output:
	// granted
	// RoleBinding shop/web-reads gives ServiceAccount:shop/web Role shop/reader, rule 1: get secrets of "" named db at rbac.yaml:9
	// not granted
	// ServiceAccount:shop/web
}
