package orchestrator

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// shortWorld reads manifests in short: a line "sa NS/NAME", "ns NAME [LEVEL]",
// "role [NS/]NAME: VERBS RESOURCES[.GROUP] [NAMES]; …", "bind [NS/]NAME ROLE
// SUBJECT…", or YAML after a line "---".
func shortWorld(t testing.TB, text string, opts *LoadOptions) *Snapshot {
	t.Helper()
	text, rest, _ := strings.Cut(text, "\n---\n")
	var b strings.Builder
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
		verb, args, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch verb {
		case "":
		case "ns":
			name, level, _ := strings.Cut(args, " ")
			fmt.Fprintf(&b, "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: %s\n", name)
			if level != "" {
				fmt.Fprintf(&b, "  labels: {pod-security.kubernetes.io/enforce: %s}\n", level)
			}
			b.WriteString("---\n")
		case "sa":
			ns, name, _ := strings.Cut(args, "/")
			fmt.Fprintf(&b, "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: %s, namespace: %s}\n---\n", name, ns)
		case "role":
			name, rules, ok := strings.Cut(args, ": ")
			require.True(t, ok, line)
			kind, meta := kindOf("Role", name)
			fmt.Fprintf(&b, "apiVersion: rbac.authorization.k8s.io/v1\nkind: %s\nmetadata: %s\nrules:\n", kind, meta)
			for rule := range strings.SplitSeq(rules, ";") {
				f := strings.Fields(rule)
				resource, group, _ := strings.Cut(f[1], ".")
				if group == "rbac" {
					group = rbacGroup
				}
				fmt.Fprintf(&b, "- {verbs: [%s], apiGroups: [%q], resources: [%s]", quoted(f[0]), group, quoted(resource))
				if len(f) > 2 {
					fmt.Fprintf(&b, ", resourceNames: [%s]", quoted(f[2]))
				}
				b.WriteString("}\n")
			}
			b.WriteString("---\n")
		case "bind":
			f := strings.Fields(args)
			kind, meta := kindOf("RoleBinding", f[0])
			roleKind := "ClusterRole"
			if role, ok := strings.CutPrefix(f[1], "./"); ok {
				roleKind, f[1] = "Role", role
			}
			fmt.Fprintf(&b, "apiVersion: rbac.authorization.k8s.io/v1\nkind: %s\nmetadata: %s\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: %s, name: %q}\nsubjects:\n", kind, meta, roleKind, f[1])
			for _, s := range f[2:] {
				if name, ok := strings.CutPrefix(s, "user="); ok {
					fmt.Fprintf(&b, "- {apiGroup: rbac.authorization.k8s.io, kind: User, name: %q}\n", name)
				} else if name, ok := strings.CutPrefix(s, "group="); ok {
					fmt.Fprintf(&b, "- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: %q}\n", name)
				} else {
					ns, name, _ := strings.Cut(s, "/")
					fmt.Fprintf(&b, "- {kind: ServiceAccount, namespace: %s, name: %s}\n", ns, name)
				}
			}
			b.WriteString("---\n")
		default:
			t.Fatalf("world: %q", line)
		}
	}
	b.WriteString(rest)
	s, err := Read(t.Context(), strings.NewReader(b.String()), "world.yaml", opts)
	require.NoError(t, err, b.String())
	return s
}

func kindOf(kind, name string) (string, string) {
	if ns, name, ok := strings.Cut(name, "/"); ok {
		return kind, fmt.Sprintf("{namespace: %s, name: %q}", ns, name)
	}
	return "Cluster" + kind, fmt.Sprintf("{name: %q}", name)
}

func quoted(list string) string {
	parts := strings.Split(list, ",")
	for i, p := range parts {
		parts[i] = fmt.Sprintf("%q", p)
	}
	return strings.Join(parts, ", ")
}

// shortest returns the IDs of a shortest path, "none", with "?" for a
// conditional one.
func shortest(g *Graph, from, to Position) string {
	p, ok := g.Shortest(from, to)
	if !ok {
		return "none"
	}
	var ids []string
	for _, s := range p.Steps {
		ids = append(ids, s.ID)
	}
	out := strings.Join(ids, " ")
	if !p.Confirmed() {
		out += "?"
	}
	return out
}

func TestPaths(t *testing.T) {
	web := ServiceAccount("shop", "web").Position()
	const base = "ns shop baseline\nns kube-system restricted\nsa shop/web\n"
	for _, test := range []struct {
		name  string
		world string
		to    Position
		want  string
	}{
		{"everything", "role r: * *.*\nbind b r shop/web", ClusterAdmin, "E01"},
		{"everything here only", "role r: * *.*\nbind shop/b r shop/web", ClusterAdmin, "none"},
		{"everything here", "role r: * *.*\nbind shop/b r shop/web", AdminOf("shop"), "E01"},
		{"core", "role r: * *\nbind b r shop/web", ClusterAdmin, "E02"},
		{"core here", "role r: * *\nbind shop/b r shop/web", ClusterAdmin, "none"},
		{"masters", "role r: impersonate users,groups\nbind b r shop/web", ClusterAdmin, "E11 E03"},
		{"groups alone", "role r: impersonate groups\nbind b r shop/web", ClusterAdmin, "none"},
		{"groups and accounts", "role r: impersonate groups; impersonate serviceaccounts nobody\nbind b r shop/web", ClusterAdmin, "E11 E03"},
		{"groups and accounts of a namespace", "role r: impersonate groups\nrole shop/s: impersonate serviceaccounts\nbind b r shop/web\nbind shop/c ./s shop/web", ClusterAdmin, "E11 E03"},
		{"masters by name", "role r: impersonate users; impersonate groups system:masters\nbind b r shop/web", ClusterAdmin, "E11 E03"},
		{"other group by name", "role r: impersonate users nobody; impersonate groups devs\nbind b r shop/web", ClusterAdmin, "none"},
		{"bind", "role r: create clusterrolebindings.rbac; bind clusterroles.rbac\nbind b r shop/web", ClusterAdmin, "E05"},
		{"bind by name", "role r: create clusterrolebindings.rbac; bind clusterroles.rbac cluster-admin\nbind b r shop/web\nrole cluster-admin: * *.*", ClusterAdmin, "E05 E01"},
		{"bind a weak role", "role r: create clusterrolebindings.rbac; bind clusterroles.rbac weak\nbind b r shop/web\nrole weak: get pods", ClusterAdmin, "none"},
		{"create bindings only", "role r: create clusterrolebindings.rbac\nbind b r shop/web", ClusterAdmin, "none"},
		{"bind only", "role r: bind clusterroles.rbac\nbind b r shop/web", ClusterAdmin, "none"},
		{"create named binding", "role r: create clusterrolebindings.rbac x; bind clusterroles.rbac\nbind b r shop/web", ClusterAdmin, "none"},
		{"create named binding by apply", "role r: create,patch clusterrolebindings.rbac x; bind clusterroles.rbac\nbind b r shop/web", ClusterAdmin, "E05"},
		{"bind here", "role shop/r: create rolebindings.rbac; bind clusterroles.rbac\nbind shop/b ./r shop/web", AdminOf("shop"), "E05"},
		{"bind here is not everywhere", "role shop/r: create rolebindings.rbac; bind clusterroles.rbac\nbind shop/b ./r shop/web", ClusterAdmin, "none"},
		{"join", "role r: update clusterrolebindings.rbac; bind clusterroles.rbac full\nbind b r shop/web\nrole full: * *.*\nbind ops full user=root", ClusterAdmin, "E06 E01"},
		{"join another", "role r: update clusterrolebindings.rbac other; bind clusterroles.rbac full\nbind b r shop/web\nrole full: * *.*\nbind ops full user=root", ClusterAdmin, "none"},
		{"two roles bound, both needed", "role r: create clusterrolebindings.rbac; bind clusterroles.rbac one,two\nbind b r shop/web\nrole one: impersonate users\nrole two: impersonate groups", ClusterAdmin, "E05 E11 E03"},
		{"escalate own role", "role r: update,escalate clusterroles.rbac r\nbind b r shop/web", ClusterAdmin, "E07"},
		{"escalate another role", "role r: update,escalate clusterroles.rbac other\nrole other: get pods\nbind b r shop/web", ClusterAdmin, "none"},
		{"escalate only", "role r: escalate clusterroles.rbac\nbind b r shop/web", ClusterAdmin, "none"},
		{"update roles only", "role r: update clusterroles.rbac\nbind b r shop/web", ClusterAdmin, "none"},
		{"escalate in a namespace", "role shop/r: update,escalate roles.rbac\nbind shop/b ./r shop/web", AdminOf("shop"), "E07"},
		{"escalate a role of a group", "role r: patch,escalate clusterroles.rbac g\nrole g: get pods\nbind b r shop/web\nbind c g group=system:serviceaccounts", ClusterAdmin, "E07"},
		{"bind what is escalated", "role r: create clusterrolebindings.rbac; bind clusterroles.rbac new; create,escalate clusterroles.rbac\nbind b r shop/web", ClusterAdmin, "E05 E07"},
		{"tokens", "role r: create serviceaccounts/token\nbind b r shop/web\nsa ops/root\nns ops\nrole full: * *.*\nbind c full ops/root", ClusterAdmin, "E15 E01"},
		{"tokens here", "role r: create serviceaccounts/token\nbind shop/b r shop/web\nsa ops/root\nns ops\nrole full: * *.*\nbind c full ops/root", ClusterAdmin, "none"},
		{"token by name", "role r: create serviceaccounts/token root\nbind b r shop/web\nsa ops/root\nns ops\nrole full: * *.*\nbind c full ops/root", ClusterAdmin, "E15 E01"},
		{"token of another", "role r: create serviceaccounts/token other\nbind b r shop/web\nsa ops/root\nsa ops/other\nns ops\nrole full: * *.*\nbind c full ops/root", ClusterAdmin, "none"},
		{"token of none", "role r: create serviceaccounts/token gone\nbind b r shop/web\nns ops\nrole full: * *.*\nbind c full ops/gone", ServiceAccount("ops", "gone").Position(), "none"},
		{"impersonate none", "role r: impersonate serviceaccounts\nbind b r shop/web\nns ops\nrole full: * *.*\nbind c full ops/gone", ClusterAdmin, "E12 E01"},
		{"create the missing", "role r: create serviceaccounts/token,serviceaccounts\nbind b r shop/web\nns ops\nrole full: * *.*\nbind c full ops/gone", ClusterAdmin, "E15 E08 E01"},
		{"create the missing in a missing namespace", "role r: create serviceaccounts/token gone; create serviceaccounts\nbind b r shop/web\nrole full: * *.*\nbind c full ops/gone", ServiceAccount("ops", "gone").Position(), "none"},
		{"run as", "role r: create pods\nbind ops/b r shop/web\nns ops restricted\nsa ops/root\nrole full: * *.*\nbind c full ops/root", ClusterAdmin, "E30 E01"},
		{"run as, by job", "role r: create jobs.batch\nbind ops/b r shop/web\nns ops restricted\nsa ops/root\nrole full: * *.*\nbind c full ops/root", ClusterAdmin, "E32 E01"},
		{"patch jobs", "role r: patch jobs.batch\nbind ops/b r shop/web\nns ops restricted\nsa ops/root\nrole full: * *.*\nbind c full ops/root", ClusterAdmin, "none"},
		{"patch no deployments", "role r: patch deployments.apps\nbind ops/b r shop/web\nns ops restricted\nsa ops/root\nrole full: * *.*\nbind c full ops/root", ClusterAdmin, "none"},
		{"token secret", "role r: create,get secrets\nbind ops/b r shop/web\nns ops\nsa ops/root\nrole full: * *.*\nbind c full ops/root", ClusterAdmin, "E19 E01"},
		{"token secret, read only", "role r: get secrets\nbind ops/b r shop/web\nns ops\nsa ops/root\nrole full: * *.*\nbind c full ops/root", ClusterAdmin, "none"},
		{"token secret, create only", "role r: create secrets\nbind ops/b r shop/web\nns ops\nsa ops/root\nrole full: * *.*\nbind c full ops/root", ClusterAdmin, "none"},
		{"token secret, by two accounts", "role c: create secrets\nrole g: get secrets; create serviceaccounts/token web2\nbind ops/b c shop/web2\nbind ops/d g shop/web\nbind shop/d g shop/web\nsa shop/web2\nns ops\nsa ops/root\nrole full: * *.*\nbind c full ops/root", ClusterAdmin, "E15 E19 E01"},
		{"stored token", "role r: list secrets\nbind ops/b r shop/web\nns ops\nsa ops/root\nrole full: * *.*\nbind c full ops/root\n---\napiVersion: v1\nkind: Secret\ntype: kubernetes.io/service-account-token\nmetadata: {name: t, namespace: ops, annotations: {kubernetes.io/service-account.name: root}}\n", ClusterAdmin, "E17 E01"},
		{"stored token of another name", "role r: get secrets x\nbind ops/b r shop/web\nns ops\nsa ops/root\nrole full: * *.*\nbind c full ops/root\n---\napiVersion: v1\nkind: Secret\ntype: kubernetes.io/service-account-token\nmetadata: {name: t, namespace: ops, annotations: {kubernetes.io/service-account.name: root}}\n", ClusterAdmin, "none"},
		{"nameless list", "role r: list secrets ,x\nbind ops/b r shop/web\nns ops", SecretsOf("ops"), "E17"},
		{"privileged", "role r: create pods\nbind ops/b r shop/web\nns ops privileged", AnyNode, "E30 E31"},
		{"baseline", "role r: create pods\nbind ops/b r shop/web\nns ops baseline", AnyNode, "none"},
		{"no level", "role r: create pods\nbind ops/b r shop/web\nns ops", AnyNode, "E30 E31?"},
		{"relabel", "role r: create pods; patch namespaces\nbind ops/b r shop/web\nns ops baseline", AnyNode, "E30 E57 E31"},
		{"relabel another", "role r: create pods; patch namespaces other\nbind ops/b r shop/web\nns ops baseline", AnyNode, "none"},
		{"new namespace", "role r: create pods,namespaces\nbind b r shop/web", AnyNode, "E58"},
		{"new namespace alone", "role r: create namespaces\nbind b r shop/web", AnyNode, "none"},
		{"volume", "role r: create pods,persistentvolumeclaims,persistentvolumes\nbind b r shop/web", AnyNode, "E30 E48"},
		{"volume without a claim", "role r: create persistentvolumes\nbind b r shop/web\nrole shop/p: create pods\nbind shop/b ./p shop/web", AnyNode, "none"},
		{"csr", "role r: create certificatesigningrequests.certificates.k8s.io; update certificatesigningrequests/approval.certificates.k8s.io; approve signers.certificates.k8s.io kubernetes.io/kube-apiserver-client\nbind b r shop/web\nrole full: * *.*\nbind c full user=root", ClusterAdmin, "E21 E01?"},
		{"csr without approve", "role r: create certificatesigningrequests.certificates.k8s.io; update certificatesigningrequests/approval.certificates.k8s.io\nbind b r shop/web\nrole full: * *.*\nbind c full user=root", ClusterAdmin, "none"},
		{"user", "role r: impersonate users root\nbind b r shop/web\nrole full: * *.*\nbind c full user=root", ClusterAdmin, "E10 E01"},
		{"account by its user name", "role r: impersonate users system:serviceaccount:ops:root\nbind b r shop/web\nrole full: * *.*\nbind c full ops/root\nsa ops/root\nns ops", ClusterAdmin, "none"},
		{"default edit", "role r: create pods/exec,pods/attach\nbind ops/b r shop/web\nns ops\nsa ops/root\nrole full: * *.*\nbind c full ops/root\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: ops}\nspec: {serviceAccountName: root, containers: [{name: c, image: i}]}\n", ClusterAdmin, "E35  E01"},
		{"exec, no token", "role r: create pods/exec\nbind ops/b r shop/web\nns ops\nsa ops/root\nrole full: * *.*\nbind c full ops/root\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: ops}\nspec: {automountServiceAccountToken: false, serviceAccountName: root, containers: [{name: c, image: i}]}\n", ClusterAdmin, "none"},
		{"get exec", "role r: get pods/exec\nbind ops/b r shop/web\nns ops\nsa ops/root\nrole full: * *.*\nbind c full ops/root\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: ops}\nspec: {serviceAccountName: root, containers: [{name: c, image: i}]}\n", ClusterAdmin, "none"},
		{"constrained", "role r: impersonate:serviceaccount serviceaccounts.authentication.k8s.io root; impersonate-on:serviceaccount:create clusterrolebindings.rbac\nbind b r shop/web\nns ops\nsa ops/root\nrole full: * *.*\nbind c full ops/root", ClusterAdmin, "E14 E01?"},
		{"constrained, one half", "role r: impersonate:serviceaccount serviceaccounts.authentication.k8s.io root\nbind b r shop/web\nns ops\nsa ops/root\nrole full: * *.*\nbind c full ops/root", ClusterAdmin, "none"},
		{"constrained, the other half", "role r: impersonate-on:serviceaccount:create clusterrolebindings.rbac\nbind b r shop/web\nns ops\nsa ops/root\nrole full: * *.*\nbind c full ops/root", ClusterAdmin, "none"},
		{"pods/* is nothing", "role r: * pods/*\nbind ops/b r shop/web\nns ops", PodsOf("ops"), "none"},
		{"join of own and group rights", "role r: impersonate users\nrole g: impersonate groups\nbind b r shop/web\nbind c g group=system:serviceaccounts", ClusterAdmin, "E11 E03"},
	} {
		t.Run(test.name, func(t *testing.T) {
			manifest, rest, ok := strings.Cut(test.world, "\n---\n")
			text := base + manifest
			if ok {
				text += "\n---\n" + rest
			}
			g := NewGraph(NewAccess(shortWorld(t, text, &LoadOptions{Complete: true})), nil)
			require.Equal(t, test.want, shortest(g, web, test.to), "seen from %s", web)
		})
	}
}
