package orchestrator

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rowCase shows a primitive: a world in which the start has it, and one that
// differs in the one thing that takes it away. For a step of paths, to is where
// a path must lead; without it, the primitive is an effect.
type rowCase struct {
	world, near string
	from, to    Position // from: default service account shop/web
	minor       int      // default 36
	nearMinor   int      // default the same
}

// Objects that cases share. The account ops/root may do everything.
const (
	rowRoot = "\nns ops restricted\nsa ops/root\nrole full: * *.*\nbind root full ops/root"
	rowPod  = `
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: ops}
spec: {serviceAccountName: root, nodeName: n1, containers: [{name: c, image: i}]}
`
	rowPrivileged = `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec: {serviceAccountName: web, nodeName: n1, containers: [{name: c, image: i, securityContext: {privileged: true}}]}
`
	rowStored = `
apiVersion: v1
kind: Secret
type: kubernetes.io/service-account-token
metadata: {name: t, namespace: ops, annotations: {kubernetes.io/service-account.name: root}}
`
	rowHook = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: h}
webhooks: [{name: h.example.com, rules: [{apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}]}]
`
)

func rowNode(more string) string {
	return "\napiVersion: v1\nkind: Node\nmetadata: {name: n1" + more + "}\n"
}

// granted is a world in which shop/web has the rules in a namespace, or in the
// cluster.
func granted(ns, rules string) string {
	if ns == "" {
		return "\nrole r: " + rules + "\nbind b r shop/web"
	}
	return "\nrole r: " + rules + "\nbind " + ns + "/b r shop/web"
}

func rowCases() map[string]rowCase {
	root, gone := ServiceAccount("ops", "root").Position(), ServiceAccount("ops", "gone").Position()
	effect := func(ns, rules, near string) rowCase {
		return rowCase{world: granted(ns, rules), near: granted(ns, near)}
	}
	to := func(p Position, ns, rules, near, more string) rowCase {
		return rowCase{world: granted(ns, rules) + more, near: granted(ns, near) + more, to: p}
	}
	const csr = "create,get certificatesigningrequests.certificates.k8s.io; update certificatesigningrequests/approval.certificates.k8s.io"
	webPod := (&Workload{Meta: Meta{Namespace: "shop", Name: "web"}, Kind: "Pod"}).Position()
	victim := (&Workload{Meta: Meta{Namespace: "ops", Name: "p"}, Kind: "Pod"}).Position()
	return map[string]rowCase{
		"E01": {world: granted("", "* *.*"), near: granted("shop", "* *.*"), to: ClusterAdmin},
		"E02": {world: granted("", "* *"), near: granted("shop", "* *"), to: ClusterAdmin},
		"E03": to(ClusterAdmin, "", "impersonate users; impersonate groups system:masters", "impersonate users; impersonate groups system:nodes", ""),
		"E04": {world: "\nrole full: * *.*\nbind b full group=system:unauthenticated", near: "\nbind b system:discovery group=system:unauthenticated", from: Anonymous().Position(), to: ClusterAdmin},
		"E05": to(ClusterAdmin, "", "create clusterrolebindings.rbac; bind clusterroles.rbac", "create clusterrolebindings.rbac", ""),
		"E06": to(ClusterAdmin, "", "update clusterrolebindings.rbac; bind clusterroles.rbac full", "update clusterrolebindings.rbac", rowRoot),
		"E07": to(ClusterAdmin, "", "update,escalate clusterroles.rbac", "update clusterroles.rbac", ""),
		"E08": to(gone, "ops", "create serviceaccounts,serviceaccounts/token", "create serviceaccounts", rowRoot+"\nbind g full ops/gone"),
		"E09": {world: granted("shop", "create roles.rbac") + "\nbind shop/d ./nowhere user=u", near: granted("shop", "create roles.rbac")},

		"E10": to(ClusterAdmin, "", "impersonate users boss", "impersonate users nobody", rowRoot+"\nbind boss full user=boss"),
		"E11": to(ClusterAdmin, "", "impersonate users nobody; impersonate groups", "impersonate groups", ""),
		"E12": to(root, "ops", "impersonate serviceaccounts root", "impersonate serviceaccounts other", rowRoot),
		"E13": effect("", "impersonate userextras/scopes.authentication.k8s.io; impersonate users", "impersonate userextras,userextras/*.authentication.k8s.io; impersonate users"),
		"E14": to(root, "", "impersonate:serviceaccount serviceaccounts.authentication.k8s.io root; impersonate-on:serviceaccount:create pods", "impersonate:serviceaccount serviceaccounts.authentication.k8s.io root", rowRoot),
		"E15": to(root, "ops", "create serviceaccounts/token", "get serviceaccounts/token", rowRoot),
		"E16": effect("shop", "create serviceaccounts/token", "create serviceaccounts"),
		"E17": to(root, "ops", "list secrets", "delete secrets", rowRoot+"\n---\n"+rowStored),
		"E18": to(ClusterAdmin, "kube-system", "create serviceaccounts/token", "get serviceaccounts/token", "\nsa kube-system/clusterrole-aggregation-controller"),
		"E19": to(root, "ops", "create,get secrets", "create secrets", rowRoot),
		"E20": {world: granted("kube-system", "create secrets"), near: granted("shop", "create secrets"), to: User(bootstrapUser).Position()},
		"E21": to(ClusterAdmin, "", csr+"; approve signers.certificates.k8s.io kubernetes.io/kube-apiserver-client", csr, rowRoot+"\nbind boss full user=boss"),
		"E22": to(NodeIdentity, "", "create,get certificatesigningrequests.certificates.k8s.io; create certificatesigningrequests/nodeclient.certificates.k8s.io",
			"create,get certificatesigningrequests.certificates.k8s.io; create certificatesigningrequests/selfnodeclient.certificates.k8s.io", ""),
		"E23": effect("", "update certificatesigningrequests/status.certificates.k8s.io; sign signers.certificates.k8s.io", "update certificatesigningrequests/status.certificates.k8s.io"),
		"E24": effect("", "create clustertrustbundles.certificates.k8s.io", "attest signers.certificates.k8s.io"),
		"E25": effect("", "update podcertificaterequests/status.certificates.k8s.io; sign signers.certificates.k8s.io", "sign signers.certificates.k8s.io"),

		"E30": to(root, "ops", "create pods", "update,patch,delete pods", rowRoot),
		"E31": {world: granted("ops", "create pods") + "\nns ops privileged", near: granted("ops", "create pods") + "\nns ops baseline", to: AnyNode},
		"E32": to(root, "ops", "create jobs.batch", "patch jobs.batch", rowRoot),
		"E33": to(root, "ops", "patch pods", "patch pods/status", rowRoot+"\n---\n"+rowPod),
		"E34": effect("shop", "patch deployments/scale.apps", "get deployments/scale.apps"),
		"E35": to(root, "ops", "create pods/exec", "get pods/exec", rowRoot+"\n---\n"+rowPod),
		"E36": to(root, "ops", "patch pods/ephemeralcontainers", "get pods/ephemeralcontainers", rowRoot+"\n---\n"+rowPod),
		"E37": effect("shop", "get services/proxy", "list services"),
		"E38": effect("shop", "get pods/log", "get pods"),
		"E39": effect("shop", "create pods/binding", "create bindings"),
		"E40": {world: granted("", "create pods/eviction; patch nodes") + rowRoot + "\n---\n" + rowPrivileged + "---" + strings.Replace(rowPod, "n1", "n2", 1),
			near: granted("", "create pods/eviction") + rowRoot + "\n---\n" + rowPrivileged + "---" + strings.Replace(rowPod, "n1", "n2", 1), from: webPod, to: root},
		"E41": effect("", "patch nodes", "patch nodes/status"),
		"E42": effect("", "patch nodes/status", "patch nodes"),
		"E43": to(root, "", "get nodes/proxy", "get nodes/metrics", rowRoot+"\n---\n"+rowPod),
		"E44": to(ClusterAdmin, "kube-system", "patch configmaps aws-auth", "patch configmaps coredns", "\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: aws-auth, namespace: kube-system}\n"),
		"E45": effect("", "get nodes/metrics", "get nodes"),
		"E46": effect("", "create nodes/checkpoint", "get nodes/checkpoint"),
		"E47": to(victim, "ops", "patch configmaps settings", "patch configmaps other", rowRoot+"\n---\n"+strings.Replace(rowPod, "image: i}", "image: i, envFrom: [{configMapRef: {name: settings}}]}", 1)),
		"E48": to(AnyNode, "", "create persistentvolumes", "get persistentvolumes", "\nrole shop/l: create pods,persistentvolumeclaims\nbind shop/l ./l shop/web"),
		"E49": effect("", "create storageclasses.storage.k8s.io", "create storageclasses"),
		"E50": effect("shop", "create pods", "create podtemplates"),
		"E51": {world: granted("ops", "create serviceaccounts/token") + "\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: c, namespace: ops, annotations: {eks.amazonaws.com/role-arn: a}}\n",
			near: granted("ops", "create serviceaccounts/token") + "\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: c, namespace: ops, annotations: {example.com/role-arn: a}}\n", to: CloudRole("a")},
		"E52": {world: granted("ops", "create pods") + "\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: c, namespace: ops, annotations: {kubernetes.io/enforce-mountable-secrets: \"true\"}}\n",
			near: granted("ops", "create pods") + "\nsa ops/c"},

		"E53": to(ClusterAdmin, "", "create mutatingwebhookconfigurations.admissionregistration.k8s.io", "get mutatingwebhookconfigurations.admissionregistration.k8s.io", ""),
		"E54": effect("", "patch validatingwebhookconfigurations.admissionregistration.k8s.io", "delete validatingwebhookconfigurations.admissionregistration.k8s.io"),
		"E55": to(ClusterAdmin, "", "create mutatingadmissionpolicies.admissionregistration.k8s.io; create mutatingadmissionpolicybindings.admissionregistration.k8s.io",
			"create mutatingadmissionpolicies.admissionregistration.k8s.io", ""),
		"E56": to(AnyNode, "", "delete validatingwebhookconfigurations.admissionregistration.k8s.io", "get validatingwebhookconfigurations.admissionregistration.k8s.io",
			"\nns ops privileged\nrole ops/l: create pods\nbind ops/l ./l shop/web\n---\n"+rowHook),
		"E57": to(AnyNode, "ops", "create pods; patch namespaces", "create pods; patch namespaces other", "\nns ops baseline"),
		"E58": to(AnyNode, "", "create pods,namespaces", "create namespaces", ""),
		"E59": effect("", "update apiservices.apiregistration.k8s.io", "update apiservices/status.apiregistration.k8s.io"),
		"E60": effect("shop", "update configmaps", "update configmaps/status"),
		"E61": effect("", "create storageversionmigrations.storagemigration.k8s.io; patch mutatingwebhookconfigurations.admissionregistration.k8s.io", "create storageversionmigrations.storagemigration.k8s.io"),
		"E62": {world: granted("ops", "create resourceclaims.resource.k8s.io") + "\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: ops, labels: {resource.kubernetes.io/admin-access: \"true\"}}\n",
			near: granted("ops", "create resourceclaims.resource.k8s.io") + "\nns ops"},
		"E63": effect("shop", "patch resourceclaims/status.resource.k8s.io", "patch resourceclaims.resource.k8s.io"),
		"E64": effect("", "create resourceslices.resource.k8s.io", "get resourceslices.resource.k8s.io"),
		"E65": effect("shop", "patch services/status", "patch services/scale"),
		"E66": effect("shop", "create endpointslices.discovery.k8s.io", "create endpointslices"),
		"E67": effect("shop", "patch pods/status", "get pods/status"),
		"E68": effect("shop", "delete networkpolicies.networking.k8s.io", "get networkpolicies.networking.k8s.io"),
		"E69": effect("shop", "create ingresses.networking.k8s.io", "create ingresses/status.networking.k8s.io"),

		"E70": {world: rowRoot + "\n---\n" + rowPrivileged + "---" + rowPod, near: rowRoot + "\n---\n" + rowPrivileged + "---" + strings.Replace(rowPod, "n1", "n2", 1), from: webPod, to: root},
		"E71": {world: "\n---\n" + rowPrivileged + "---" + rowNode(`, labels: {node-role.kubernetes.io/control-plane: ""}`), near: "\n---\n" + rowPrivileged + "---" + rowNode(""), from: webPod, to: ClusterAdmin},
		"E72": {world: "\n---\n" + rowPrivileged, near: "\n---\n" + strings.Replace(rowPrivileged, "true", "false", 1), from: webPod, to: NodeRoot("n1")},
		"E73": {world: "\n---\n" + rowPrivileged + "---" + rowNode("") + "spec: {providerID: aws:///x}\n", near: "\n---\n" + rowPrivileged + "---" + rowNode("") + "spec: {providerID: kind://x}\n", from: webPod, to: CloudRole("node")},
		"E74": {world: "\n---\n" + strings.Replace(rowPrivileged, "nodeName", "hostNetwork: true, nodeName", 1), near: "\n---\n" + rowPrivileged, from: webPod},
		"E75": {world: granted("shop", "create pods"), near: granted("shop", "create pods"), minor: 34, nearMinor: 35},
		"E76": {world: granted("argocd", "patch applications.argoproj.io") + "\nns argocd\nsa argocd/argocd-application-controller",
			near: granted("argocd", "patch applications.example.com") + "\nns argocd\nsa argocd/argocd-application-controller", to: ServiceAccount("argocd", "argocd-application-controller").Position()},
		"E77": effect("shop", "patch pods/resize", "get pods/resize"),
	}
}

// TestEveryRow shows each primitive of the table, and that one thing less takes
// it away.
func TestEveryRow(t *testing.T) {
	cases := rowCases()
	require.Len(t, cases, len(Primitives()))
	for _, row := range Primitives() {
		t.Run(row.ID, func(t *testing.T) {
			c, ok := cases[row.ID]
			require.True(t, ok, "no case")
			require.NotEqual(t, fmt.Sprint(c.world, c.minor), fmt.Sprint(c.near, c.nearMinor), "the near miss is no other world")
			require.Equal(t, row.Effect, c.to == "", "an effect leads nowhere")
			if c.from == "" {
				c.from = ServiceAccount("shop", "web").Position()
			}
			if c.nearMinor == 0 {
				c.nearMinor = c.minor
			}
			require.True(t, rowShown(t, row, &c, c.world, c.minor), "not found")
			require.False(t, rowShown(t, row, &c, c.near, c.nearMinor), "found in the near miss")
		})
	}
}

// rowShown reports whether the start has the primitive.
func rowShown(t *testing.T, row *Primitive, c *rowCase, world string, minor int) bool {
	text, rest, more := strings.Cut("ns shop baseline\nns kube-system restricted\nsa shop/web\n"+strings.TrimPrefix(world, "\n"), "\n---\n")
	if more {
		text += "\n---\n" + rest
	}
	g := NewGraph(NewAccess(shortWorld(t, text, &LoadOptions{Complete: true, Minor: minor})), nil)
	if row.Effect {
		for e := range g.Effects(c.from) {
			if e.ID == row.ID {
				require.NotEmpty(t, e.Remove)
				require.Contains(t, e.String(), row.Title)
				return true
			}
		}
		return false
	}
	for p, err := range g.Paths(t.Context(), c.from, c.to) {
		require.NoError(t, err)
		if row.ID == "E04" { // the start itself: no step, but a right of the group
			return slices.ContainsFunc(p.Steps[0].Uses, func(u Use) bool { return u.Grants[0].Subject == Group(GroupUnauthenticated) })
		}
		for i := range p.Steps {
			s := &p.Steps[i]
			if s.ID != row.ID {
				continue
			}
			require.NotEmpty(t, s.Remove, "what would end it")
			for _, u := range s.Uses {
				require.NotEmpty(t, u.Given, "the rule behind it")
				require.Contains(t, strings.Join(s.Remove, "\n"), fmt.Sprintf("rule %d of %s", u.Grants[0].RuleIndex, u.Grants[0].Role))
			}
			return true
		}
	}
	return false
}
