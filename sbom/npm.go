package sbom

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
)

// NPM finds the JavaScript packages that npm, yarn or pnpm installed: each
// node_modules/NAME/package.json and node_modules/@SCOPE/NAME/package.json,
// however deeply nested. The name and version are those that the package gives
// itself, so that an alias is listed as what it really is. Other package.json
// files (of a package's own parts, tests and fixtures) name no package.
// The fields are those of the npm documentation's page "package.json".
func NPM() boltseal.FileAnalyzer { return npm{} }

type npm struct{}

func (npm) Info() boltseal.Info {
	return boltseal.Info{ID: "sbom/npm", Version: 1, Doc: "JavaScript packages installed in node_modules"}
}

func (npm) Wants(name string, _ fs.DirEntry) bool {
	dir, ok := strings.CutSuffix(name, "/package.json")
	return ok && isNPMRoot(dir)
}

// isNPMRoot reports whether a folder is where npm unpacks a package.
func isNPMRoot(dir string) bool {
	const modules = "node_modules/"
	i := strings.LastIndex(dir, modules)
	if i < 0 || i > 0 && dir[i-1] != '/' {
		return false
	}
	outer, name := dir[:i], dir[i+len(modules):]
	scope, rest, scoped := strings.Cut(name, "/")
	switch {
	case name == "" || name[0] == '.':
		return false
	case name[0] == '@' && (!scoped || scope == "@" || rest == "" || strings.Contains(rest, "/")):
		return false
	case name[0] != '@' && scoped:
		return false
	}
	// Within another package, only what is not kept for its tests.
	if i = strings.Index("/"+outer, "/"+modules); i >= 0 {
		for part := range strings.SplitSeq(outer[i:], "/") {
			switch part {
			case "test", "tests", "__tests__", "fixture", "fixtures", "__fixtures__", "spec", "testdata", "example", "examples":
				return isNPMRoot(strings.TrimSuffix(outer, "/"))
			}
		}
	}
	return true
}

// npmMaxBytes bounds a package.json. Registries refuse far smaller ones.
const npmMaxBytes = 2 << 20

func (npm) AnalyzeFile(_ context.Context, f *boltseal.File, p *boltseal.Pass) error {
	fail := func(err error) error {
		return &boltseal.Error{Op: "read package.json", Location: boltseal.Location{Path: f.Path}, Err: err}
	}
	data, err := io.ReadAll(io.LimitReader(f.Reader(), npmMaxBytes+1))
	if err != nil {
		return fail(err)
	}
	if len(data) > npmMaxBytes {
		return fail(fmt.Errorf("larger than %d MiB: %w", npmMaxBytes>>20, boltseal.ErrLimit))
	}
	pkg, ok, err := parsePackageJSON(data)
	if err != nil {
		return fail(err)
	}
	if ok {
		p.Package(pkg)
	}
	return nil
}

// packageJSON holds the fields that matter, each undecoded: other tools write
// whatever they like, and one odd field shall not cost the others.
type packageJSON struct {
	Name                 json.RawMessage `json:"name"`
	Version              json.RawMessage `json:"version"`
	License              json.RawMessage `json:"license"`
	Licenses             json.RawMessage `json:"licenses"`
	Dependencies         json.RawMessage `json:"dependencies"`
	OptionalDependencies json.RawMessage `json:"optionalDependencies"`
}

// parsePackageJSON returns the package that a package.json describes; ok is
// false where it names none.
func parsePackageJSON(data []byte) (pkg boltseal.Package, ok bool, err error) {
	var in packageJSON
	if err := json.Unmarshal(bytes.TrimPrefix(data, []byte("\ufeff")), &in); err != nil {
		return pkg, false, fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
	}
	name := strings.TrimSpace(jsonString(in.Name))
	if name == "" || len(name) > 214 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return pkg, false, nil
	}
	scope, base, scoped := strings.Cut(name, "/")
	if scoped && (len(scope) < 2 || scope[0] != '@' || base == "" || strings.Contains(base, "/")) {
		return pkg, false, nil
	}
	pkg = boltseal.Package{
		Type: "npm", Name: name, State: boltseal.StateInstalled,
		// npm reads "v1.2.3" and "=1.2.3" as 1.2.3.
		Version:  strings.TrimLeft(strings.TrimSpace(jsonString(in.Version)), "v= "),
		Licenses: npmLicenses(in.License, in.Licenses),
		Evidence: []boltseal.Evidence{{Technique: boltseal.TechniqueManifest, Detail: "package.json of an installed package", Confidence: 1}},
	}
	if scoped {
		pkg.Namespace, pkg.Name = scope, base
	}
	pkg.DependsOn = npmDependencies(in.Dependencies, in.OptionalDependencies)
	pkg.PURL = purl.Of(&pkg)
	return pkg, true, nil
}

// jsonString returns a JSON string's value, "" for anything else.
func jsonString(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// npmLicenses reads the license field and its older forms: an object with a
// type, or a list of either.
func npmLicenses(fields ...json.RawMessage) (out []string) {
	add := func(s string) {
		if s = strings.TrimSpace(s); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	one := func(raw json.RawMessage) {
		add(jsonString(raw))
		var object struct{ Type, Name json.RawMessage }
		if len(raw) > 0 && raw[0] == '{' && json.Unmarshal(raw, &object) == nil {
			if t := jsonString(object.Type); t != "" {
				add(t)
			} else {
				add(jsonString(object.Name))
			}
		}
	}
	for _, raw := range fields {
		var list []json.RawMessage
		if len(raw) > 0 && raw[0] == '[' && json.Unmarshal(raw, &list) == nil {
			for _, item := range list[:min(len(list), 100)] {
				one(item)
			}
			continue
		}
		one(raw)
	}
	return out
}

// npmDependencies returns the names that a package needs to run, the real one
// where it uses an alias ("npm:NAME@RANGE"); nil if no field is there.
func npmDependencies(fields ...json.RawMessage) []string {
	var names []string
	for _, raw := range fields {
		var deps map[string]json.RawMessage
		if len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, &deps) != nil {
			continue
		}
		if names == nil {
			names = []string{} // none, which is known
		}
		for name, want := range deps {
			if alias, ok := strings.CutPrefix(jsonString(want), "npm:"); ok && alias != "" {
				name = alias
				if at := strings.LastIndexByte(alias, '@'); at > 0 {
					name = alias[:at]
				}
			}
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
