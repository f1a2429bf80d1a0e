package arch

import (
	"bytes"
	"flag"
	"go/ast"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files in api/")

// api prints the exported declarations of a package, sorted, bodies and
// comments left out.
func api(p *pkg) string {
	var decls []string
	for _, f := range p.files {
		if generator(f) {
			continue
		}
		f.Comments = nil
		if !ast.FileExports(f) {
			continue
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				d.Body, d.Doc = nil, nil
				decls = append(decls, show(p.fset, d))
			case *ast.GenDecl:
				if d.Tok == token.IMPORT {
					continue
				}
				for _, s := range d.Specs {
					one := *d
					one.Doc, one.Lparen, one.Rparen = nil, 0, 0
					one.Specs = []ast.Spec{s}
					switch s := s.(type) {
					case *ast.ValueSpec:
						s.Doc, s.Comment = nil, nil
						if d.Tok == token.VAR {
							s.Values = nil
						}
					case *ast.TypeSpec:
						s.Doc, s.Comment = nil, nil
						ast.Inspect(s, func(n ast.Node) bool {
							if f, ok := n.(*ast.Field); ok {
								f.Doc, f.Comment = nil, nil
							}
							return true
						})
					}
					decls = append(decls, show(p.fset, &one))
				}
			}
		}
	}
	sort.Strings(decls)
	return strings.Join(decls, "\n") + "\n"
}

func show(fset *token.FileSet, n ast.Node) string {
	var b bytes.Buffer
	// A raw printer keeps the layout independent of line numbers.
	if err := (&printer.Config{Mode: printer.UseSpaces | printer.TabIndent, Tabwidth: 8}).Fprint(&b, fset, n); err != nil {
		return err.Error()
	}
	var lines []string
	for line := range strings.Lines(b.String()) {
		if line = strings.TrimRight(line, " \n"); strings.TrimSpace(line) != "" {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
	}
	return strings.Join(lines, "\n\t")
}

// TestAPI keeps every exported package's API in a golden file, so that a change
// of it is a line in a diff. Run with -update to accept one.
func TestAPI(t *testing.T) {
	want := map[string]bool{}
	pkgs, err := read() // api cuts the syntax trees down: not those that other tests share
	require.NoError(t, err)
	for _, p := range pkgs {
		if !exported(p.path) || len(p.files) == 0 {
			continue
		}
		name := strings.ReplaceAll(p.path, "/", "_")
		if name == "" {
			name = "boltseal"
		}
		golden := filepath.Join("api", name+".txt")
		want[golden] = true
		got := api(p)
		if *update {
			require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
			continue
		}
		old, err := os.ReadFile(golden)
		require.NoError(t, err, "no golden file: go test ./internal/arch -update")
		require.Equal(t, string(old), got, "the API of %q changed: go test ./internal/arch -update accepts it", p.path)
	}
	files, err := filepath.Glob("api/*.txt")
	require.NoError(t, err)
	for _, f := range files {
		if !want[f] && *update {
			require.NoError(t, os.Remove(f))
		} else {
			require.True(t, want[f], "%s describes a package that is gone", f)
		}
	}
}

func TestAPISeesChanges(t *testing.T) {
	a := api(parsed(t, "x", "package x\nfunc F(n int) {}\nfunc g() {}\ntype T struct{ A, b int }"))
	require.Equal(t, a, api(parsed(t, "x", "package x\n// F is.\nfunc F(n int) { g() }\nfunc h() {}\ntype T struct {\n A int // a\n b string\n}")))
	require.NotEqual(t, a, api(parsed(t, "x", "package x\nfunc F(n int64) {}\ntype T struct{ A, b int }")))
	require.Contains(t, a, "func F(n int)")
}
