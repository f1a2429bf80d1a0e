package boltseal_test

import (
	"fmt"
	"os"

	"github.com/boltseal/boltseal"
)

func ExampleReport_WriteJSON() {
	r := &boltseal.Report{Skipped: []boltseal.Skip{{Path: "opt/app.jar", Reason: "not a zip archive"}}}
	if err := r.WriteJSON(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {
	//   "schema": "boltseal.report/v1",
	//   "complete": false,
	//   "layers": [],
	//   "packages": [],
	//   "findings": [],
	//   "checks": [],
	//   "skipped": [
	//     {
	//       "path": "opt/app.jar",
	//       "reason": "not a zip archive"
	//     }
	//   ]
	// }
}

func ExampleParseSeverity() {
	s, err := boltseal.ParseSeverity("Important")
	fmt.Println(s, err, s >= boltseal.SeverityMedium)
	// Output: high <nil> true
}

func ExampleFingerprint() {
	monday := boltseal.Fingerprint("vulnerability", "CVE-2024-2961", "libc6")
	tuesday := boltseal.Fingerprint("vulnerability", "CVE-2024-2961", "libc6") // rebuilt, other layers
	fmt.Println(monday == tuesday)
	// Output: true
}

func ExampleLocation_String() {
	fmt.Println(boltseal.Location{Path: "app.war", Member: []string{"WEB-INF/lib/a.jar"}, Line: 3})
	// Output: app.war!WEB-INF/lib/a.jar:3
}
