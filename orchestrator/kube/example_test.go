package kube_test

import (
	"fmt"
	"strings"

	"github.com/boltseal/boltseal/orchestrator/kube"
)

// What a reader of a cluster's roles, workloads and policies has to be allowed.
func ExampleClusterRole() {
	role := kube.ClusterRole("boltseal-reader", nil, false)
	for _, r := range role.Rules[len(role.Rules)-4:] {
		fmt.Printf("%s %q %s %s\n", strings.Join(r.Verbs, ","), r.APIGroups[0], strings.Join(r.Resources, ","), r.ResourceNames)
	}
	// Output:
	// get,list "resource.k8s.io" deviceclasses,resourceclaims,resourceclaimtemplates []
	// get,list "scheduling.k8s.io" priorityclasses []
	// get,list "storage.k8s.io" csidrivers,storageclasses []
	// get "" configmaps [aws-auth coredns extension-apiserver-authentication]
}
