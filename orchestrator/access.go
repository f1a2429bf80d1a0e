package orchestrator

import (
	"fmt"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/boltseal/boltseal"
)

// Request is what the API server asks its authorizers about: either a resource
// or, if Path is set, a URL that is none.
type Request struct {
	Verb string
	// Group is the API group, empty for the core group.
	Group       string
	Resource    string // plural, lower case
	Subresource string
	// Namespace is empty for cluster-wide requests. For one Namespace object
	// the API server sets it to the object's own name.
	Namespace string
	// Name is empty where the URL holds none: list and watch (unless the field
	// selector is metadata.name=NAME), create, deletecollection.
	Name string
	Path string // "/metrics"; the other fields but Verb are then empty
}

// String writes the request as "get pods/log.GROUP name in namespace".
func (q Request) String() string {
	var b strings.Builder
	b.WriteString(q.Verb)
	b.WriteByte(' ')
	if q.Path != "" {
		b.WriteString(q.Path)
		return b.String()
	}
	b.WriteString(q.Resource)
	if q.Subresource != "" {
		b.WriteString("/" + q.Subresource)
	}
	if q.Group != "" {
		b.WriteString("." + q.Group)
	}
	if q.Name != "" {
		b.WriteString(" " + q.Name)
	}
	if q.Namespace != "" {
		b.WriteString(" in " + q.Namespace)
	}
	return b.String()
}

// Answer is the outcome of a decision. The zero value is unknown.
type Answer uint8

const (
	Unknown    Answer = iota // the snapshot does not hold what decides
	NotGranted               // no RBAC rule allows it; other authorizers are not visible
	Granted                  // allowed
)

var answerNames = [...]string{"unknown", "not granted", "granted"}

// String returns the answer in words.
func (a Answer) String() string {
	if int(a) < len(answerNames) {
		return answerNames[a]
	}
	return fmt.Sprintf("answer(%d)", uint8(a))
}

// Decision is an answer and why.
type Decision struct {
	Answer Answer
	// Grants are all that allow the request. One of them is enough, so all of
	// them must go to take the right away.
	Grants []Grant
	// Reason says why the answer is unknown or not granted, and for a right
	// that comes from no binding where it comes from.
	Reason string
}

// Grant is one rule that a binding gives to a subject.
type Grant struct {
	// Subject is whom the binding names: the one asked about, or a group it is in.
	Subject      Subject
	Binding      *Binding
	SubjectIndex int // in Binding.Subjects
	Role         *Role
	RuleIndex    int // in Role.Rules
}

// Rule returns the rule.
func (g Grant) Rule() *rbacv1.PolicyRule { return &g.Role.Rules[g.RuleIndex] }

// Namespace returns where the rule holds; empty is everywhere.
func (g Grant) Namespace() string { return g.Binding.Namespace }

// String writes the binding, the subject, the role and the rule.
func (g Grant) String() string {
	return fmt.Sprintf("%s gives %s %s, rule %d: %s", g.Binding, g.Subject, g.Role, g.RuleIndex, ruleString(g.Rule()))
}

// Role is a Role or a ClusterRole with the rules that count.
type Role struct {
	Namespace string // empty for a ClusterRole
	Name      string
	// Rules are those in effect. For an aggregated ClusterRole from files they
	// are the union over the roles it selects, as the controller would store it.
	Rules []rbacv1.PolicyRule
	// From is set if the rules were aggregated from files: From[i] is the role
	// that rule i comes from.
	From        []*Role
	Aggregation *rbacv1.AggregationRule
	Labels      map[string]string
	// Assumed marks a role that every cluster of that version has and the
	// snapshot does not hold.
	Assumed bool
	// Incomplete marks an aggregated role that has more rules than a limit lets
	// it take up.
	Incomplete bool
	Location   boltseal.Location
}

// Kind returns Role or ClusterRole.
func (r *Role) Kind() string {
	if r.Namespace == "" {
		return "ClusterRole"
	}
	return "Role"
}

// String writes the kind and the name.
func (r *Role) String() string { return objectString(r.Kind(), r.Namespace, r.Name) }

// Binding is a RoleBinding or a ClusterRoleBinding.
type Binding struct {
	Namespace string // empty for a ClusterRoleBinding
	Name      string
	RoleRef   rbacv1.RoleRef
	// Role is nil if the reference dangles: no such role is in the snapshot.
	Role     *Role
	Subjects []rbacv1.Subject
	// Assumed marks a binding that every cluster of that version has and the
	// snapshot does not hold.
	Assumed  bool
	Location boltseal.Location
}

// Kind returns RoleBinding or ClusterRoleBinding.
func (b *Binding) Kind() string {
	if b.Namespace == "" {
		return "ClusterRoleBinding"
	}
	return "RoleBinding"
}

// String writes the kind and the name.
func (b *Binding) String() string { return objectString(b.Kind(), b.Namespace, b.Name) }

func objectString(kind, namespace, name string) string {
	if namespace == "" {
		return kind + " " + name
	}
	return kind + " " + namespace + "/" + name
}

// ruleString writes a rule on one line.
func ruleString(r *rbacv1.PolicyRule) string {
	parts := []string{strings.Join(r.Verbs, ",")}
	if len(r.Resources) > 0 || len(r.APIGroups) > 0 {
		groups := make([]string, len(r.APIGroups))
		for i, g := range r.APIGroups {
			if groups[i] = g; g == "" {
				groups[i] = `""`
			}
		}
		parts = append(parts, strings.Join(r.Resources, ","), "of", strings.Join(groups, ","))
	}
	if len(r.ResourceNames) > 0 {
		parts = append(parts, "named", strings.Join(r.ResourceNames, ","))
	}
	if len(r.NonResourceURLs) > 0 {
		parts = append(parts, strings.Join(r.NonResourceURLs, ","))
	}
	return strings.Join(parts, " ")
}
