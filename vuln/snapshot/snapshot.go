// Package snapshot embeds a small advisory database, for use where no other is
// at hand:
//
//	db, err := snapshot.Open()
//	for m := range db.Match(pkgs) { … }
//	fmt.Println(snapshot.Notice)
//
// It holds facts alone (identifiers, ranges, severities, aliases), without
// titles or descriptions, and only of advisories that their own publisher
// states and whose licence allows it; [Notice] and [vuln.DB.Info] name them.
// Debian, Ubuntu and Alpine state no licence with their lists and are left out:
// for their packages the verdict of [vuln.DB.Coverage] is unknown. A snapshot is
// out of date the day after it was made; use a database of your own for work.
package snapshot

import (
	_ "embed"
	"fmt"

	"github.com/boltseal/boltseal/vuln"
)

//go:generate go test -run ^TestSnapshot$ -update .

//go:embed advisories.db.zst
var packed []byte

// Notice is the attribution that the licences of the sources ask for.
const Notice = "Advisory facts by the Go Vulnerability Database, the PyPA Advisory Database and the GitHub Advisory Database (CC-BY-4.0), " +
	"RustSec and the Elixir Security Advisories (CC0-1.0), the Ruby Advisory Database (public domain), Bitnami (Apache-2.0), FriendsOfPHP (Unlicense), " +
	"AlmaLinux, Azure Linux, the Node.js Security WG and the GitLab Advisory Database community edition (MIT); reduced to identifiers, ranges and ratings."

// Open unpacks the snapshot, which takes some ten milliseconds. Keep the result;
// it needs no Close.
func Open() (*vuln.DB, error) {
	b, err := vuln.Unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("open advisory snapshot: %w", err)
	}
	return vuln.Load(b)
}
