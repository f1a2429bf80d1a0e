package arch

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
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
// with its reason; testdata/weights.txt holds what it weighs (weights_test.go).
var dependencies = []dependency{
	{"github.com/klauspost/compress", "image, sbom, vuln, registry/jetstream", "gzip and zstd at twice the speed of the standard library; the figures to reach depend on it"},
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
	{"github.com/CycloneDX/cyclonedx-go", "sbom/cyclonedx", "the standard's own types"},
	{"github.com/spdx/tools-golang", "sbom/spdx", "the standard's own types, readers and writers"},
	{"github.com/pandatix/go-cvss", "vuln", "CVSS 2 to 4, allocation free, tested against FIRST's calculators"},
	{"golang.org/x/mod", "sbom", "the Go command's own order and form of versions"},
	{"golang.org/x/sync", "image, vuln, registry", "bounded groups of goroutines"},
	{"golang.org/x/sys", "vuln", "memory mapping; processor time in internal/bare"},
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

// unusedRights lists the users in the table that import nothing of their module.
func unusedRights(pkgs []*pkg, table []dependency) (problems []string) {
	for _, d := range table {
		for use := range strings.SplitSeq(d.use, ", ") {
			if use != "test" && !slices.ContainsFunc(pkgs, func(p *pkg) bool {
				return (p.path == use || strings.HasPrefix(p.path, use+"/")) && slices.ContainsFunc(p.imports, func(imp string) bool {
					return imp == d.module || strings.HasPrefix(imp, d.module+"/")
				})
			}) {
				problems = append(problems, fmt.Sprintf("%s: %s does not import it", d.module, use))
			}
		}
	}
	return problems
}

func TestDependencyRights(t *testing.T) {
	require.Empty(t, unusedRights(repository(t), dependencies))
	p := parsed(t, "image", `package x; import _ "example.com/m/sub"`)
	require.Len(t, unusedRights([]*pkg{p}, []dependency{{"example.com/m", "image, vuln", "x"}}), 1)
}
