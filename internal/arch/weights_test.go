package arch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const weighAgain = "go test ./internal/arch -run Weights -update"

// TestWeights holds testdata/weights.txt against the tables and the packages
// that each of ours compiles. With -update it rewrites the file: what a program
// costs that imports one package of ours and nothing else, and what each module
// adds.
func TestWeights(t *testing.T) {
	golden := filepath.Join("testdata", "weights.txt")
	if !*update {
		b, err := os.ReadFile(golden)
		require.NoError(t, err, "no golden file: %s", weighAgain)
		for _, d := range dependencies {
			require.Contains(t, string(b), d.module+"\t", "not weighed: %s", weighAgain)
		}
		for _, p := range repository(t) {
			if exported(p.path) && len(p.files) > 0 {
				path := strings.TrimSuffix(module+"/"+p.path, "/")
				require.Contains(t, string(b), fmt.Sprintf("%s\t%d\t", path, outsideStd(p)), "%q compiles another number of packages: %s", p.path, weighAgain)
			}
		}
		return
	}
	var out bytes.Buffer
	out.WriteString("# package\tpackages outside std\tMB of a program that imports it\n")
	for _, b := range budgets {
		path := strings.TrimSuffix(module+"/"+b.path, "/")
		n, size := weigh(t, path)
		fmt.Fprintf(&out, "%s\t%d\t%.1f\n", path, n, float64(size)/1e6)
	}
	out.WriteString("\n# module\tpackages compiled\tKB of Go source\n")
	weights := moduleWeights(t)
	var names []string
	for _, d := range dependencies {
		names = append(names, d.module)
	}
	sort.Strings(names)
	for _, m := range names {
		fmt.Fprintf(&out, "%s\t%d\t%d\n", m, weights[m].packages, weights[m].bytes/1000)
	}
	require.NoError(t, os.WriteFile(golden, out.Bytes(), 0o644))
}

// weigh builds a program that imports one package and keeps all of it.
func weigh(t *testing.T, path string) (packages int, size int64) {
	dir, err := os.MkdirTemp(root, ".weigh")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	src := fmt.Sprintf("package main\nimport _ %q\nfunc main() {}\n", path)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(src), 0o644))
	bin := filepath.Join(dir, "x")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", "x", ".")
	cmd.Dir = dir
	msg, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", msg)
	info, err := os.Stat(bin)
	require.NoError(t, err)
	cmd = exec.Command("go", "list", "-deps", ".")
	cmd.Dir = dir
	out, err := cmd.Output()
	require.NoError(t, err)
	for line := range strings.Lines(string(out)) {
		if imp := strings.TrimSpace(line); !isStd(imp) && !strings.HasPrefix(imp, "vendor/") && !strings.Contains(imp, ".weigh") {
			packages++
		}
	}
	return packages, info.Size()
}

type weight struct{ packages, bytes int }

// moduleWeights measures, per module, the packages that building and testing
// everything compiles, and their source.
func moduleWeights(t *testing.T) map[string]weight {
	cmd := exec.Command("go", "list", "-deps", "-test", "-json=Dir,GoFiles,Module,ForTest", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	require.NoError(t, err)
	weights, seen := map[string]weight{}, map[string]bool{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Dir     string
			GoFiles []string
			Module  *struct{ Path string }
		}
		if err := dec.Decode(&p); err == io.EOF {
			return weights
		} else {
			require.NoError(t, err)
		}
		if p.Module == nil || seen[p.Dir] {
			continue
		}
		seen[p.Dir] = true
		w := weights[p.Module.Path]
		w.packages++
		for _, name := range p.GoFiles {
			if info, err := os.Stat(filepath.Join(p.Dir, name)); err == nil {
				w.bytes += int(info.Size())
			}
		}
		weights[p.Module.Path] = w
	}
}
