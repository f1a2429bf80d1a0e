// Package kubetest starts a real Kubernetes API server with its controller
// manager and etcd, as the truth for what package orchestrator says. It is a
// module of its own, so that its needs weigh on nobody.
//
// The programs are built from source, once, into the user's cache directory:
//
//	cd internal/kubetest && go run ./build
//
// Without them the tests skip and say so. Any package of this module gets a
// running cluster, one for all its tests, by
//
//	func TestMain(m *testing.M) { os.Exit(kubetest.Main(m)) }
//
//	func TestX(t *testing.T) {
//		c := kubetest.Running(t)
//		c.Apply(t, `apiVersion: v1 …`)  // as an administrator
//		web := c.As("case-001")         // a user with no rights, by token
//		…
//	}
//
// There is no kubelet and no scheduler: exec, logs and a node's proxy end with
// the authorization of the request.
package kubetest
