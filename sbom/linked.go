package sbom

import (
	"fmt"
	"path"

	"github.com/boltseal/boltseal"
)

// linked reports databases of packages that lie elsewhere, behind a symbolic
// link: a process in the container finds them where they should be, while their
// bytes went by under a name that no analyzer knows. A place that ends with a
// slash is a folder of files.
func linked(v boltseal.View, p *boltseal.Pass, a boltseal.FileAnalyzer, places ...string) {
	for _, place := range places {
		at, ok := v.Resolve(place)
		if !ok || at == path.Clean(place) {
			continue
		}
		name := at
		if place[len(place)-1] == '/' {
			name += "/any"
		}
		if a.Wants(name, nil) {
			continue // by its own name
		}
		p.Results.Skipped = append(p.Results.Skipped, boltseal.Skip{
			Path:   path.Clean(place),
			Reason: fmt.Sprintf("a link leads from here to %s, which was not read: the packages that it lists are missing; keep it in its usual place", at),
		})
	}
}
