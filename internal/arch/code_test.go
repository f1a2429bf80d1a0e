package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// codeProblems checks what library code must not do: end the program, log,
// print, read flags, run code at import, keep mutable state in package
// variables, put temporary files where the caller did not say, hold a context
// in a struct. Unexported types with a Read or ReadAt method may hold one: they
// stand for one call, and the method has no room for it.
func codeProblems(p *pkg) (problems []string) {
	if isExample(p.path) {
		return nil
	}
	at := func(n ast.Node, format string, args ...any) {
		problems = append(problems, fmt.Sprintf("%s: %s", p.fset.Position(n.Pos()), fmt.Sprintf(format, args...)))
	}
	vars := map[string]bool{}
	readers := map[string]bool{}
	for _, f := range p.files {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv != nil && (fn.Name.Name == "Read" || fn.Name.Name == "ReadAt") {
				if id := base(fn.Recv.List[0].Type); id != nil && !id.IsExported() {
					readers[id.Name] = true
				}
			}
		}
	}
	for _, f := range p.files {
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
				for _, s := range g.Specs {
					for _, name := range s.(*ast.ValueSpec).Names {
						vars[name.Name] = name.Name != "_"
					}
				}
			}
		}
	}
	for _, f := range p.files {
		if generator(f) {
			continue
		}
		for _, imp := range f.Imports {
			if path := strings.Trim(imp.Path.Value, `"`); path == "log" || path == "flag" {
				at(imp, "package %s is for examples/", path)
			}
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if fn.Recv == nil && fn.Name.Name == "init" {
				at(fn, "no init(): nothing runs at import")
			}
			local := locals(fn)
			ast.Inspect(fn, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.AssignStmt:
					if n.Tok != token.DEFINE {
						for _, l := range n.Lhs {
							if id := base(l); id != nil && vars[id.Name] && !local[id.Name] {
								at(n, "assigns to package variable %s", id.Name)
							}
						}
					}
				case *ast.IncDecStmt:
					if id := base(n.X); id != nil && vars[id.Name] && !local[id.Name] {
						at(n, "changes package variable %s", id.Name)
					}
				}
				return true
			})
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				switch name := selector(n.Fun); {
				case name == "os.Exit":
					at(n, "os.Exit is for examples/")
				case strings.HasPrefix(name, "fmt.Print"):
					at(n, "%s prints: hand the text to the caller", name)
				case (name == "os.CreateTemp" || name == "os.MkdirTemp") && len(n.Args) > 0:
					if l, ok := n.Args[0].(*ast.BasicLit); ok && l.Value == `""` {
						at(n, "temporary files only in a directory the caller gave")
					}
				}
			case *ast.TypeSpec:
				if readers[n.Name.Name] {
					return false
				}
			case *ast.StructType:
				for _, field := range n.Fields.List {
					if s, ok := field.Type.(*ast.SelectorExpr); ok && selector(s) == "context.Context" {
						at(field, "no context in a struct")
					}
				}
			}
			return true
		})
	}
	return problems
}

// generator reports whether a file is a program for go generate, kept out of
// the build.
func generator(f *ast.File) bool {
	return f.Name.Name == "main"
}

// locals lists the names a function declares, which hide package variables.
func locals(fn *ast.FuncDecl) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, l := range n.Lhs {
					if id, ok := l.(*ast.Ident); ok {
						names[id.Name] = true
					}
				}
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				for _, e := range []ast.Expr{n.Key, n.Value} {
					if id, ok := e.(*ast.Ident); ok {
						names[id.Name] = true
					}
				}
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.Field:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		}
		return true
	})
	return names
}

// base returns the variable at the root of x, x[i], x.f, *x.
func base(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

func selector(e ast.Expr) string {
	if s, ok := e.(*ast.SelectorExpr); ok {
		if id, ok := s.X.(*ast.Ident); ok {
			return id.Name + "." + s.Sel.Name
		}
	}
	return ""
}

func TestCode(t *testing.T) {
	for _, p := range repository(t) {
		require.Empty(t, codeProblems(p), p.path)
	}
}

func TestCodeRefuses(t *testing.T) {
	for name, src := range map[string]string{
		"log":             `import "log"; func F() { log.Print() }`,
		"flag":            `import "flag"; var _ = flag.Args`,
		"exit":            `import "os"; func F() { os.Exit(1) }`,
		"print":           `import "fmt"; func F() { fmt.Println() }`,
		"init":            `func init() {}`,
		"assign":          `var n int; func F() { n = 1 }`,
		"count":           `var n int; func F() { n++ }`,
		"index":           `var m = map[string]int{}; func F() { m["a"] = 1 }`,
		"field":           `var s struct{ n int }; func F() { s.n = 1 }`,
		"temp":            `import "os"; func F() { os.CreateTemp("", "x") }`,
		"context":         `import "context"; type T struct{ ctx context.Context }`,
		"exported reader": `import "context"; type T struct{ ctx context.Context }; func (*T) Read([]byte) (int, error) { return 0, nil }`,
	} {
		require.NotEmpty(t, codeProblems(parsed(t, "vuln", "package x\n"+src)), name)
	}
	require.Empty(t, codeProblems(parsed(t, "vuln", `package x
		import "os"
		import "context"
		var n = 1
		type r struct{ ctx context.Context }
		func (*r) Read([]byte) (int, error) { return 0, nil }
		func F(dir string) { n := n; n++; os.CreateTemp(dir, "x") }`)))
	require.Empty(t, codeProblems(parsed(t, "examples/x", `package main
		import "os"
		func main() { os.Exit(1) }`)))
}
