package arch

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// importProblems checks who imports whom.
//
//  1. The root imports the standard library only.
//  2. internal/… imports std, the root, other internal packages and third
//     parties; never a layer.
//  3. No layer imports another layer.
//  4. A layer's package never imports its own adapters.
func importProblems(p *pkg, adapters map[string]bool) (problems []string) {
	for _, imp := range p.imports {
		to, ours := inModule(imp)
		bad := func(why string) {
			problems = append(problems, fmt.Sprintf("%q imports %q: %s", p.path, imp, why))
		}
		from := layer(p.path)
		switch {
		case p.path == "" && !isStd(imp):
			bad("the root imports the standard library only")
		case !ours:
		case layer(to) != "" && layer(p.path) == "" && !isExample(p.path):
			bad("internal packages never import a layer")
		case from != "" && layer(to) != "" && layer(to) != from:
			bad("no layer imports another layer: declare the interface you need")
		case from == p.path && adapters[to]:
			bad("a layer never imports its adapters")
		case isExample(to) && !isExample(p.path):
			bad("examples are not imported")
		}
	}
	return problems
}

func isExample(path string) bool { return len(path) > 9 && path[:9] == "examples/" }

func TestImports(t *testing.T) {
	for _, p := range repository(t) {
		require.Empty(t, importProblems(p, adapters()))
	}
}

func TestImportsRefuses(t *testing.T) {
	for _, c := range []struct{ path, imp string }{
		{"", "github.com/opencontainers/go-digest"},
		{"", module + "/image"},
		{"internal/purl", module + "/vuln"},
		{"image", module + "/sbom"},
		{"registry/jetstream", module + "/image"},
		{"image", module + "/image/remote"},
		{"vuln", module + "/examples/imagescan"},
	} {
		p := parsed(t, c.path, fmt.Sprintf("package x\nimport _ %q\n", c.imp))
		require.Len(t, importProblems(p, map[string]bool{"image/remote": true}), 1, "%q importing %q", c.path, c.imp)
	}
	p := parsed(t, "image/remote", fmt.Sprintf("package x\nimport (_ %q; _ %q; _ %q)\n", module, module+"/image", "github.com/google/go-containerregistry/pkg/name"))
	require.Empty(t, importProblems(p, map[string]bool{"image/remote": true}))
}
