package orchestratortest_test

import (
	"fmt"

	"github.com/boltseal/boltseal/orchestrator/orchestratortest"
)

func ExampleNew() {
	w := orchestratortest.New(1, orchestratortest.Size{ServiceAccounts: 20, Roles: 10, Bindings: 20, Chains: 2})
	for _, c := range w.Chains {
		fmt.Println(c.Start, c.Means)
	}
	fmt.Println(len(w.Misses), "only seem to")
	// Output:
	// ServiceAccount:chain-0-0/link-0 [impersonate serviceaccounts bind]
	// ServiceAccount:chain-1-0/link-0 [create pods create deployments impersonate system:masters]
	// 9 only seem to
}
