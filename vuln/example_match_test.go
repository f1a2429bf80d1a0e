package vuln_test

import (
	"context"
	"fmt"
	"io/fs"
	"testing/fstest"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/vuln"
)

func ExampleDB_Match() {
	osv := fstest.MapFS{"Go/GO-2022-1059.json": {Data: []byte(`{"id": "GO-2022-1059", "aliases": ["CVE-2022-32149"],
		"affected": [{"package": {"ecosystem": "Go", "name": "golang.org/x/text"},
		"ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "0.3.8"}]}]}]}`)}}
	file, _, err := vuln.Encode(context.Background(), []fs.FS{osv}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	db, err := vuln.Load(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	pkgs := []boltseal.Package{{Type: "golang", Name: "golang.org/x/text", Version: "v0.3.7"}}
	for m := range db.Match(pkgs) {
		fmt.Println(m.Advisory.ID, m.Advisory.Aliases, m.Fixed, "because of", m.Why().Range)
	}
	pkgs[0].Version = "v0.3.8"
	fmt.Println(db.Explain(&pkgs[0], "CVE-2022-32149")[0].Reason)
	// Output:
	// GO-2022-1059 [CVE-2022-32149] v0.3.8 because of introduced 0, fixed 0.3.8
	// golang.org/x/text v0.3.8 lies in none of the ranges, by go order
}
