package orchestrator

import (
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// Names that Kubernetes gives a meaning to.
const (
	UserAnonymous        = "system:anonymous"
	GroupAuthenticated   = "system:authenticated"
	GroupUnauthenticated = "system:unauthenticated"
	// GroupMasters is allowed everything before any authorizer is asked.
	GroupMasters = "system:masters"
	GroupNodes   = "system:nodes"
	// GroupServiceAccounts holds all service accounts; those of one namespace
	// are in system:serviceaccounts:NAMESPACE too.
	GroupServiceAccounts = "system:serviceaccounts"

	serviceAccountUser = "system:serviceaccount:"
	nodeUser           = "system:node:"
)

// Subject is somebody whom a binding can name. It is comparable.
type Subject struct {
	Kind      string // rbacv1.UserKind, rbacv1.GroupKind or rbacv1.ServiceAccountKind
	Namespace string // of a service account
	Name      string
}

// User returns a user by the name that authentication yields. The name
// system:serviceaccount:NAMESPACE:NAME is that service account.
func User(name string) Subject { return Subject{Kind: rbacv1.UserKind, Name: name} }

// Group returns a group: anybody in it, nobody in particular.
func Group(name string) Subject { return Subject{Kind: rbacv1.GroupKind, Name: name} }

// ServiceAccount returns a service account.
func ServiceAccount(namespace, name string) Subject {
	return Subject{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: name}
}

// Anonymous returns whoever sends a request without credentials.
func Anonymous() Subject { return User(UserAnonymous) }

// Node returns the kubelet of a node. Its rights come from the Node authorizer,
// which looks at what runs there: RBAC says nothing of them.
func Node(name string) Subject { return User(nodeUser + name) }

// UserName returns the name that requests of the subject carry; a group has
// none.
func (s Subject) UserName() string {
	switch s.Kind {
	case rbacv1.UserKind:
		return s.Name
	case rbacv1.ServiceAccountKind:
		return serviceAccountUser + s.Namespace + ":" + s.Name
	}
	return ""
}

// Groups returns the groups that the subject is in by what it is: the API
// server adds them to every request. A user's further groups are known to the
// authenticator alone.
func (s Subject) Groups() []string {
	switch s.Kind {
	case rbacv1.ServiceAccountKind:
		return []string{GroupServiceAccounts, GroupServiceAccounts + ":" + s.Namespace, GroupAuthenticated}
	case rbacv1.GroupKind:
		if s.Name == GroupUnauthenticated || s.Name == GroupAuthenticated {
			return []string{s.Name}
		}
		return []string{s.Name, GroupAuthenticated}
	}
	if sa, ok := serviceAccountOf(s.Name); ok {
		return sa.Groups()
	}
	switch {
	case s.Name == UserAnonymous:
		return []string{GroupUnauthenticated}
	case strings.HasPrefix(s.Name, nodeUser):
		return []string{GroupNodes, GroupAuthenticated}
	}
	return []string{GroupAuthenticated}
}

// System reports whether the subject belongs to Kubernetes itself: a name that
// begins with "system:", or a service account of kube-system.
func (s Subject) System() bool {
	if s.Kind == rbacv1.ServiceAccountKind {
		return s.Namespace == "kube-system"
	}
	return strings.HasPrefix(s.Name, "system:")
}

// String writes kind:name, and kind:namespace/name for a service account.
func (s Subject) String() string {
	if s.Kind == rbacv1.ServiceAccountKind {
		return s.Kind + ":" + s.Namespace + "/" + s.Name
	}
	return s.Kind + ":" + s.Name
}

// BoundSubject returns the subject that a binding names; namespace is the
// binding's, empty for a ClusterRoleBinding. ok is false for what names nobody:
// an unknown kind, or a service account without a namespace in a
// ClusterRoleBinding.
func BoundSubject(s rbacv1.Subject, namespace string) (subject Subject, ok bool) {
	switch s.Kind {
	case rbacv1.UserKind:
		// The service account by its user name is the same account.
		if sa, ok := serviceAccountOf(s.Name); ok {
			return sa, true
		}
		return User(s.Name), true
	case rbacv1.GroupKind:
		return Group(s.Name), true
	case rbacv1.ServiceAccountKind:
		if s.Namespace != "" {
			namespace = s.Namespace
		}
		return ServiceAccount(namespace, s.Name), namespace != ""
	}
	return Subject{}, false
}

// serviceAccountOf reads a user name of the form system:serviceaccount:NS:NAME.
func serviceAccountOf(user string) (Subject, bool) {
	rest, ok := strings.CutPrefix(user, serviceAccountUser)
	if !ok {
		return Subject{}, false
	}
	namespace, name, ok := strings.Cut(rest, ":")
	if !ok || namespace == "" || name == "" || strings.Contains(name, ":") {
		return Subject{}, false
	}
	return ServiceAccount(namespace, name), true
}
