package kubetest_test

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/boltseal/boltseal/orchestrator"
)

var getOptions = metav1.GetOptions{}

func sortedNames(m map[string]bool) []string { return slices.Sorted(maps.Keys(m)) }

func toAdmin(*escalationCase) orchestrator.Position { return orchestrator.ClusterAdmin }
func toRoot(*escalationCase) orchestrator.Position {
	return orchestrator.ServiceAccount("vault", "root").Position()
}
func toGone(*escalationCase) orchestrator.Position {
	return orchestrator.ServiceAccount("vault", "gone").Position()
}
func toAbsent(*escalationCase) orchestrator.Position {
	return orchestrator.ServiceAccount("vault", "absent").Position()
}
func toOwn(e *escalationCase) orchestrator.Position   { return orchestrator.AdminOf(e.name) }
func toNode(*escalationCase) orchestrator.Position    { return orchestrator.AnyNode }
func toSecrets(*escalationCase) orchestrator.Position { return orchestrator.SecretsOf("vault") }
func toBootstrap(*escalationCase) orchestrator.Position {
	return orchestrator.User("system:bootstrap:TOKEN").Position()
}

// escalationCases are the primitives of the table that an API server without
// kubelets can show, with their variants and near misses.
func escalationCases() []escalationCase {
	const (
		csr  = "create certificatesigningrequests.certs; update certificatesigningrequests/approval.certs; "
		read = "get certificatesigningrequests.certs"
	)
	stored := "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/service-account-token\nmetadata: {name: NAME-token, namespace: vault, annotations: {kubernetes.io/service-account.name: root}}\n"
	return []escalationCase{
		// E01, E02: everything.
		{title: "everything", rules: "* *.*", to: toAdmin, attack: doAnything, works: true},
		{title: "everything in a namespace", local: "* *.*", to: toAdmin, attack: doAnything},
		{title: "everything in the own namespace", local: "* *.*", to: toOwn, attack: doAnythingHere, works: true},
		{title: "all verbs, core group", rules: "* *", to: toAdmin, attack: impersonateMasters, works: true},
		{title: "all verbs, core group, in a namespace", local: "* *", to: toAdmin, attack: impersonateMasters},
		{title: "read what is harmless", rules: "get,list,watch pods,services,configmaps", to: toAdmin, attack: doAnything},
		{title: "all verbs on one group", rules: "* *.apps", to: toRoot, attack: runAs("Deployment"), works: true},
		{title: "everything by name", rules: "* *.* NAME-pod", to: toRoot, attack: runAs("Pod"), works: true},
		{title: "get and create everything by name", rules: "get,create *.* NAME-pod", to: toRoot, attack: runAs("Pod")},

		// E05: bind.
		{title: "bind", rules: "create clusterrolebindings.rbac; bind clusterroles.rbac", to: toAdmin, attack: bindFull, works: true},
		{title: "bind by name", rules: "create clusterrolebindings.rbac; bind clusterroles.rbac t-full", to: toAdmin, attack: bindFull, works: true},
		{title: "bind another", rules: "create clusterrolebindings.rbac; bind clusterroles.rbac t-weak", to: toAdmin, attack: bindFull},
		{title: "bind without create", rules: "bind clusterroles.rbac", to: toAdmin, attack: bindFull},
		{title: "create without bind", rules: "create clusterrolebindings.rbac", to: toAdmin, attack: bindFull},
		{title: "bind roles only", rules: "create clusterrolebindings.rbac; bind roles.rbac", to: toAdmin, attack: bindFull},
		{title: "create by name, post", rules: "create clusterrolebindings.rbac NAME-new; bind clusterroles.rbac", to: toAdmin, attack: bindFull},
		{title: "create by name, apply", rules: "create,patch clusterrolebindings.rbac NAME-new; bind clusterroles.rbac", to: toAdmin, attack: bindFull, works: true},
		{title: "create by name, put", rules: "create,update clusterrolebindings.rbac NAME-new; bind clusterroles.rbac", to: toAdmin, attack: bindFull, works: true},
		{title: "bind in a namespace", local: "create rolebindings.rbac; bind clusterroles.rbac", to: toOwn, attack: bindFullHere, works: true},
		{title: "bind in a namespace, for all", local: "create rolebindings.rbac; bind clusterroles.rbac", to: toAdmin, attack: bindFull},
		{title: "bind in a namespace, by a cluster right", local: "create rolebindings.rbac", rules: "bind clusterroles.rbac t-full", to: toOwn, attack: bindFullHere, works: true},
		{title: "bind in a namespace without bind", local: "create rolebindings.rbac", to: toOwn, attack: bindFullHere},

		// E06: join.
		{title: "join", rules: "update clusterrolebindings.rbac; bind clusterroles.rbac", extra: joinable, to: toAdmin, attack: joinFull, works: true},
		{title: "join by patch", rules: "patch clusterrolebindings.rbac NAME-join; bind clusterroles.rbac t-full", extra: joinable, to: toAdmin, attack: joinFull, works: true},
		{title: "join without bind", rules: "update,patch clusterrolebindings.rbac", extra: joinable, to: toAdmin, attack: joinFull},
		{title: "join another", rules: "update,patch clusterrolebindings.rbac NAME-other; bind clusterroles.rbac", extra: joinable, to: toAdmin, attack: joinFull},

		// E07: escalate.
		{title: "escalate", rules: "update,patch,escalate clusterroles.rbac", to: toAdmin, attack: escalateOwn, works: true},
		{title: "escalate by name", rules: "update,escalate clusterroles.rbac NAME-r", to: toAdmin, attack: escalateOwn, works: true},
		{title: "escalate by patch", rules: "patch clusterroles.rbac NAME-r; escalate clusterroles.rbac NAME-r", to: toAdmin, attack: escalateOwn, works: true},
		{title: "escalate another", rules: "update,patch,escalate clusterroles.rbac t-weak", to: toAdmin, attack: escalateOwn},
		{title: "escalate without write", rules: "escalate clusterroles.rbac", to: toAdmin, attack: escalateOwn},
		{title: "write without escalate", rules: "update,patch clusterroles.rbac", to: toAdmin, attack: escalateOwn},
		{title: "escalate one, write another", rules: "update clusterroles.rbac NAME-r; escalate clusterroles.rbac t-weak", to: toAdmin, attack: escalateOwn},
		{title: "escalate in a namespace", local: "update,escalate roles.rbac", to: toOwn, attack: escalateOwnHere, works: true},
		{title: "write in a namespace without escalate", local: "update,patch roles.rbac", to: toOwn, attack: escalateOwnHere},
		{title: "escalate roles, across the cluster", rules: "update,escalate roles.rbac", to: toAdmin, attack: escalateOwn},
		{title: "new role, bound by name", rules: "create clusterrolebindings.rbac; bind clusterroles.rbac NAME-fresh; create,escalate clusterroles.rbac", to: toAdmin, attack: bindFresh, works: true},
		{title: "new role, no escalate", rules: "create clusterrolebindings.rbac; bind clusterroles.rbac NAME-fresh; create clusterroles.rbac", to: toAdmin, attack: bindFresh},
		{title: "new role, escalate by name, post", rules: "create clusterrolebindings.rbac; bind clusterroles.rbac NAME-fresh; create clusterroles.rbac; escalate clusterroles.rbac NAME-fresh", to: toAdmin, attack: bindFresh},
		{title: "new role, escalate by name, apply", rules: "create clusterrolebindings.rbac; bind clusterroles.rbac NAME-fresh; create,patch clusterroles.rbac; escalate clusterroles.rbac NAME-fresh", to: toAdmin, attack: bindFresh, works: true},

		// E08: a missing account.
		{title: "make the missing account", vault: "create serviceaccounts,serviceaccounts/token", to: toGone, attack: makeGone, works: true},
		{title: "make the missing account without a token", vault: "create serviceaccounts", to: toGone, attack: makeGone},

		// E10 to E12: impersonation.
		{title: "impersonate users", rules: "impersonate users", to: toAdmin, attack: impersonateUser("t-root"), works: true},
		{title: "impersonate a user by name", rules: "impersonate users t-root", to: toAdmin, attack: impersonateUser("t-root"), works: true},
		{title: "impersonate another user", rules: "impersonate users nobody", to: toAdmin, attack: impersonateUser("t-root")},
		{title: "impersonate users in a namespace", local: "impersonate users", to: toAdmin, attack: impersonateUser("t-root")},
		{title: "impersonate an account as a user", rules: "impersonate users system:serviceaccount:vault:root", to: toAdmin, attack: impersonateUser("system:serviceaccount:vault:root")},
		{title: "impersonate users and groups", rules: "impersonate users,groups", to: toAdmin, attack: impersonateMasters, works: true},
		{title: "impersonate groups alone", rules: "impersonate groups", to: toAdmin, attack: impersonateMasters},
		{title: "impersonate a group by name", rules: "impersonate users nobody; impersonate groups t-roots", to: toAdmin, attack: impersonateGroup("t-roots"), works: true},
		{title: "impersonate masters by name", rules: "impersonate users nobody; impersonate groups system:masters", to: toAdmin, attack: impersonateMasters, works: true},
		{title: "impersonate another group", rules: "impersonate users nobody; impersonate groups nobodies", to: toAdmin, attack: impersonateGroup("t-roots")},
		{title: "impersonate groups as an account", rules: "impersonate groups", local: "impersonate serviceaccounts", to: toAdmin, attack: impersonateGroupAsAccount, works: true},
		{title: "impersonate an account", vault: "impersonate serviceaccounts", to: toRoot, attack: impersonateAccount("root"), works: true},
		{title: "impersonate an account by name", vault: "impersonate serviceaccounts root", to: toRoot, attack: impersonateAccount("root"), works: true},
		{title: "impersonate another account", vault: "impersonate serviceaccounts weak", to: toRoot, attack: impersonateAccount("root")},
		{title: "impersonate an account that does not exist", vault: "impersonate serviceaccounts gone", to: toGone, attack: impersonateAccount("gone"), works: true},
		{title: "impersonate accounts elsewhere", local: "impersonate serviceaccounts", to: toRoot, attack: impersonateAccount("root")},
		{title: "impersonate uids and extra alone", rules: "impersonate uids,userextras.authn", to: toAdmin, attack: impersonateMasters},

		// E15, E18: tokens.
		{title: "mint a token", vault: "create serviceaccounts/token", to: toRoot, attack: mintToken("root"), works: true},
		{title: "mint a token by name", vault: "create serviceaccounts/token root", to: toRoot, attack: mintToken("root"), works: true},
		{title: "mint another token", vault: "create serviceaccounts/token weak", to: toRoot, attack: mintToken("root")},
		{title: "mint a token of nobody", vault: "create serviceaccounts/token absent", to: toAbsent, attack: mintToken("absent")},
		{title: "mint tokens elsewhere", local: "create serviceaccounts/token", to: toRoot, attack: mintToken("root")},
		{title: "get tokens", vault: "get serviceaccounts/token", to: toRoot, attack: mintToken("root")},
		{title: "create accounts", vault: "create serviceaccounts", to: toRoot, attack: mintToken("root")},
		{title: "any subresource token", rules: "create */token", to: toRoot, attack: mintToken("root"), works: true},
		{title: "serviceaccounts/*", vault: "create serviceaccounts/*", to: toRoot, attack: mintToken("root")},
		{title: "a controller's token", rules: "create serviceaccounts/token clusterrole-aggregation-controller", to: toAdmin, attack: controllerToken, works: true},

		// E17, E19: secrets.
		{title: "read a stored token", vault: "get secrets", extra: stored, to: toRoot, attack: readStored, works: true},
		{title: "list stored tokens", vault: "list secrets", extra: stored, to: toRoot, attack: readStored, works: true},
		{title: "watch stored tokens", vault: "watch secrets", extra: stored, to: toRoot, attack: readStored, works: true},
		{title: "read a stored token by name", vault: "get secrets NAME-token", extra: stored, to: toRoot, attack: readStored, works: true},
		{title: "list a stored token by name", vault: "list secrets NAME-token", extra: stored, to: toRoot, attack: readStored, works: true},
		{title: "list secrets by the name of none", vault: "list secrets ,other", to: toSecrets, attack: listSecrets, works: true},
		{title: "read another secret", vault: "get,list,watch secrets other", extra: stored, to: toRoot, attack: readStored},
		{title: "secret metadata rights", vault: "update,patch,delete secrets", extra: stored, to: toRoot, attack: readStored},
		{title: "have a token written", vault: "create,get secrets", to: toRoot, attack: writtenToken, works: true},
		{title: "have a token written, by list", vault: "create,list secrets", to: toRoot, attack: writtenToken, works: true},
		{title: "have a token written, by name", vault: "create secrets; get secrets NAME-made", to: toRoot, attack: writtenToken, works: true},
		{title: "have a token written, apply by name", vault: "create,patch,get secrets NAME-made", to: toRoot, attack: writtenToken, works: true},
		{title: "have a token written, post by name", vault: "create,get secrets NAME-made", to: toRoot, attack: writtenToken},
		{title: "create secrets only", vault: "create secrets", to: toRoot, attack: writtenToken},
		{title: "token secret elsewhere", local: "create,get secrets", to: toRoot, attack: writtenToken},

		// E20 to E22: bootstrap tokens and certificates.
		{title: "make a bootstrap token", rules: "create secrets", to: toBootstrap, attack: bootstrapToken, works: true},
		{title: "make a bootstrap token elsewhere", vault: "create secrets", to: toBootstrap, attack: bootstrapToken},
		{title: "certificate", rules: csr + read + "; approve signers.certs kubernetes.io/kube-apiserver-client", to: toAdmin, attack: certificate("t-root", ""), works: true},
		{title: "certificate, any signer of the domain", rules: csr + read + "; approve signers.certs kubernetes.io/*", to: toAdmin, attack: certificate("t-root", ""), works: true},
		{title: "certificate, read from the approval", rules: csr + "approve signers.certs kubernetes.io/kube-apiserver-client", to: toAdmin, attack: certificate("t-root", ""), works: true},
		{title: "certificate in a group", rules: csr + read + "; approve signers.certs", to: toAdmin, attack: certificate("nobody", "t-roots"), works: true},
		{title: "certificate without approve", rules: csr + read, to: toAdmin, attack: certificate("t-root", "")},
		{title: "certificate, another signer", rules: csr + read + "; approve signers.certs kubernetes.io/legacy-unknown", to: toAdmin, attack: certificate("t-root", "")},
		{title: "certificate without the approval", rules: "create,get certificatesigningrequests.certs; approve signers.certs", to: toAdmin, attack: certificate("t-root", "")},
		{title: "a node's certificate", rules: "create,get certificatesigningrequests.certs; create certificatesigningrequests/nodeclient.certs", to: toCerts, attack: nodeCertificate, works: true},
		{title: "a node's certificate, not read", rules: "create certificatesigningrequests.certs; create certificatesigningrequests/nodeclient.certs", to: toCerts, attack: nodeCertificate},
		{title: "the own node's certificate", rules: "create,get certificatesigningrequests.certs; create certificatesigningrequests/selfnodeclient.certs", to: toCerts, attack: nodeCertificate},

		// E30 to E32: pods.
		{title: "run as", vault: "create pods", to: toRoot, attack: runAs("Pod"), works: true},
		{title: "run as, apply by name", vault: "create,patch pods NAME-pod", to: toRoot, attack: runAs("Pod"), works: true},
		{title: "run as, post by name", vault: "create pods NAME-pod", to: toRoot, attack: runAs("Pod")},
		{title: "run as elsewhere", local: "create pods", to: toRoot, attack: runAs("Pod")},
		{title: "update pods", vault: "update,patch pods", to: toRoot, attack: runAs("Pod")},
		{title: "run as, Deployment", vault: "create deployments.apps", to: toRoot, attack: runAs("Deployment"), works: true},
		{title: "run as, StatefulSet", vault: "create statefulsets.apps", to: toRoot, attack: runAs("StatefulSet"), works: true},
		{title: "run as, ReplicaSet", vault: "create replicasets.apps", to: toRoot, attack: runAs("ReplicaSet"), works: true},
		{title: "run as, Job", vault: "create jobs.batch", to: toRoot, attack: runAs("Job"), works: true},
		{title: "run as, ReplicationController", vault: "create replicationcontrollers", to: toRoot, attack: runAs("ReplicationController"), works: true},
		{title: "pod templates", vault: "create podtemplates", to: toRoot, attack: runAs("Pod")},
		{title: "update no deployments", vault: "update,patch deployments.apps NAME-none", to: toRoot, attack: runAs("Deployment")},

		// E31, E48, E57, E58: nodes.
		{title: "privileged", local: "create pods", level: "privileged", to: toNode, attack: privilegedPod, works: true},
		{title: "privileged in baseline", local: "create pods", level: "baseline", to: toNode, attack: privilegedPod},
		{title: "privileged in restricted", local: "create pods", to: toNode, attack: privilegedPod},
		{title: "relabel", local: "create pods; patch namespaces", to: toNode, attack: relabelled, works: true},
		{title: "relabel by a cluster right", local: "create pods", rules: "patch namespaces NAME", to: toNode, attack: relabelled, works: true},
		{title: "relabel another", local: "create pods", rules: "patch namespaces other", to: toNode, attack: relabelled},
		{title: "relabel without pods", local: "patch namespaces", to: toNode, attack: relabelled},
		{title: "new namespace", rules: "create namespaces,pods", to: toNode, attack: newNamespace, works: true},
		{title: "new namespace, rights elsewhere", rules: "create namespaces", local: "create pods", to: toNode, attack: newNamespace},
		{title: "volume", rules: "create persistentvolumes", local: "create pods,persistentvolumeclaims", level: "baseline", to: toNode, attack: hostVolume, works: true},
		{title: "volume without a claim", rules: "create persistentvolumes", local: "create pods", level: "baseline", to: toNode, attack: hostVolume},
		{title: "claim without a volume", local: "create pods,persistentvolumeclaims,persistentvolumes", level: "baseline", to: toNode, attack: hostVolume},

		// E33, E35, E36, E43, E47, E70: a pod that runs. That the kubelet does what
		// the API server accepted is not shown.
		{title: "change an image", safe: "patch pods", to: toStrong, attack: changeImage, works: true},
		{title: "change an image by name", safe: "patch pods strong", to: toStrong, attack: changeImage, works: true},
		{title: "change the status", safe: "patch pods/status", to: toStrong, attack: changeImage},
		{title: "change another's image", safe: "patch pods other", to: toStrong, attack: changeImage},
		{title: "exec", safe: "create pods/exec", to: toStrong, attack: connect("exec"), works: true},
		{title: "attach", safe: "create pods/attach strong", to: toStrong, attack: connect("attach"), works: true},
		{title: "exec by get", safe: "get pods/exec,pods/attach", to: toStrong, attack: connect("exec")},
		{title: "exec elsewhere", local: "create pods/exec", to: toStrong, attack: connect("exec")},
		{title: "add a container", safe: "patch pods/ephemeralcontainers", to: toStrong, attack: addContainer(false), works: true},
		{title: "add a container by pods", safe: "patch pods/resize", to: toStrong, attack: addContainer(false)},
		{title: "add a privileged container in restricted", safe: "patch pods/ephemeralcontainers", to: toNode, attack: addContainer(true)},
		{title: "talk to the kubelet", rules: "get nodes/proxy", to: toStrong, attack: kubelet, works: true},
		{title: "talk to the kubelet by name", rules: "get nodes/proxy t-node", to: toStrong, attack: kubelet, works: true},
		{title: "talk to another kubelet", rules: "get nodes/proxy other", to: toStrong, attack: kubelet},
		{title: "read the kubelet's metrics", rules: "get nodes/metrics,nodes/stats,nodes/log,nodes/configz", to: toStrong, attack: kubelet},
		{title: "write what a pod reads", safe: "patch configmaps settings", to: toStrong, attack: changeSettings, works: true},
		{title: "write what no pod reads", safe: "patch configmaps other", to: toStrong, attack: changeSettings},
		{title: "a node's pods", rules: "create,get certificatesigningrequests.certs; create certificatesigningrequests/nodeclient.certs", to: toStrong, attack: nodesPods, works: true},
		{title: "a node's pods, own name", rules: "create,get certificatesigningrequests.certs; create certificatesigningrequests/selfnodeclient.certs", to: toStrong, attack: nodesPods},

		// E51: the token that the cloud asks for; that it trusts it is not shown.
		{title: "a token for the cloud", safe: "create serviceaccounts/token cloud", to: toCloud, attack: cloudToken, works: true},
		{title: "a token of another", safe: "create serviceaccounts/token strong", to: toCloud, attack: cloudToken},

		// E53, E55, E56: admission.
		{title: "a mutating webhook", rules: "create mutatingwebhookconfigurations.admission", to: toAdmin, attack: mutatingWebhook, works: true},
		{title: "a validating webhook", rules: "create validatingwebhookconfigurations.admission", to: toAdmin, attack: mutatingWebhook},
		{title: "a mutating policy", rules: "create mutatingadmissionpolicies.admission,mutatingadmissionpolicybindings.admission", to: toAdmin, attack: mutatingPolicy, works: true},
		{title: "a mutating policy, not bound", rules: "create mutatingadmissionpolicies.admission", to: toAdmin, attack: mutatingPolicy},
		{title: "remove the barrier", local: "create pods", level: "privileged", rules: "delete validatingadmissionpolicybindings.admission", extra: barrier, to: toNode, attack: dropBarrier, works: true},
		{title: "respect the barrier", local: "create pods", level: "privileged", rules: "get validatingadmissionpolicybindings.admission", extra: barrier, to: toNode, attack: dropBarrier},
	}
}

func toStrong(*escalationCase) orchestrator.Position {
	return orchestrator.ServiceAccount("safe", "strong").Position()
}
func toCloud(*escalationCase) orchestrator.Position { return orchestrator.CloudRole("t-role") }

const joinable = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: NAME-join}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: t-full}
`

func toCerts(*escalationCase) orchestrator.Position { return orchestrator.NodeIdentity }
