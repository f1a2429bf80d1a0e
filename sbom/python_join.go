package sbom

import (
	"context"
	"path"
	"strings"

	"github.com/boltseal/boltseal"
)

// Facts that lie beside the metadata of a distribution.
const (
	factPythonFiles     = "python/files"     // owned paths, one a line
	factPythonInstaller = "python/installer" // name of a tool
	factPythonOrigin    = "python/origin"    // in words
)

// Join gives each distribution the files it owns, and says in its evidence
// who installed it and from where.
func (python) Join(ctx context.Context, v boltseal.View, _ *boltseal.Pass) error {
	byDir := make(map[string][]*boltseal.Package)
	for _, pkg := range v.Packages() {
		if pkg.Type == "pypi" && pkg.State == boltseal.StateInstalled && len(pkg.Locations) > 0 {
			dir := path.Dir(pkg.Locations[0].Path)
			byDir[dir] = append(byDir[dir], pkg)
		}
	}
	if len(byDir) == 0 {
		return nil
	}
	for _, kind := range []string{factPythonFiles, factPythonInstaller, factPythonOrigin} {
		for fact := range v.Facts(kind) {
			if err := ctx.Err(); err != nil {
				return err
			}
			for _, pkg := range byDir[path.Dir(fact.Location.Path)] {
				switch kind {
				case factPythonFiles:
					if len(fact.Data) > 0 {
						pkg.Files = strings.Split(string(fact.Data), "\n")
					}
				case factPythonInstaller:
					addDetail(pkg, "installed by "+string(fact.Data))
				case factPythonOrigin:
					addDetail(pkg, string(fact.Data))
				}
			}
		}
	}
	return nil
}

func addDetail(pkg *boltseal.Package, s string) {
	pkg.Evidence = append(pkg.Evidence, boltseal.Evidence{Technique: boltseal.TechniqueManifest, Detail: s})
}
