package sbom_test

import (
	"context"
	"fmt"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/sbom"
)

// A driver hands each file to the analyzers that want it. Here one file is
// analyzed by hand.
func ExampleDpkg() {
	status := []byte("Package: libssl3\nStatus: install ok installed\nSource: openssl\nVersion: 3.0.17-1~deb12u2\nArchitecture: amd64\n")
	f := boltseal.NewFile("var/lib/dpkg/status", 0o644, status)
	p := &boltseal.Pass{Limits: (*boltseal.Limits)(nil).WithDefaults()}
	if err := sbom.Dpkg().AnalyzeFile(context.Background(), f, p); err != nil {
		fmt.Println(err)
	}
	for _, pkg := range p.Results.Packages {
		fmt.Println(pkg.Name, pkg.Version, "from", pkg.Source.Name)
	}
	// Output: libssl3 3.0.17-1~deb12u2 from openssl
}

// The default set, in the order of the joins.
func ExampleAnalyzers() {
	for _, a := range sbom.Analyzers() {
		if a.Info().ID == "sbom/dpkg" {
			fmt.Println(a.Info().Doc)
		}
	}
	// Output: packages installed by dpkg
}
