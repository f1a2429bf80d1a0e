package cyclonedx_test

import (
	"bytes"
	"fmt"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/sbom/cyclonedx"
)

func Example() {
	report := &boltseal.Report{
		Complete: true,
		Image:    &boltseal.ReportImage{Name: "example.com/app:1"},
		Packages: []boltseal.ReportPackage{{Package: boltseal.Package{
			PURL: "pkg:npm/left-pad@1.3.0", Type: "npm", Name: "left-pad", Version: "1.3.0",
			Locations: []boltseal.Location{{Path: "srv/node_modules/left-pad/package.json"}},
		}}},
	}
	var sbom bytes.Buffer
	if err := cyclonedx.Write(&sbom, report, nil); err != nil {
		fmt.Println(err)
		return
	}
	back, err := cyclonedx.Read(&sbom, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range back.Packages {
		fmt.Println(p.PURL, p.Paths)
	}
	// Output:
	// pkg:npm/left-pad@1.3.0 [srv/node_modules/left-pad/package.json]
}
