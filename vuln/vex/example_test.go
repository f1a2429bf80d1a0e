package vex_test

import (
	"fmt"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/vuln/vex"
)

func ExampleApply() {
	doc, err := vex.Read(strings.NewReader(`{
		"@context": "https://openvex.dev/ns/v0.2.0", "@id": "vex-1", "author": "Shop team", "timestamp": "2026-03-01T00:00:00Z",
		"statements": [{
			"vulnerability": {"name": "CVE-2026-1"}, "products": [{"@id": "pkg:npm/left-pad"}],
			"status": "not_affected", "justification": "vulnerable_code_not_present"}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	doc.Trusted = true
	findings := []boltseal.Finding{{Kind: boltseal.KindVulnerability, Rule: "CVE-2026-1", Package: "pkg:npm/left-pad@1.3.0"}}
	fmt.Println(vex.Apply(findings, []*vex.Document{doc}, nil))
	fmt.Println(findings[0].Suppressed)
	// Output:
	// 1
	// VEX not_affected (vulnerable_code_not_present), by Shop team on 2026-03-01 in vex-1
}
