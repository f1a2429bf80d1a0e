package sbom

import (
	"cmp"
	"context"
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
// however deeply nested, and what Debian packages in its own places for Node.js
// (usr/share/nodejs, and usr/lib likewise). The name and version are those that the package gives
// itself, so that an alias is listed as what it really is. Other package.json
// files (of a package's own parts, tests and fixtures) name no package.
// The fields are those of the npm documentation's page "package.json".
func NPM() boltseal.FileAnalyzer { return npm{} }

type npm struct{}

func (npm) Info() boltseal.Info {
	return boltseal.Info{ID: "sbom/npm", Version: 2, Doc: "JavaScript packages installed for Node.js"}
}

func (npm) Wants(name string, _ fs.DirEntry) bool {
	dir, ok := strings.CutSuffix(name, "/package.json")
	return ok && isNPMRoot(dir)
}

// isNPMRoot reports whether a folder is where npm, or Debian, unpacks a package.
func isNPMRoot(dir string) bool {
	const modules = "node_modules/"
	i := strings.LastIndex(dir, modules)
	if i < 0 {
		return isNPMName(underDebianNode(dir))
	}
	outer := dir[:i]
	if i > 0 && dir[i-1] != '/' || !isNPMName(dir[i+len(modules):]) {
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

// underDebianNode returns what follows the places that Debian's nodejs searches
// besides node_modules: usr/share/nodejs/, usr/lib/nodejs/ and
// usr/lib/ARCHITECTURE/nodejs/.
func underDebianNode(dir string) string {
	if rest, ok := strings.CutPrefix(dir, "usr/share/nodejs/"); ok {
		return rest
	}
	rest, ok := strings.CutPrefix(dir, "usr/lib/")
	if !ok {
		return ""
	}
	if rest, ok := strings.CutPrefix(rest, "nodejs/"); ok {
		return rest
	}
	_, rest, _ = strings.Cut(rest, "/")
	rest, ok = strings.CutPrefix(rest, "nodejs/")
	if !ok {
		return ""
	}
	return rest
}

// isNPMName reports whether a path is that of a package: NAME or @SCOPE/NAME.
func isNPMName(name string) bool {
	scope, rest, scoped := strings.Cut(name, "/")
	switch {
	case name == "" || name[0] == '.':
		return false
	case name[0] == '@':
		return scoped && scope != "@" && rest != "" && !strings.Contains(rest, "/")
	}
	return !scoped
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
	name, version, license, licenses   []byte
	dependencies, optionalDependencies []byte
}

func (in *packageJSON) field(name string) *[]byte {
	switch name {
	case "name":
		return &in.name
	case "version":
		return &in.version
	case "license":
		return &in.license
	case "licenses":
		return &in.licenses
	case "dependencies":
		return &in.dependencies
	case "optionalDependencies":
		return &in.optionalDependencies
	}
	return nil
}

// parsePackageJSON returns the package that a package.json describes; ok is
// false where it names none.
func parsePackageJSON(data []byte) (pkg boltseal.Package, ok bool, err error) {
	if data, err = validJSON(data); err != nil {
		return pkg, false, err
	}
	var in packageJSON
	for name, value := range jsonObject(data) {
		if field := in.field(name); field != nil {
			*field = value
		}
	}
	name := strings.TrimSpace(jsonString(in.name))
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
		Version:  strings.TrimLeft(strings.TrimSpace(jsonString(in.version)), "v= "),
		Licenses: npmLicenses(in.license, in.licenses),
		Evidence: []boltseal.Evidence{{Technique: boltseal.TechniqueManifest, Detail: "package.json of an installed package", Confidence: 1}},
	}
	if scoped {
		pkg.Namespace, pkg.Name = scope, base
	}
	pkg.DependsOn = npmDependencies(in.dependencies, in.optionalDependencies)
	pkg.PURL = purl.Of(&pkg)
	return pkg, true, nil
}

// npmLicenses reads the license field and its older forms: an object with a
// type, or a list of either.
func npmLicenses(fields ...[]byte) (out []string) {
	add := func(s string) {
		if s = strings.TrimSpace(s); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	one := func(raw []byte) {
		add(jsonString(raw))
		var typ, name string
		for key, value := range jsonObject(raw) {
			switch key {
			case "type":
				typ = jsonString(value)
			case "name":
				name = jsonString(value)
			}
		}
		add(cmp.Or(typ, name))
	}
	for _, raw := range fields {
		if len(raw) == 0 || raw[0] != '[' {
			one(raw)
			continue
		}
		n := 0
		for item := range jsonArray(raw) {
			if n++; n > 100 {
				break
			}
			one(item)
		}
	}
	return out
}

// npmDependencies returns the names that a package needs to run, the real one
// where it uses an alias ("npm:NAME@RANGE"); nil if no field is there.
func npmDependencies(fields ...[]byte) []string {
	var names []string
	for _, raw := range fields {
		if len(raw) == 0 || raw[0] != '{' {
			continue
		}
		if names == nil {
			names = []string{} // none, which is known
		}
		for name, want := range jsonObject(raw) {
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
