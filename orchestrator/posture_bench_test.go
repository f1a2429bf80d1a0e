package orchestrator_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/orchestrator"
)

// manyPods are manifests of n pods, every tenth of them privileged.
func manyPods(n int) fstest.MapFS {
	var b strings.Builder
	for i := range n {
		security := ""
		if i%10 == 0 {
			security = ", securityContext: {privileged: true}"
		}
		fmt.Fprintf(&b, "---\n{apiVersion: v1, kind: Pod, metadata: {name: p%d, namespace: ns%d}, spec: {containers: [{name: web, image: 'registry.example.com/web:1', env: [{name: A, value: b}], ports: [{containerPort: 80}]%s}, {name: side, image: 'registry.example.com/side:1'}], volumes: [{name: v, emptyDir: {}}]}}\n", i, i%100, security)
	}
	return fstest.MapFS{"pods.yaml": {Data: []byte(b.String())}}
}

func BenchmarkPosture(b *testing.B) {
	const n = 2000
	s, err := orchestrator.Load(b.Context(), manyPods(n), &orchestrator.LoadOptions{Complete: true})
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		failed := 0
		for r, err := range orchestrator.Posture(b.Context(), s, nil) {
			require.NoError(b, err)
			if r.Verdict == boltseal.VerdictFail {
				failed++
			}
		}
		require.Greater(b, failed, n)
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "pods/s")
}

func BenchmarkPodSecurity(b *testing.B) {
	const n = 2000
	s, err := orchestrator.Load(b.Context(), manyPods(n), nil)
	require.NoError(b, err)
	for b.Loop() {
		for _, err := range orchestrator.PodSecurityOf(b.Context(), s, nil) {
			require.NoError(b, err)
		}
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "pods/s")
}

// TestPostureOfArgoCD audits manifests that nobody wrote for this, where the
// module cache holds them (go mod download github.com/argoproj/argo-cd/v2@v2.14.0).
// What must be found was read in the manifests themselves.
func TestPostureOfArgoCD(t *testing.T) {
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	require.NoError(t, err)
	name := filepath.Join(strings.TrimSpace(string(out)), "github.com/argoproj/argo-cd/v2@v2.14.0/manifests/install.yaml")
	f, err := os.Open(name)
	if err != nil {
		t.Skipf("not in the module cache: %v", err)
	}
	defer f.Close()
	s, err := orchestrator.Read(t.Context(), f, "install.yaml", &orchestrator.LoadOptions{Namespace: "argocd", Complete: true})
	require.NoError(t, err)
	found := map[string]map[string]bool{}
	for _, r := range results(t, s, nil) {
		if found[r.Check.ID] == nil {
			found[r.Check.ID] = map[string]bool{}
		}
		if r.Verdict == boltseal.VerdictFail {
			found[r.Check.ID][r.Object.Name] = true
		}
	}
	// Its ClusterRole may do everything, by wildcards.
	require.True(t, found["R01"]["argocd-application-controller"])
	// The server's ClusterRole deletes, gets and patches anything.
	require.True(t, found["R02"]["argocd-server"])
	for _, none := range []string{"H01", "H02", "H03", "H04", "H05", "H06", "H08", "W13", "W14", "I01", "X01", "X03", "R11", "R12", "R18", "D01"} {
		require.Empty(t, found[none], none)
	}
	require.NotEmpty(t, found["W01"], "no container has a memory limit")
	require.NotEmpty(t, found["I02"], "images are named by tag")
}
