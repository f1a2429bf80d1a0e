package orchestrator_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	psa "k8s.io/pod-security-admission/api"
	"sigs.k8s.io/yaml"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/orchestrator"
)

// TestPodSecurityUpstream runs the pods that the evaluator's own project keeps
// for every level, version and check.
func TestPodSecurityUpstream(t *testing.T) {
	dir := moduleDir(t, "k8s.io/pod-security-admission")
	e, err := orchestrator.NewPodSecurity()
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(dir, "test", "testdata", "*", "*", "*", "*.yaml"))
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("the module in the cache has no fixtures")
	}
	for _, name := range files {
		parts := strings.Split(filepath.ToSlash(name), "/")
		level, version, verdict := parts[len(parts)-4], parts[len(parts)-3], parts[len(parts)-2]
		v, err := psa.ParseVersion(version)
		require.NoError(t, err)
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		var pod corev1.Pod
		require.NoError(t, yaml.UnmarshalStrict(data, &pod), name)
		forbidden := e.Evaluate(psa.LevelVersion{Level: psa.Level(level), Version: v}, &pod.ObjectMeta, &pod.Spec)
		require.Equal(t, verdict == "pass", len(forbidden) == 0, "%s: %v", name, forbidden)
	}
	t.Logf("%d pods", len(files))
	require.Greater(t, len(files), 4000)
}

// moduleDir returns where the module cache holds a module of go.mod.
func moduleDir(t testing.TB, module string) string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skipf("module %s is not in the cache", module)
	}
	return dir
}

func podSecurity(t *testing.T, o *orchestrator.PodSecurityOptions, manifests ...string) []orchestrator.PodSecurityResult {
	s, err := orchestrator.Load(t.Context(), fstest.MapFS{"m.yaml": {Data: []byte(strings.Join(manifests, "\n---\n"))}}, nil)
	require.NoError(t, err)
	var all []orchestrator.PodSecurityResult
	for r, err := range orchestrator.PodSecurityOf(t.Context(), s, o) {
		require.NoError(t, err)
		all = append(all, r)
	}
	return all
}

const (
	privilegedPod = `{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: shop}, spec: {containers: [{name: c, image: i, securityContext: {privileged: true}}]}}`
	plainPod      = `{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: shop}, spec: {containers: [{name: c, image: i}]}}`
	userNSRoot    = `{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: shop}, spec: {hostUsers: false, securityContext: {runAsUser: 0, seccompProfile: {type: RuntimeDefault}}, containers: [{name: c, image: i, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]}}`
	restrictedPod = `{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: shop}, spec: {securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}, containers: [{name: c, image: i, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]}}`
)

func namespace(labels string) string {
	return `{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {` + labels + `}}}`
}

func TestPodSecurityVerdicts(t *testing.T) {
	const enforce = "pod-security.kubernetes.io/enforce: "
	for _, c := range []struct {
		name    string
		pod, ns string
		options *orchestrator.PodSecurityOptions
		verdict boltseal.Verdict
		reason  string
	}{
		{"refused", privilegedPod, namespace(enforce + "baseline"), nil, boltseal.VerdictFail, "baseline:latest forbids privileged"},
		{"admitted", plainPod, namespace(enforce + "baseline"), nil, boltseal.VerdictPass, ""},
		{"labelled privileged", privilegedPod, namespace(enforce + "privileged"), nil, boltseal.VerdictPass, ""},
		{"no label", privilegedPod, namespace(""), nil, boltseal.VerdictUnknown, "default is not visible"},
		{"no label, default given", privilegedPod, namespace(""), &orchestrator.PodSecurityOptions{Default: psa.LevelBaseline}, boltseal.VerdictFail, "baseline"},
		{"no label, harmless", restrictedPod, namespace(""), nil, boltseal.VerdictPass, ""},
		{"namespace unseen", plainPod, "", nil, boltseal.VerdictUnknown, "namespace was not seen"},
		{"bad label", plainPod, namespace(enforce + "strict"), nil, boltseal.VerdictUnknown, "does not parse"},
		{"uid 0 in its own user namespace, since 1.35", userNSRoot, namespace(enforce + "restricted"), nil, boltseal.VerdictPass, ""},
		{"uid 0 before 1.35", userNSRoot, namespace(enforce + "restricted, pod-security.kubernetes.io/enforce-version: v1.34"), nil, boltseal.VerdictFail, "runAsUser=0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := podSecurity(t, c.options, c.pod, c.ns)
			require.Len(t, all, 1)
			require.Equal(t, c.verdict, all[0].Verdict, all[0].Reason)
			require.Contains(t, all[0].Reason, c.reason)
		})
	}
}

func TestPodSecurityDistance(t *testing.T) {
	all := podSecurity(t, nil, privilegedPod, namespace("pod-security.kubernetes.io/enforce: privileged"))
	require.Len(t, all, 1)
	require.Len(t, all[0].Baseline, 1)
	require.Equal(t, "privileged", all[0].Baseline[0].Reason)
	var reasons []string
	for _, v := range all[0].Restricted {
		reasons = append(reasons, v.Reason)
	}
	require.ElementsMatch(t, []string{"privileged", "allowPrivilegeEscalation != false", "unrestricted capabilities", "runAsNonRoot != true", "seccompProfile"}, reasons)
}
