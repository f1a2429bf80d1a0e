// Package orchestrator answers questions about a Kubernetes cluster, or about
// the manifests that will become one: who may do what, and what follows from
// it.
//
// A [Snapshot] is the cluster at one moment, as far as it could be seen. It
// comes from files or from a running cluster (package orchestrator/kube):
//
//	snap, err := orchestrator.Load(ctx, os.DirFS("manifests"), nil)
//
//	access := orchestrator.NewAccess(snap)
//	d := access.Can(orchestrator.ServiceAccount("shop", "web"), orchestrator.Request{Verb: "get", Resource: "secrets", Namespace: "shop"})
//	for _, g := range d.Grants {
//		fmt.Println(g) // the binding, the role and the rule that allow it
//	}
//	for g := range access.WhoCan(orchestrator.Request{Verb: "create", Resource: "pods", Namespace: "shop"}) {
//		fmt.Println(g.Subject)
//	}
//
// # What was not seen
//
// A snapshot knows what it did not see: [Snapshot.Coverage] tells for every
// kind and namespace whether it was listed, refused, not served, cut short or
// never asked for. What depends on something unseen is answered unknown, never
// no. Manifests are an open world: they show what they hold and say nothing of
// what a cluster has beside them, unless the caller vouches for them with
// [LoadOptions.Complete].
//
// # The rules
//
// Decisions are those of the RBAC authorizer of Kubernetes 1.36. There may be
// other authorizers (Node, webhooks, ABAC), which are invisible in a cluster's
// objects: [NotGranted] means that no RBAC rule allows a request.
package orchestrator
