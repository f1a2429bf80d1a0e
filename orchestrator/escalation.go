package orchestrator

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// Primitive is one way in which rights give more than they say, or what a pod
// or node gives whoever runs code there. [Primitives] is the table.
type Primitive struct {
	ID    string `json:"id"` // stable: "E15"
	Title string `json:"title"`
	// Ways are alternatives. A way holds if all of its needs do; it does not
	// matter which of the identities that somebody holds has which. A primitive
	// without ways comes from where code runs, not from rights.
	Ways []Way  `json:"ways,omitempty"`
	Gain string `json:"gain"` // what follows, in words
	// Effect marks a primitive that gives no identity, secret or node: it reads,
	// redirects or stops something. It is no step of a path; [Graph.Effects] tells
	// who has it.
	Effect bool `json:"effect,omitempty"`
	// Trap says what looks like it and gives nothing.
	Trap   string `json:"trap,omitempty"`
	Fix    string `json:"fix"`
	Source string `json:"source"`
}

// String writes the ID and the title.
func (p *Primitive) String() string { return p.ID + " " + p.Title }

// Way is a list of needs.
type Way []Need

// Need is a list of rights that the API server asks for in one request: one
// identity must hold all of them, in one namespace or across the cluster.
type Need struct {
	Rights []Right `json:"rights"`
	// Same says that the rights must be for the same object name.
	Same bool `json:"same,omitempty"`
}

// Right is one right that RBAC can give.
type Right struct {
	Verbs    []string `json:"verbs"` // any of them
	Group    string   `json:"group,omitempty"`
	Resource string   `json:"resource"` // "pods", "pods/exec", "userextras/*" for any subresource
	// Anywhere says that any namespace will do: the request is not about objects
	// of the namespace.
	Anywhere bool `json:"anywhere,omitempty"`
	// Any says that it may be any resource of any group.
	Any bool `json:"any,omitempty"`
}

// String writes "get|list secrets" or "bind clusterroles.rbac.authorization.k8s.io".
func (r Right) String() string {
	if r.Any {
		return strings.Join(r.Verbs, "|") + " any resource"
	}
	s := strings.Join(r.Verbs, "|") + " " + r.Resource
	if r.Group != "" {
		s += "." + r.Group
	}
	return s
}

// String writes the rights joined by "and".
func (n Need) String() string {
	parts := make([]string, len(n.Rights))
	for i, r := range n.Rights {
		parts[i] = r.String()
	}
	return strings.Join(parts, " and ")
}

// Cluster reports whether the resource has no namespace, so that a RoleBinding
// gives nothing. For bind, the namespace is the new binding's.
func (r Right) Cluster() bool {
	if r.Anywhere {
		return false
	}
	resource, _, _ := strings.Cut(r.Resource, "/")
	if resource == "clusterroles" && slices.Contains(r.Verbs, "bind") {
		return false
	}
	return slices.Contains(clusterScoped(), resource)
}

// clusterScoped lists the resources of the table that have no namespace.
// Namespaces are not among them: a Role in a namespace covers the namespace's
// own object.
func clusterScoped() []string {
	return []string{
		"nodes", "persistentvolumes", "clusterroles", "clusterrolebindings", "users", "groups", "uids", "userextras",
		"certificatesigningrequests", "signers", "clustertrustbundles", "mutatingwebhookconfigurations",
		"validatingwebhookconfigurations", "mutatingadmissionpolicies", "mutatingadmissionpolicybindings",
		"validatingadmissionpolicies", "validatingadmissionpolicybindings", "apiservices", "customresourcedefinitions",
		"storageversionmigrations", "resourceslices", "deviceclasses", "storageclasses", "csidrivers", "flowschemas",
		"prioritylevelconfigurations", "priorityclasses", "runtimeclasses", "devicetaintrules",
	}
}

// creates reports whether the right is to create an object of its own, whose
// name is not in the URL.
func (r Right) creates() bool {
	return slices.Contains(r.Verbs, "create") && !strings.Contains(r.Resource, "/") && !r.virtual()
}

// virtual reports whether the resource is asked about only by authorizers: it
// has no objects to create.
func (r Right) virtual() bool { return r.Resource == "signers" }

// rule returns the right as a rule, for the objects named.
func (r Right) rule(names ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{Verbs: r.Verbs, APIGroups: []string{r.Group}, Resources: []string{r.Resource}, ResourceNames: names}
}

// Primitives returns the table, in the order of IDs. The slice is the caller's,
// the primitives are shared and must not be modified.
func Primitives() []*Primitive {
	rows := slices.Concat(rolePrimitives(), identityPrimitives(), podPrimitives(), admissionPrimitives(), nodePrimitives())
	out := make([]*Primitive, len(rows))
	for i := range rows {
		out[i] = &rows[i]
	}
	slices.SortFunc(out, func(a, b *Primitive) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// right builds a Right; verbs are separated by "|".
func right(verbs, group, resource string) Right {
	return Right{Verbs: strings.Split(verbs, "|"), Group: group, Resource: resource}
}

// need is a need for rights that one identity must have.
func need(rights ...Right) Need { return Need{Rights: rights} }

// any of the rights, each a way of its own.
func anyOf(rights ...Right) []Way {
	ways := make([]Way, len(rights))
	for i, r := range rights {
		ways[i] = Way{need(r)}
	}
	return ways
}

// Groups and verbs that the table repeats.
const (
	authnGroup     = "authentication.k8s.io"
	appsGroup      = "apps"
	batchGroup     = "batch"
	certsGroup     = "certificates.k8s.io"
	admissionGroup = "admissionregistration.k8s.io"
	resourceGroup  = "resource.k8s.io"
	networkGroup   = "networking.k8s.io"

	changeVerbs = "update|patch"        // a change of what exists
	writeVerbs  = "create|update|patch" // a change, or a new object
	readVerbs   = "get|list|watch"
)
