// Package arch holds tests, no code: they keep the shape of the module. Each
// rule is a function over plain data, so that its own test can show it a case
// that breaks it.
package arch

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/boltseal/boltseal"

// layers are the folders that must not import each other.
var layers = []string{"image", "registry", "sbom", "secrets", "vuln", "runtime", "host", "orchestrator"}

// pkg is what the rules see of a package: its import path within the module
// ("" is the root), its imports, and its parsed files without tests.
type pkg struct {
	path    string
	imports []string // of non-test files, module prefix kept
	deps    []string // transitive
	files   []*ast.File
	tests   []*ast.File
	fset    *token.FileSet
}

// layer returns the layer a package belongs to, or "".
func layer(path string) string {
	first, _, _ := strings.Cut(path, "/")
	for _, l := range layers {
		if first == l {
			return l
		}
	}
	return ""
}

// inModule cuts the module's prefix off an import path.
func inModule(imp string) (string, bool) {
	if imp == module {
		return "", true
	}
	return strings.CutPrefix(imp, module+"/")
}

// isStd reports whether an import path is the standard library's.
func isStd(imp string) bool {
	first, _, _ := strings.Cut(imp, "/")
	return !strings.Contains(first, ".")
}

// repository returns all packages of the module, read once.
func repository(t *testing.T) []*pkg {
	pkgs, err := load()
	require.NoError(t, err)
	require.NotEmpty(t, pkgs)
	return pkgs
}

var load = sync.OnceValues(read)

// read lists and parses the module's packages.
func read() ([]*pkg, error) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,Deps,GoFiles,IgnoredGoFiles,TestGoFiles,XTestGoFiles", "./...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		os.Stderr.Write(stderr.Bytes())
		return nil, err
	}
	var pkgs []*pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var l struct {
			ImportPath, Dir                                    string
			Imports, Deps                                      []string
			GoFiles, IgnoredGoFiles, TestGoFiles, XTestGoFiles []string
		}
		if err := dec.Decode(&l); err == io.EOF {
			return pkgs, nil
		} else if err != nil {
			return nil, err
		}
		path, _ := inModule(l.ImportPath)
		p := &pkg{path: path, imports: l.Imports, deps: l.Deps, fset: token.NewFileSet()}
		for _, group := range []struct {
			names []string
			into  *[]*ast.File
		}{{append(l.GoFiles, l.IgnoredGoFiles...), &p.files}, {append(l.TestGoFiles, l.XTestGoFiles...), &p.tests}} {
			for _, name := range group.names {
				f, err := parser.ParseFile(p.fset, filepath.Join(l.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
				if err != nil {
					return nil, err
				}
				*group.into = append(*group.into, f)
			}
		}
		pkgs = append(pkgs, p)
	}
}

const root = "../.."

// parsed makes a package out of source text, for showing a rule what it must
// refuse.
func parsed(t *testing.T, path, src string) *pkg {
	p := &pkg{path: path, fset: token.NewFileSet()}
	f, err := parser.ParseFile(p.fset, "x.go", src, parser.ParseComments|parser.SkipObjectResolution)
	require.NoError(t, err)
	p.files = []*ast.File{f}
	for _, s := range f.Imports {
		p.imports = append(p.imports, strings.Trim(s.Path.Value, `"`))
	}
	return p
}
