// Package kube fills snapshots from a running cluster.
//
//	conf, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
//	snap, err := kube.Snapshot(ctx, conf, nil)
//	access := orchestrator.NewAccess(snap)
//
// [ClusterRole] is all that it needs to be allowed: get and list, and watch for
// [Watch]. It never reads Secrets. What it may not read is recorded in the
// snapshot's coverage, and answers that depend on it are unknown.
package kube
