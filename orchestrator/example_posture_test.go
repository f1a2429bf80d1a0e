package orchestrator_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/orchestrator"
)

const exampleManifest = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      hostNetwork: true
      containers:
      - {name: web, image: registry.example.com/web:1.4, securityContext: {privileged: true}}
`

func ExamplePosture() {
	ctx := context.Background()
	snap, err := orchestrator.Read(ctx, strings.NewReader(exampleManifest), "web.yaml", nil)
	if err != nil {
		fmt.Println(err)
	}
	host, err := orchestrator.SelectChecks("H")
	if err != nil {
		fmt.Println(err)
	}
	for r, err := range orchestrator.Posture(ctx, snap, &orchestrator.PostureOptions{Checks: host}) {
		if err != nil {
			fmt.Println(err)
			break
		}
		if r.Verdict == boltseal.VerdictFail {
			fmt.Printf("%s %s: %s: %s\n", r.Check.Severity, r.Check.ID, r.Object, r.Reason)
		}
	}
	// Output:
	// high H06: Deployment shop/web: spec.template.spec.hostNetwork = true
	// critical H08: Deployment shop/web: container web: spec.template.spec.containers[0].securityContext.privileged = true
}

func ExampleVAP() {
	checks, err := orchestrator.SelectChecks("H04")
	if err != nil {
		fmt.Println(err)
	}
	policy, binding, err := orchestrator.VAP(checks[0], &orchestrator.VAPOptions{ExceptNamespaces: []string{"kube-system"}})
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(policy.Name, binding.Spec.ValidationActions, policy.Spec.Validations[0].Message)
	// Output: boltseal-h04 [Deny] H04 shares the node's processes
}

func ExampleNewAdmission() {
	checks, err := orchestrator.SelectChecks("H08", "I01")
	if err != nil {
		fmt.Println(err)
	}
	hook, err := orchestrator.NewAdmission(orchestrator.AdmissionOptions{Checks: checks, OnError: orchestrator.Deny})
	if err != nil {
		fmt.Println(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/validate", hook) // behind a server with TLS
	_, err = orchestrator.NewAdmission(orchestrator.AdmissionOptions{Checks: checks})
	fmt.Println(err)
	// Output: new admission: choose OnError: Allow or Deny
}
