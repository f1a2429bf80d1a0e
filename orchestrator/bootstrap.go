package orchestrator

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The roles and bindings that the API server creates when it starts, and keeps
// as they are: one object a line, per minor version of Kubernetes.
//
//go:embed bootstrap/*.jsonl
var bootstrapFiles embed.FS

// The minor versions that there is a table for; others get the nearest.
const (
	bootstrapFirst = 33
	bootstrapLast  = 36
)

// bootstrapLabel marks what the API server created itself.
const bootstrapLabel = "kubernetes.io/bootstrapping"

// bootstrapObject is a Role, ClusterRole, RoleBinding or ClusterRoleBinding.
type bootstrapObject struct {
	Kind            string                  `json:"kind"`
	Metadata        metav1.ObjectMeta       `json:"metadata"`
	Rules           []rbacv1.PolicyRule     `json:"rules"`
	AggregationRule *rbacv1.AggregationRule `json:"aggregationRule"`
	RoleRef         rbacv1.RoleRef          `json:"roleRef"`
	Subjects        []rbacv1.Subject        `json:"subjects"`
}

// bootstrap returns the roles and bindings of a minor version.
func bootstrap(minor int) (roles []*Role, bindings []*Binding) {
	minor = min(max(minor, bootstrapFirst), bootstrapLast)
	data, err := bootstrapFiles.ReadFile(fmt.Sprintf("bootstrap/1.%d.jsonl", minor))
	if err != nil {
		return nil, nil // a table is embedded for each of them
	}
	for line := range bytes.Lines(data) {
		var o bootstrapObject
		if json.Unmarshal(line, &o) != nil {
			continue // so does the test of the tables
		}
		m := o.Metadata
		switch o.Kind {
		case "Role", "ClusterRole":
			roles = append(roles, &Role{Namespace: m.Namespace, Name: m.Name, Rules: o.Rules, Aggregation: o.AggregationRule, Labels: m.Labels, Assumed: true})
		case "RoleBinding", "ClusterRoleBinding":
			bindings = append(bindings, &Binding{Namespace: m.Namespace, Name: m.Name, RoleRef: o.RoleRef, Subjects: o.Subjects, Assumed: true})
		}
	}
	return roles, bindings
}

// assumes reports whether built-in roles stand in for what the snapshot does
// not hold. A dump of a cluster has them: what it lacks was deleted.
func (s *Snapshot) assumes() bool {
	if s.live {
		return false
	}
	for _, it := range s.ClusterRoles {
		if it.Object.Labels[bootstrapLabel] != "" {
			return false
		}
	}
	return true
}
