package sbom

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
)

// Composer finds the PHP packages that Composer installed: those named in
// vendor/composer/installed.json, which is a list (Composer 1) or an object
// with the list in its packages (Composer 2). The fields are those of
// composer.json ("The composer.json schema").
func Composer() boltseal.FileAnalyzer { return composer{} }

type composer struct{}

func (composer) Info() boltseal.Info {
	return boltseal.Info{ID: "sbom/composer", Version: 1, Doc: "PHP packages installed by Composer"}
}

func (composer) Wants(name string, _ fs.DirEntry) bool {
	return name == "composer/installed.json" || strings.HasSuffix(name, "/composer/installed.json")
}

func (composer) AnalyzeFile(ctx context.Context, f *boltseal.File, p *boltseal.Pass) error {
	data, err := f.Bytes()
	if err != nil {
		return fmt.Errorf("read installed.json: %w", err)
	}
	if data, err = validJSON(data); err != nil {
		return fmt.Errorf("read installed.json: %w", err)
	}
	list := data
	for name, value := range jsonObject(data) {
		if name == "packages" {
			list = value
		}
	}
	bad := 0
	for item := range jsonArray(list) {
		if err := ctx.Err(); err != nil {
			return err
		}
		pkg, ok := composerPackage(item)
		if !ok {
			bad++
			continue
		}
		if err := room(p); err != nil {
			return err
		}
		p.Package(pkg)
	}
	if bad > 0 {
		return fmt.Errorf("read installed.json: %w: %d packages without a name VENDOR/NAME", boltseal.ErrMalformed, bad)
	}
	return nil
}

func composerPackage(item []byte) (pkg boltseal.Package, ok bool) {
	pkg = boltseal.Package{
		Type: "composer", State: boltseal.StateInstalled, DependsOn: []string{},
		Evidence: []boltseal.Evidence{{Technique: boltseal.TechniqueManifest, Detail: "Composer's installed.json", Confidence: 1}},
	}
	for name, value := range jsonObject(item) {
		switch name {
		case "name":
			pkg.Namespace, pkg.Name, _ = strings.Cut(jsonString(value), "/")
		case "version":
			pkg.Version = strings.TrimSpace(jsonString(value))
		case "license":
			pkg.Licenses = npmLicenses(value)
		case "require":
			pkg.DependsOn = []string{}
			for need := range jsonObject(value) { // without a slash: PHP itself, an extension
				if strings.Contains(need, "/") && len(pkg.DependsOn) < maxNames {
					pkg.DependsOn = append(pkg.DependsOn, need)
				}
			}
			slices.Sort(pkg.DependsOn)
		}
	}
	if pkg.Namespace == "" || pkg.Name == "" || strings.Contains(pkg.Name, "/") {
		return pkg, false
	}
	pkg.PURL = purl.Of(&pkg)
	return pkg, true
}
