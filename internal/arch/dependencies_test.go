package arch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// dependency is a module that go.mod requires directly.
type dependency struct {
	module string
	use    string // the packages that may import it; "test" for tests only
	why    string // why this one, and not our own code
}

// dependencies is the table of direct requirements. A new one is a new row,
// with its reason; weights_test.go and testdata/weights.txt hold what it weighs.
var dependencies = []dependency{
	{"github.com/klauspost/compress", "image, sbom, vuln", "gzip and zstd at twice the speed of the standard library; the figures to reach depend on it"},
	{"github.com/opencontainers/go-digest", "image, registry", "the digest type that every OCI library speaks"},
	{"github.com/opencontainers/image-spec", "image, registry", "the standard's own types"},
	{"github.com/google/go-containerregistry", "image/remote, internal/distribution, registry", "names, credentials and the token exchange of registries, well kept; the requests are our own, at half its cost"},
	{"go.etcd.io/bbolt", "registry", "one file, one writer, copy on write: what survives a power cut, in etcd for a decade"},
	{"github.com/RoaringBitmap/roaring/v2", "registry", "compressed sets of image numbers: a million images in a few MB"},
	{"golang.org/x/time", "internal/distribution", "the token bucket that paces requests"},
	{"github.com/nats-io/nats-server/v2", "registry/jetstream", "the queue, embedded in the process: no port, every write synced; only in the adapter"},
	{"github.com/nats-io/nats.go", "registry/jetstream", "its client"},
	{"k8s.io/api", "orchestrator", "Kubernetes' own types"},
	{"k8s.io/apimachinery", "orchestrator", "Kubernetes' own selectors, quantities and object metadata"},
	{"k8s.io/client-go", "orchestrator/kube, examples", "speaks to clusters; only in the adapter, for its weight"},
	{"k8s.io/component-helpers", "orchestrator", "whether rules cover others, as the API server decides it"},
	{"k8s.io/pod-security-admission", "orchestrator, examples", "the reference evaluator of the Pod Security Standards: nobody should write it again"},
	{"sigs.k8s.io/network-policy-api", "orchestrator", "the admin tiers' own types"},
	{"sigs.k8s.io/json", "orchestrator", "the API server's own JSON decoder: names of fields with their case, fields given twice found"},
	{"sigs.k8s.io/yaml", "orchestrator, examples", "Kubernetes' way from YAML to its types"},
	{"github.com/CycloneDX/cyclonedx-go", "sbom/cyclonedx, vuln/vex", "the standard's own types"},
	{"github.com/spdx/tools-golang", "sbom/spdx", "the standard's own types, readers and writers"},
	{"github.com/pandatix/go-cvss", "vuln", "CVSS 2 to 4, allocation free, tested against FIRST's calculators"},
	{"golang.org/x/mod", "vuln, sbom", "the Go command's own order and form of versions"},
	{"golang.org/x/sync", "image, vuln, registry", "bounded groups of goroutines"},
	{"golang.org/x/sys", "vuln, image", "memory mapping and file flags"},
	{"github.com/prometheus/client_golang", "examples", "metrics in the form that is scraped everywhere"},
	{"golang.org/x/term", "examples", "whether the output is a terminal, and how wide"},
	{"go.yaml.in/yaml/v3", "secrets, orchestrator", "rule files and Kubernetes manifests in YAML, with its own limits on aliases"},
	{"github.com/BurntSushi/toml", "secrets/gitleaks", "the format of the rules that are imported"},
	{"github.com/schollz/progressbar/v3", "examples", "progress on a terminal"},
	{"github.com/rivo/uniseg", "internal/report", "how wide a string is on a terminal, by Unicode's rules; the progress bar brings it anyway"},
	{"github.com/olareg/olareg", "test, internal/registryserver", "a registry with the referrers API, in process"},
	{"github.com/chromedp/cdproto", "test", "the protocol types that chromedp speaks"},
	{"github.com/stretchr/testify", "test, internal/registryserver", "assertions"},
	{"github.com/rogpeppe/go-internal", "test, internal/clitest", "script tests of the programs, and txtar"},
	{"github.com/santhosh-tekuri/jsonschema/v6", "test", "validates what we write against the official schemas"},
	{"github.com/chromedp/chromedp", "test", "drives Chromium to look at the HTML reports"},
}

// budget is the most packages outside the standard library that a program which
// imports just this package may compile, the module's own included. 0: no
// program should need it alone.
type budget struct {
	path     string
	packages int
	adapter  bool // heavy; its layer never imports it
}

var budgets = []budget{
	{"", 1, false},
	{"image", 45, false},
	{"image/imagetest", 45, false},
	{"image/remote", 65, true},
	{"image/daemon", 46, true},
	{"sbom", 20, false},
	{"sbom/cyclonedx", 8, true},
	{"sbom/spdx", 16, true},
	{"secrets", 5, false},
	{"secrets/gitleaks", 8, true},
	{"secrets/secretstest", 6, false},
	{"registry", 75, false},
	{"registry/registrytest", 76, false},
	{"registry/jetstream", 150, true},
	{"orchestrator", 330, false},
	{"orchestrator/kube", 620, true},
	{"orchestrator/orchestratortest", 335, false},
	{"vuln", 25, false},
	{"vuln/version", 4, false},
	{"vuln/vex", 8, false},
	{"vuln/snapshot", 28, true},
}

func adapters() map[string]bool {
	m := map[string]bool{}
	for _, b := range budgets {
		m[b.path] = b.adapter
	}
	return m
}

// outsideStd counts the packages of a dependency list that are not the standard
// library's, the package itself included.
func outsideStd(p *pkg) int {
	n := 1
	for _, d := range p.deps {
		if !isStd(d) && !strings.HasPrefix(d, "vendor/") {
			n++
		}
	}
	return n
}

func TestBudgets(t *testing.T) {
	known := map[string]int{}
	for _, b := range budgets {
		known[b.path] = b.packages
	}
	for _, p := range repository(t) {
		if !exported(p.path) || len(p.files) == 0 {
			continue
		}
		limit, ok := known[p.path]
		require.True(t, ok, "package %q has no budget: give it a row", p.path)
		require.LessOrEqual(t, outsideStd(p), limit, "package %q compiles more than its budget", p.path)
	}
	require.Equal(t, 3, outsideStd(&pkg{deps: []string{"fmt", "example.com/a", "vendor/golang.org/x/net", module}}))
}

// required reads go.mod's direct requirements.
func required(t *testing.T) (direct []string) {
	cmd := exec.Command("go", "mod", "edit", "-json")
	cmd.Dir = root
	out, err := cmd.Output()
	require.NoError(t, err)
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	require.NoError(t, json.Unmarshal(out, &mod))
	for _, r := range mod.Require {
		if !r.Indirect {
			direct = append(direct, r.Path)
		}
	}
	return direct
}

// tableProblems compares go.mod with the table of dependencies.
func tableProblems(direct []string, table []dependency) (problems []string) {
	rows := map[string]bool{}
	for _, d := range table {
		rows[d.module] = true
		if d.why == "" || d.use == "" {
			problems = append(problems, d.module+": no reason or no user given")
		}
		if !slices.Contains(direct, d.module) {
			problems = append(problems, d.module+": in the table and not in go.mod")
		}
	}
	for _, m := range direct {
		if !rows[m] {
			problems = append(problems, m+": in go.mod and not in the table")
		}
	}
	return problems
}

func TestDependencies(t *testing.T) {
	require.Empty(t, tableProblems(required(t), dependencies))
	require.Len(t, tableProblems([]string{"a", "b"}, []dependency{{"a", "image", ""}, {"c", "x", "y"}}), 3)
}

// useProblems checks that a package imports only modules whose row names it.
func useProblems(p *pkg, table []dependency) (problems []string) {
	for _, imp := range p.imports {
		for _, d := range table {
			if imp != d.module && !strings.HasPrefix(imp, d.module+"/") {
				continue
			}
			allowed := false
			for use := range strings.SplitSeq(d.use, ", ") {
				allowed = allowed || p.path == use || strings.HasPrefix(p.path, use+"/") ||
					use != "test" && strings.HasPrefix(p.path, "internal/")
			}
			if !allowed && !isExample(p.path) {
				problems = append(problems, fmt.Sprintf("%q imports %q; the table allows it to %s", p.path, imp, d.use))
			}
		}
	}
	return problems
}

func TestDependencyUse(t *testing.T) {
	for _, p := range repository(t) {
		if !strings.HasSuffix(p.path, "test") {
			require.Empty(t, useProblems(p, dependencies))
		}
	}
	table := []dependency{{"example.com/m", "image/remote", "x"}, {"example.com/t", "test", "x"}}
	require.Len(t, useProblems(parsed(t, "image", `package x; import _ "example.com/m/sub"`), table), 1)
	require.Len(t, useProblems(parsed(t, "internal/x", `package x; import _ "example.com/t"`), table), 1)
	require.Empty(t, useProblems(parsed(t, "image/remote", `package x; import _ "example.com/m/sub"`), table))
}

// TestWeights rewrites testdata/weights.txt with -update: what a program costs
// that imports one package of ours and nothing else, and what each module adds.
func TestWeights(t *testing.T) {
	golden := filepath.Join("testdata", "weights.txt")
	if !*update {
		b, err := os.ReadFile(golden)
		require.NoError(t, err, "no golden file: go test ./internal/arch -run Weights -update")
		for _, d := range dependencies {
			require.Contains(t, string(b), d.module+"\t", "not weighed: go test ./internal/arch -run Weights -update")
		}
		for _, b2 := range budgets {
			require.Contains(t, string(b), strings.TrimSuffix(module+"/"+b2.path, "/")+"\t")
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
	require.NoError(t, os.MkdirAll("testdata", 0o755))
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
