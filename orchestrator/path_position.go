package orchestrator

import (
	"fmt"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/boltseal/boltseal"
)

// Position is something that an attacker can hold: an identity, a running
// workload, a node, the secrets of a namespace. Attack paths lead from one to
// another. Its text is kind:name and stable; see [ParsePosition].
type Position string

// ClusterAdmin is the right to do everything everywhere, as the group
// system:masters and the role cluster-admin have it.
const ClusterAdmin Position = "cluster-admin"

// AnyNode is root on some node: on one that the attacker chooses, or, where the
// snapshot does not tell which, on the one that a pod happens to run on.
const AnyNode Position = "node"

// NodeIdentity is a credential of any node of choice: what its kubelet may do.
const NodeIdentity Position = "node-identity"

// Position returns the identity as a position: "ServiceAccount:shop/web".
func (s Subject) Position() Position { return Position(s.String()) }

// NodeRoot is root on one node.
func NodeRoot(name string) Position { return Position("node:" + name) }

// AdminOf is the right to do everything in a namespace.
func AdminOf(namespace string) Position { return Position("admin:" + namespace) }

// SecretsOf is all secrets of a namespace.
func SecretsOf(namespace string) Position { return Position("secrets:" + namespace) }

// SecretOf is one secret.
func SecretOf(namespace, name string) Position { return Position("secret:" + namespace + "/" + name) }

// PodsOf is the ability to run pods of any kind that admission lets pass in a
// namespace.
func PodsOf(namespace string) Position { return Position("pods:" + namespace) }

// CloudRole is a role outside the cluster: the ARN, account or client ID that
// an annotation names, or "node" for the role of the nodes themselves.
func CloudRole(name string) Position { return Position("cloud:" + name) }

// Position is the place of an attacker who runs code in the workload:
// "workload:shop/Deployment/web".
func (w *Workload) Position() Position {
	return Position("workload:" + w.Namespace + "/" + w.Kind + "/" + w.Name)
}

// ParsePosition reads the text of a position. Two short forms are understood
// too: "ns/name" for a service account and "anonymous".
func ParsePosition(s string) (Position, error) {
	kind, name, ok := strings.Cut(s, ":")
	switch {
	case s == string(ClusterAdmin) || s == string(AnyNode) || s == string(NodeIdentity):
		return Position(s), nil
	case s == "anonymous":
		return Anonymous().Position(), nil
	case !ok && strings.Count(s, "/") == 1 && !strings.HasPrefix(s, "/") && !strings.HasSuffix(s, "/"):
		return Position(rbacv1.ServiceAccountKind + ":" + s), nil
	case !ok || name == "":
	case kind == rbacv1.ServiceAccountKind || kind == "secret":
		if ns, name, ok := strings.Cut(name, "/"); ok && ns != "" && name != "" {
			return Position(s), nil
		}
	case kind == "workload":
		if strings.Count(name, "/") == 2 {
			return Position(s), nil
		}
	default:
		switch kind {
		case rbacv1.UserKind, rbacv1.GroupKind, "node", "admin", "secrets", "pods", "cloud":
			return Position(s), nil
		}
	}
	return "", fmt.Errorf("position %q: %w: want ServiceAccount:ns/name, User:name, Group:name, workload:ns/Kind/name, node:name, secrets:ns, admin:ns, pods:ns, cloud:name or cluster-admin", s, boltseal.ErrMalformed)
}

// Asset returns the position in the shared vocabulary. What is no account,
// workload or node is given as an account too: it stands for rights.
func (p Position) Asset() boltseal.Asset {
	kind, name, _ := strings.Cut(string(p), ":")
	switch kind {
	case "workload":
		return boltseal.Asset{Kind: boltseal.AssetWorkload, Name: name}
	case "node":
		return boltseal.Asset{Kind: boltseal.AssetNode, Name: name, Label: p.String()}
	case rbacv1.ServiceAccountKind:
		return boltseal.Asset{Kind: boltseal.AssetAccount, Name: name}
	}
	return boltseal.Asset{Kind: boltseal.AssetAccount, Name: string(p), Label: p.String()}
}

// String writes the position in words.
func (p Position) String() string {
	kind, name, _ := strings.Cut(string(p), ":")
	switch kind {
	case string(ClusterAdmin):
		return "cluster-admin"
	case "node":
		if name == "" {
			return "root on a node"
		}
		return "root on node " + name
	case "admin":
		return "admin of namespace " + name
	case "secrets":
		return "all secrets of namespace " + name
	case "secret":
		return "secret " + name
	case "pods":
		return "any pod in namespace " + name
	case "cloud":
		return "cloud role " + name
	case "workload":
		return "code in " + name
	case "tokens":
		return "the token of any service account of " + name
	case "names":
		return "the name of any service account of " + name
	case "users":
		return "the name of any user"
	case "identities":
		return "a certificate for anybody"
	case "exec":
		if name == "" {
			return "code in any pod"
		}
		return "code in any pod of " + name
	case "node-identity":
		if name == "" {
			return "the certificate of any node"
		}
		return "the credentials of node " + name
	case "labels":
		return "the labels of namespace " + name
	case rbacv1.ServiceAccountKind:
		return "service account " + name
	case rbacv1.UserKind:
		return "user " + name
	case rbacv1.GroupKind:
		return "group " + name
	}
	return string(p)
}

// System reports whether the position belongs to Kubernetes itself: a name that
// begins with "system:", or something in kube-system. Groups that everybody or
// every service account is in, and the anonymous user, do not count.
func (p Position) System() bool {
	kind, name, _ := strings.Cut(string(p), ":")
	switch kind {
	case rbacv1.ServiceAccountKind, "workload", "pods", "secret":
		return strings.HasPrefix(name, "kube-system/")
	case rbacv1.UserKind, rbacv1.GroupKind:
		// Everybody is in these groups, and anybody is anonymous.
		return strings.HasPrefix(name, "system:") && name != UserAnonymous && name != GroupAuthenticated &&
			name != GroupUnauthenticated && !strings.HasPrefix(name, GroupServiceAccounts)
	}
	return false
}
