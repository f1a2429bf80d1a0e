package snapshot_test

import (
	"fmt"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/vuln/snapshot"
)

func ExampleOpen() {
	db, err := snapshot.Open()
	if err != nil {
		fmt.Println(err)
		return
	}
	pkg := boltseal.Package{Type: "golang", Name: "golang.org/x/text", Version: "v0.3.7"}
	for m := range db.MatchOne(&pkg) {
		fmt.Println(m.Advisory.ID, m.Advisory.Aliases, m.Fixed)
	}
	// Output:
	// GO-2022-1059 [CVE-2022-32149 GHSA-69ch-w2m2-3vjp] v0.3.8
	// GO-2026-5970 [CVE-2026-56852] v0.39.0
}
