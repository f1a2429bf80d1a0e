package arch

import (
	"bytes"
	"flag"
	"go/ast"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files in api/")

// api prints the exported declarations of a package, sorted, without bodies and
// comments, and without the methods of types that are not exported.
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
				if d.Recv != nil && !ast.IsExported(receiver(d.Recv.List[0].Type)) {
					continue
				}
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
	slices.Sort(decls)
	return strings.Join(decls, "\n") + "\n"
}

// receiver is the name of a receiver's type: T of T, *T and *T[P].
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	}
	return ""
}

// apiChanges lists the declarations that only one of two APIs has.
func apiChanges(old, now string) (changes []string) {
	declarations := func(api string) []string {
		return strings.Split(strings.ReplaceAll(api, "\n\t", "\v"), "\n")
	}
	was, is := declarations(old), declarations(now)
	for _, d := range was {
		if !slices.Contains(is, d) {
			changes = append(changes, "- "+strings.ReplaceAll(d, "\v", "\n\t"))
		}
	}
	for _, d := range is {
		if !slices.Contains(was, d) {
			changes = append(changes, "+ "+strings.ReplaceAll(d, "\v", "\n\t"))
		}
	}
	return changes
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
		if changes := apiChanges(string(old), got); len(changes) > 0 {
			t.Errorf("the API of %q changed; go test ./internal/arch -run TestAPI -update accepts it:\n%s", p.path, strings.Join(changes, "\n"))
		}
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

	b := api(parsed(t, "x", "package x\ntype T[P any] struct{}\nfunc (*T[P]) M() {}\ntype u struct{}\nfunc (u) M() {}\nfunc (*u) N() {}"))
	require.Equal(t, "func (*T[P]) M()\ntype T[P any] struct{}\n", b)

	require.Empty(t, apiChanges(a, a))
	require.Equal(t, []string{"- type T struct {\n\tA int\n\t}", "+ type T struct {\n\tA, B int\n\t}"},
		apiChanges("func F()\ntype T struct {\n\tA int\n\t}\n", "func F()\ntype T struct {\n\tA, B int\n\t}\n"))
}
