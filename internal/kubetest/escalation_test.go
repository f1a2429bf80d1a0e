package kubetest_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/internal/kubetest"
	"github.com/boltseal/boltseal/orchestrator"
	"github.com/boltseal/boltseal/orchestrator/kube"
)

// TestEscalationsAreReal gives each of many users some rights, asks for paths
// from the user to what it should not have, and then has the user try for real,
// with its own token. What is claimed must work, and what is not must be
// refused.
//
// All paths are computed on one snapshot, taken before anybody acts.
func TestEscalationsAreReal(t *testing.T) {
	c := kubetest.Running(t)
	cases := escalationCases()
	require.GreaterOrEqual(t, len(cases), 100)
	require.LessOrEqual(t, len(cases), kubetest.Users)
	c.Apply(t, escalationGround)
	for i := range cases {
		cases[i].name = fmt.Sprintf("case-%03d", i)
		c.Apply(t, cases[i].manifests())
	}
	waitForAccounts(t, c, cases)
	createStrongPod(t, c)
	snap, err := kube.Snapshot(t.Context(), c.Config, nil)
	require.NoError(t, err)
	settled := map[string]bool{
		// How this cluster is configured, which its objects do not tell.
		"anonymous-auth": true, "bootstrap-token-auth": true, "csr-signer": true, "pod-security-default": true, "controller-accounts": true,
		// What no object of this cluster does.
		"credentials": false, "bootstrap-token": false, "aws-auth": false, "node-of": false,
		// What attacks have happen: an administrator writes, a pod reads its settings,
		// a cloud trusts the account.
		"mutating-webhook": true, "mutating-policy": true, "reads": true, "cloud-trust": true,
		"control-plane-node": false, "metadata": false, "free": true, "volume-uid": true,
	}
	for _, e := range cases { // secrets are not read, but the cases say what is there
		if strings.Contains(e.extra, "service-account-token") {
			settled["credentials:vault"], settled["credentials:vault/"+e.name+"-token"] = true, true
		}
	}
	for _, e := range cases { // a policy that refuses privileged pods
		if strings.Contains(e.extra, "ValidatingAdmissionPolicy") {
			settled["admission:"+e.name] = false
		}
	}
	g := orchestrator.NewGraph(orchestrator.NewAccess(snap), &orchestrator.PathOptions{Settled: settled})

	var mu sync.Mutex
	claimed, refused := 0, 0
	ids := map[string]bool{}
	var wg sync.WaitGroup
	work := make(chan *escalationCase)
	for range 4 {
		wg.Go(func() {
			for e := range work {
				path, ok := g.Shortest(orchestrator.User(e.name).Position(), e.to(e))
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				err := e.attack(ctx, newAttacker(t, c, e))
				cancel()
				mu.Lock()
				switch {
				case ok && !path.Confirmed():
					t.Errorf("%s (%s): conditional:\n%s", e.name, e.title, path)
				case ok && err != nil:
					t.Errorf("%s (%s): false positive: %v\n%s", e.name, e.title, err, path)
				case !ok && err == nil:
					t.Errorf("%s (%s): false negative: it works, and no path was found", e.name, e.title)
				case ok != e.works:
					t.Errorf("%s (%s): the case expects %v, the API server and the graph say %v: %v", e.name, e.title, e.works, ok, err)
				case ok:
					claimed++
					for _, s := range path.Steps {
						ids[s.ID] = true
					}
				default:
					refused++
				}
				mu.Unlock()
			}
		})
	}
	for i := range cases {
		work <- &cases[i]
	}
	close(work)
	wg.Wait()
	t.Logf("%d identities: %d escalate, %d are refused; primitives shown: %s", len(cases), claimed, refused, strings.Join(sortedNames(ids), " "))
}

// waitForAccounts waits until the controller manager has made what it makes: its
// own accounts, and the default one of each namespace.
func waitForAccounts(t *testing.T, c *kubetest.Cluster, cases []escalationCase) {
	deadline := time.Now().Add(2 * time.Minute)
	wanted := []string{"kube-system/clusterrole-aggregation-controller", "vault/default"}
	for i := range cases {
		wanted = append(wanted, cases[i].name+"/default")
	}
	for _, want := range wanted {
		ns, name, _ := strings.Cut(want, "/")
		for {
			if _, err := c.Admin.CoreV1().ServiceAccounts(ns).Get(t.Context(), name, getOptions); err == nil {
				break
			}
			require.True(t, time.Now().Before(deadline), "service account %s does not appear", want)
			time.Sleep(200 * time.Millisecond)
		}
	}
}

// escalationGround is what all cases share: a strong account in namespace vault,
// one in namespace safe that a pod runs as, a user and a group that are strong,
// and roles to bind.
const escalationGround = `
apiVersion: v1
kind: Node
metadata: {name: t-node}
---
apiVersion: v1
kind: Namespace
metadata: {name: safe, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: strong, namespace: safe}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: cloud, namespace: safe, annotations: {eks.amazonaws.com/role-arn: t-role}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: safe}
---
apiVersion: v1
kind: Namespace
metadata: {name: vault, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: root, namespace: vault}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: weak, namespace: vault}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: t-full}
rules: [{verbs: ["*"], apiGroups: ["*"], resources: ["*"]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: t-weak}
rules: [{verbs: [get], apiGroups: [""], resources: [configmaps]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: t-strong}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: t-full}
subjects:
- {kind: ServiceAccount, namespace: vault, name: root}
- {kind: ServiceAccount, namespace: vault, name: gone}
- {kind: ServiceAccount, namespace: vault, name: absent}
- {kind: User, apiGroup: rbac.authorization.k8s.io, name: t-root}
- {kind: Group, apiGroup: rbac.authorization.k8s.io, name: t-roots}
`

// escalationCase is one user, its rights, and what it tries.
type escalationCase struct {
	title  string
	name   string // the user, the namespace and the roles are named so
	rules  string // "verbs resources[.group] [names]; …", across the cluster
	local  string // the same, in the user's own namespace
	vault  string // the same, in namespace vault
	safe   string // the same, in namespace safe, where a strong pod runs
	level  string // Pod Security level of the user's own namespace; default restricted
	extra  string // manifests; NAME stands for the name
	to     func(*escalationCase) orchestrator.Position
	attack func(context.Context, *attacker) error
	works  bool
}

func (e *escalationCase) manifests() string {
	level := e.level
	if level == "" {
		level = "restricted"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: v1\nkind: Namespace\nmetadata: {name: %s, labels: {pod-security.kubernetes.io/enforce: %s}}\n", e.name, level)
	for _, part := range []struct{ ns, rules, suffix string }{{"", e.rules, "r"}, {e.name, e.local, "l"}, {"vault", e.vault, "v"}, {"safe", e.safe, "s"}} {
		if part.rules == "" {
			continue
		}
		kind, meta := "Role", fmt.Sprintf("{name: %s-%s, namespace: %s}", e.name, part.suffix, part.ns)
		if part.ns == "" {
			kind, meta = "ClusterRole", fmt.Sprintf("{name: %s-%s}", e.name, part.suffix)
		}
		fmt.Fprintf(&b, "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: %s\nmetadata: %s\nrules:\n", kind, meta)
		for rule := range strings.SplitSeq(strings.ReplaceAll(part.rules, "NAME", e.name), ";") {
			f := strings.Fields(rule)
			resource, group, _ := strings.Cut(f[1], ".")
			if first, _, several := strings.Cut(group, ","); several { // a.g,b.g
				resource, group = strings.ReplaceAll(f[1], "."+first, ""), first
			}
			switch group {
			case "admission":
				group = "admissionregistration.k8s.io"
			case "rbac":
				group = "rbac.authorization.k8s.io"
			case "certs":
				group = "certificates.k8s.io"
			case "authn":
				group = "authentication.k8s.io"
			}
			fmt.Fprintf(&b, "- {verbs: [%s], apiGroups: [%q], resources: [%s]", quotedList(f[0]), group, quotedList(resource))
			if len(f) > 2 {
				fmt.Fprintf(&b, ", resourceNames: [%s]", quotedList(f[2]))
			}
			b.WriteString("}\n")
		}
		fmt.Fprintf(&b, "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: %sBinding\nmetadata: %s\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: %s, name: %s-%s}\nsubjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: %s}]\n",
			kind, meta, kind, e.name, part.suffix, e.name)
	}
	if e.extra != "" {
		b.WriteString("---\n" + strings.ReplaceAll(e.extra, "NAME", e.name))
	}
	return b.String()
}

func quotedList(list string) string {
	parts := strings.Split(list, ",")
	for i, p := range parts {
		parts[i] = fmt.Sprintf("%q", p)
	}
	return strings.Join(parts, ", ")
}
