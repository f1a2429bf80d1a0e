package arch

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// parserName matches functions that read a format.
var parserName = regexp.MustCompile(`^([pP]arse|[rR]ead|[dD]ecode|[lL]oad|[uU]nmarshal)([A-Z]|$)`)

// readsFormat reports whether a package has a parser: a function so named that
// takes bytes, text or a reader.
func readsFormat(p *pkg) bool {
	for _, f := range p.files {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || !parserName.MatchString(fn.Name.Name) || fn.Recv != nil && strings.HasPrefix(fn.Name.Name, "Read") {
				continue // an io.Reader parses nothing by being read
			}
			for _, param := range fn.Type.Params.List {
				switch t := param.Type.(type) {
				case *ast.ArrayType:
					if id, ok := t.Elt.(*ast.Ident); ok && id.Name == "byte" {
						return true
					}
				case *ast.SelectorExpr:
					if s := selector(t); s == "io.Reader" || s == "io.ReaderAt" {
						return true
					}
				}
			}
		}
	}
	return false
}

// hasTest reports whether a package's tests hold a function with the prefix.
func hasTest(p *pkg, prefix string) bool {
	for _, f := range p.tests {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, prefix) {
				return true
			}
		}
	}
	return false
}

func TestParsersAreFuzzed(t *testing.T) {
	for _, p := range repository(t) {
		if readsFormat(p) && !isExample(p.path) && !strings.HasSuffix(p.path, "test") {
			require.True(t, hasTest(p, "Fuzz"), "package %q parses a format and has no Fuzz function", p.path)
		}
	}
	broken := parsed(t, "vuln", `package x; func parseThing(b []byte) {}`)
	require.True(t, readsFormat(broken))
	require.False(t, hasTest(broken, "Fuzz"))
}

func TestExportedPackagesHaveExamples(t *testing.T) {
	for _, p := range repository(t) {
		if exported(p.path) && len(p.files) > 0 {
			require.True(t, hasTest(p, "Example"), "package %q has no Example", p.path)
		}
	}
	require.False(t, hasTest(parsed(t, "vuln", `package x`), "Example"))
}

// exported reports whether other modules can import the package.
func exported(path string) bool {
	return !isExample(path) && !strings.HasPrefix(path, "internal") && !strings.Contains(path, "/internal")
}

func TestPackagesAreDocumented(t *testing.T) {
	for _, p := range repository(t) {
		if len(p.files) == 0 {
			continue
		}
		require.True(t, documented(p), "package %q has no package comment", p.path)
	}
	require.False(t, documented(parsed(t, "x", "package x")))
}

func documented(p *pkg) bool {
	for _, f := range p.files {
		if f.Doc != nil {
			return true
		}
	}
	return false
}

// places matches what would tie the project to one machine, the folder of this
// checkout and that of the module cache among it, and work left undone.
func places(t *testing.T) *regexp.Regexp {
	here, err := filepath.Abs(root)
	require.NoError(t, err)
	// With a slash behind it, so that a checkout in /app forbids no mention of
	// an image's own folder of that name.
	return regexp.MustCompile(`(^|[^\w.])` + regexp.QuoteMeta(filepath.ToSlash(here)) + `/(image|sbom|vuln|internal|examples)\b|/go/pkg/mod/|\b(TODO|FIXME)\b`)
}

func TestNoMachinePaths(t *testing.T) {
	var seen int
	places := places(t)
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == ".git" {
			return filepath.SkipDir
		}
		switch filepath.Ext(path) {
		case ".go", ".md", ".yml", ".txt", ".html", ".js", ".css":
			if strings.Contains(path, "testdata") || strings.HasSuffix(path, filepath.Join("arch", "hygiene_test.go")) {
				return nil
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			seen++
			if m := places.Find(b); m != nil {
				t.Errorf("%s: has %q", path, m)
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.NotZero(t, seen)
	here, err := filepath.Abs(root)
	require.NoError(t, err)
	require.True(t, places.MatchString("see "+filepath.ToSlash(here)+"/image/x.go")) // the rule bites
	require.False(t, places.MatchString("usr/lib/x, https://example.com/work/x"))
}
