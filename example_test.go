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
	// What stays the same when the image is rebuilt: no layer, line or version.
	fmt.Println(boltseal.Fingerprint("vulnerability", "CVE-2024-2961", "libc6"))
	// Output: 51b48df5f42c023423c3d0e87057ab34
}

func ExampleLocation_String() {
	fmt.Println(boltseal.Location{Path: "app.war", Member: []string{"WEB-INF/lib/a.jar"}, Line: 3})
	// Output: app.war!WEB-INF/lib/a.jar:3
}
