package sbom

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
)

// Bitnami finds the software in Bitnami's images, which is unpacked below
// opt/bitnami without a package manager: each piece has an SPDX 2 document
// .spdx-NAME.spdx, in JSON, whose packages bear purls of the type bitnami.
func Bitnami() boltseal.FileAnalyzer { return bitnami{} }

type bitnami struct{}

func (bitnami) Info() boltseal.Info {
	return boltseal.Info{ID: "sbom/bitnami", Version: 1, Doc: "software in Bitnami's images"}
}

func (bitnami) Wants(name string, _ fs.DirEntry) bool {
	base := path.Base(name)
	return strings.HasPrefix(name, "opt/bitnami/") && strings.HasPrefix(base, ".spdx-") && strings.HasSuffix(base, ".spdx")
}

func (bitnami) AnalyzeFile(ctx context.Context, f *boltseal.File, p *boltseal.Pass) error {
	data, err := f.Bytes()
	if err != nil {
		return fmt.Errorf("read Bitnami's SPDX document: %w", err)
	}
	if data, err = validJSON(data); err != nil {
		return fmt.Errorf("read Bitnami's SPDX document: %w", err)
	}
	for key, list := range jsonObject(data) {
		if key != "packages" {
			continue
		}
		for item := range jsonArray(list) {
			if err := ctx.Err(); err != nil {
				return err
			}
			pkg, ok := bitnamiPackage(item)
			if !ok {
				continue // what it was built from
			}
			if err := room(p); err != nil {
				return err
			}
			p.Package(pkg)
		}
	}
	return nil
}

func bitnamiPackage(item []byte) (pkg boltseal.Package, ok bool) {
	var id purl.PURL
	var license string
	for key, value := range jsonObject(item) {
		switch key {
		case "licenseDeclared":
			if l := jsonString(value); l != "NOASSERTION" && l != "NONE" {
				license = l
			}
		case "externalRefs":
			for ref := range jsonArray(value) {
				for key, locator := range jsonObject(ref) {
					if key != "referenceLocator" || ok {
						continue
					}
					var err error
					id, err = purl.Parse(jsonString(locator))
					ok = err == nil && id.Type == "bitnami" && id.Name != "" && id.Version != ""
				}
			}
		}
	}
	if !ok {
		return pkg, false
	}
	pkg = boltseal.Package{
		Type: "bitnami", Name: id.Name, Version: id.Version, Arch: id.Get("arch"), State: boltseal.StateInstalled,
		Evidence: []boltseal.Evidence{{Technique: boltseal.TechniqueManifest, Detail: "SPDX document of Bitnami", Confidence: 1}},
	}
	if license != "" {
		pkg.Licenses = []string{license}
	}
	pkg.PURL = purl.Of(&pkg)
	return pkg, true
}
