package arch

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

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
