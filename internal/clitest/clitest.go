// Package clitest has what the script tests of the programs in examples share.
package clitest

import (
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// Status runs a command and checks its exit status: status 3 imagescan …
func Status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N command…")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}
