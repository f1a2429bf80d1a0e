// Package servers pins the Kubernetes API server, its controller manager and
// etcd, to be built from source for the tests of the module above. It holds no
// code: go.mod names the programs as tools.
package servers
