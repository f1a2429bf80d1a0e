// Package oracletest compares image/imagetest with containerd's own unpacking.
// It is a module of its own, so that nobody who imports boltseal gets
// containerd with it:
//
//	cd internal/oracletest && go test ./...
//
// It needs root, as it makes devices.
package oracletest
