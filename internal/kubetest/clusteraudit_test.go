package kubetest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/kubetest"
)

// program builds clusteraudit and returns a function that runs it.
func program(t *testing.T) func(args ...string) (stdout, stderr string, status int) {
	bin := filepath.Join(t.TempDir(), "clusteraudit")
	build := exec.Command("go", "build", "-o", bin, "./examples/clusteraudit")
	build.Dir = "../.."
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	return func(args ...string) (string, string, int) {
		var stdout, stderr bytes.Buffer
		cmd := exec.CommandContext(t.Context(), bin, args...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			require.True(t, errors.As(err, new(*exec.ExitError)), err)
		}
		return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
	}
}

// kubeconfig writes a file for one of the users without rights.
func kubeconfig(t *testing.T, c *kubetest.Cluster, user string) string {
	file := filepath.Join(t.TempDir(), user+".yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: u, user: {token: token-of-%s}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`, c.Config.Host, filepath.Join(c.CA, "ca.crt"), user), 0o600))
	return file
}

// bindTo gives a role, as YAML, to a user.
func bindTo(t *testing.T, c *kubetest.Cluster, role, name, user string) {
	c.Apply(t, role)
	c.Apply(t, fmt.Sprintf(`{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: %s},
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: %s}, subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: %s}]}`, name, name, user))
}

const auditGround = `
apiVersion: v1
kind: Namespace
metadata: {name: audited}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: audited}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: audited}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {serviceAccountName: web, containers: [{name: c, image: "registry.example/c:1", securityContext: {privileged: true}}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: audited-binder}
rules:
- {apiGroups: [rbac.authorization.k8s.io], resources: [clusterrolebindings], verbs: [create]}
- {apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [bind]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: audited-binder}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: audited-binder}
subjects: [{kind: ServiceAccount, name: web, namespace: audited}]
`

// TestClusteraudit runs the program against the API server: with the role that
// it prints, and with one that lacks two kinds.
func TestClusteraudit(t *testing.T) {
	c := kubetest.Running(t)
	run := program(t)
	c.Apply(t, auditGround)
	role, _, status := run("role", "-name", "clusteraudit")
	require.Zero(t, status)
	bindTo(t, c, role, "clusteraudit", "case-470")
	less := strings.NewReplacer("name: clusteraudit", "name: clusteraudit-less", "  - rolebindings\n", "", "  - pods\n", "").Replace(role)
	require.NotEqual(t, len(role)+len("-less"), len(less))
	bindTo(t, c, less, "clusteraudit-less", "case-471")
	whole, part, none := kubeconfig(t, c, "case-470"), kubeconfig(t, c, "case-471"), kubeconfig(t, c, "case-472")
	for _, file := range []string{whole, part} { // until the authorizer has seen the bindings
		require.Eventually(t, func() bool {
			out, _, _ := run("what-can", "audited/web", "-q", "-kubeconfig", file)
			return strings.Contains(out, "audited-binder")
		}, time.Minute, time.Second)
	}

	dir := t.TempDir()
	audit := func(file, name string) *boltseal.Report {
		out, text, _ := run("-kubeconfig", file, "-o", "json="+filepath.Join(dir, name+".json"), "-o", "html="+filepath.Join(dir, name+".html"), "-o", "table")
		require.Contains(t, out, "service account audited/web (confirmed)", text)
		require.Contains(t, out, "critical H08 privileged")
		data, err := os.ReadFile(filepath.Join(dir, name+".json"))
		require.NoError(t, err)
		r := &boltseal.Report{}
		require.NoError(t, json.Unmarshal(data, r))
		page, err := os.ReadFile(filepath.Join(dir, name+".html"))
		require.NoError(t, err)
		require.Contains(t, string(page), "a running cluster")
		return r
	}
	full := audit(whole, "whole")
	require.True(t, full.Complete, "%v", full.Skipped)
	cut := audit(part, "part")
	require.False(t, cut.Complete)
	var reasons []string
	for _, s := range cut.Skipped {
		reasons = append(reasons, s.Reason)
	}
	require.Contains(t, strings.Join(reasons, "\n"), `cannot list resource "pods"`)
	require.Contains(t, strings.Join(reasons, "\n"), `cannot list resource "rolebindings"`)
	verdicts := map[string]boltseal.Verdict{}
	for _, x := range full.Checks {
		verdicts[x.Rule] = x.Verdict
	}
	unknown := 0
	for _, x := range cut.Checks {
		switch x.Verdict {
		case boltseal.VerdictUnknown:
			unknown++
		case boltseal.VerdictPass, boltseal.VerdictNotApplicable:
			require.Equal(t, verdicts[x.Rule], x.Verdict, "%s %s: what was not seen is no pass: %s", x.Rule, x.Title, x.Reason)
		}
		if x.Rule == "W20" || x.Rule == "W17" || x.Rule == "H04" { // pods alone, and pods that could have failed it
			require.Equal(t, boltseal.VerdictUnknown, x.Verdict, x.Rule)
		}
	}
	require.Greater(t, unknown, 40)

	// Questions: answered from what was seen, 3 where that is not enough.
	_, _, status = run("-q", "-kubeconfig", whole)
	require.Equal(t, 0, status)
	_, _, status = run("-q", "-kubeconfig", part)
	require.Equal(t, 3, status, "incomplete")
	out, _, status := run("paths", "-q", "-from", "audited/web", "-kubeconfig", whole)
	require.Equal(t, 0, status)
	require.Contains(t, out, "E05 service account audited/web: create clusterrolebindings.rbac.authorization.k8s.io and bind clusterroles.rbac.authorization.k8s.io")
	require.Contains(t, out, "to end it: remove ServiceAccount:audited/web from ClusterRoleBinding audited-binder, or rule 0 of ClusterRole audited-binder")
	_, _, status = run("who-can", "frobnicate", "secrets", "-n", "audited", "-q", "-kubeconfig", whole)
	require.Equal(t, 0, status, "cluster-admin may")
	_, _, status = run("paths", "-q", "-from", "audited/default", "-kubeconfig", whole)
	require.Equal(t, 1, status, "no way")
	_, text, status := run("paths", "-from", "audited/default", "-kubeconfig", part)
	require.Equal(t, 3, status, "not known")
	require.Contains(t, text, "rolebindings.rbac.authorization.k8s.io, pods: forbidden")

	// A list of today is silent today.
	list, _, status := run("allowlist", "init", "-q", "-kubeconfig", whole)
	require.Equal(t, 0, status)
	file := filepath.Join(dir, "allowed.yaml")
	require.NoError(t, os.WriteFile(file, []byte(list), 0o600))
	_, _, status = run("allowlist", "check", "-list", file, "-q", "-kubeconfig", part)
	require.Equal(t, 3, status, "what was not seen may be granted")
	out, text, status = run("allowlist", "check", "-list", file, "-kubeconfig", whole)
	require.Equal(t, 0, status, text)
	require.Empty(t, out)
	c.Apply(t, `{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: audited-late},
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}, subjects: [{kind: ServiceAccount, namespace: kube-system, name: late}]}`)
	out, _, status = run("allowlist", "check", "-list", file, "-q", "-kubeconfig", whole)
	require.Equal(t, 1, status)
	require.True(t, strings.Contains(out, "granted, not listed: ServiceAccount:kube-system/late: get "), out[:min(len(out), 2000)])

	// Without any rights nothing is known, and nothing is a pass.
	out, _, status = run("-kubeconfig", none)
	require.Equal(t, 3, status)
	require.Contains(t, out, "not read: ")
}
