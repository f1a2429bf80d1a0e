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

// NuGet finds the packages that a .NET program was published with: the
// libraries of type package in its NAME.deps.json (the "runtime configuration
// files" page of dotnet/sdk describes it).
func NuGet() boltseal.FileAnalyzer { return nuget{} }

type nuget struct{}

func (nuget) Info() boltseal.Info {
	return boltseal.Info{ID: "sbom/nuget", Version: 1, Doc: "NuGet packages of published .NET programs"}
}

func (nuget) Wants(name string, _ fs.DirEntry) bool { return strings.HasSuffix(name, ".deps.json") }

func (nuget) AnalyzeFile(ctx context.Context, f *boltseal.File, p *boltseal.Pass) error {
	data, err := f.Bytes()
	if err != nil {
		return fmt.Errorf("read deps.json: %w", err)
	}
	if data, err = validJSON(data); err != nil {
		return fmt.Errorf("read deps.json: %w", err)
	}
	var libraries, targets []byte
	for name, value := range jsonObject(data) {
		switch name {
		case "libraries":
			libraries = value
		case "targets":
			targets = value
		}
	}
	needs := nugetNeeds(targets)
	for id, library := range jsonObject(libraries) {
		if err := ctx.Err(); err != nil {
			return err
		}
		typ := ""
		for name, value := range jsonObject(library) {
			if name == "type" {
				typ = jsonString(value)
			}
		}
		name, version, _ := strings.Cut(id, "/")
		if typ != "package" || name == "" || version == "" || strings.Contains(version, "/") {
			continue // the program itself, a file it refers to
		}
		if err := room(p); err != nil {
			return err
		}
		pkg := boltseal.Package{
			Type: "nuget", Name: name, Version: version, State: boltseal.StateInstalled, DependsOn: needs[id],
			Evidence: []boltseal.Evidence{{Technique: boltseal.TechniqueManifest, Detail: "deps.json of a .NET program", Confidence: 1}},
		}
		pkg.PURL = purl.Of(&pkg)
		p.Package(pkg)
	}
	return nil
}

// nugetNeeds returns the names that each library, NAME/VERSION, depends on for
// any target.
func nugetNeeds(targets []byte) map[string][]string {
	needs := make(map[string][]string)
	for _, libraries := range jsonObject(targets) {
		for id, library := range jsonObject(libraries) {
			names := needs[id]
			if names == nil {
				names = []string{} // none, which is known
			}
			for key, value := range jsonObject(library) {
				if key != "dependencies" {
					continue
				}
				for name := range jsonObject(value) {
					names = append(names, name)
				}
			}
			needs[id] = names
		}
	}
	for id, names := range needs {
		slices.Sort(names)
		needs[id] = slices.Compact(names)
	}
	return needs
}
