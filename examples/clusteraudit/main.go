// Clusteraudit tells who may do what in a Kubernetes cluster, how a small right
// becomes a large one, and which workloads are badly placed.
//
//	clusteraudit manifests/                      audit a folder of manifests
//	helm template . | clusteraudit -             or a stream
//	clusteraudit -kubeconfig ~/.kube/config      or a running cluster
//	clusteraudit -o table -o html=audit.html -o sarif=audit.sarif manifests/
//	clusteraudit who-can get secrets -n shop manifests/
//	clusteraudit what-can shop/web manifests/
//	clusteraudit paths -from shop/web -to cluster-admin manifests/
//	clusteraudit allowlist init manifests/ > allowed.yaml
//	clusteraudit allowlist check -list allowed.yaml manifests/
//	clusteraudit role                            the least rights it needs itself
//
// Run it with -h for all flags. The exit status is 0 if nothing is at or above
// -fail-on (without that flag: always), 1 if something is, 2 for a usage error,
// and 3 if the audit failed or is incomplete: a document could not be read, or a
// kind could not be listed. A question that is answered with no ends with 1, one
// that cannot be answered with 3. What manifests cannot tell, because a cluster
// may hold more, is reported as unknown and is no failure; -complete says that
// there is no more.
package main

import (
	"context"

	"github.com/boltseal/boltseal/examples/internal/cli"
)

func main() { cli.Main(tool, run) }

// run is the program: arguments in, exit status out.
func run(ctx context.Context, args []string, c *cli.Console) int {
	name, verb := "", runAudit
	if len(args) > 0 {
		name = args[0]
	}
	switch name {
	case "who-can":
		verb, args = runWhoCan, args[1:]
	case "what-can":
		verb, args = runWhatCan, args[1:]
	case "paths":
		verb, args = runPaths, args[1:]
	case "allowlist":
		verb, args = runAllowList, args[1:]
	case "role":
		verb, args = runRole, args[1:]
	}
	return verb(ctx, args, c)
}
