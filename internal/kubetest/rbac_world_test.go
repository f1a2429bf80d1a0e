package kubetest_test

import (
	"fmt"
	"math/rand/v2"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/boltseal/boltseal/orchestrator"
)

// rbacWorld is a random set of roles and bindings over a small vocabulary, so
// that rules and requests meet often.
type rbacWorld struct {
	id           string
	rnd          *rand.Rand
	namespaces   []string
	roles        []*rbacv1.Role
	clusterRoles []*rbacv1.ClusterRole
	bindings     []*rbacv1.RoleBinding
	clusterBinds []*rbacv1.ClusterRoleBinding
}

var (
	worldVerbs     = []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "bind", "escalate", "impersonate", "approve", "*", "Get"}
	worldGroups    = []string{"", "apps", "batch", "rbac.authorization.k8s.io", "example.com", "*"}
	worldResources = []string{"pods", "pods/log", "pods/exec", "nodes", "nodes/log", "secrets", "deployments", "deployments/scale", "roles", "namespaces", "serviceaccounts/token",
		"*", "*/log", "*/scale", "pods/*", "*/*"}
	worldNames = []string{"a", "b", "c", "", "*", "dom.io/*"}
	worldPaths = []string{"/metrics", "/debug/*", "/debug", "/healthz", "/healthz/*", "*", "/a*", "/api/**", "/a/b"}
)

func newWorld(seed uint64) *rbacWorld {
	w := &rbacWorld{id: fmt.Sprintf("w%d", seed), rnd: rand.New(rand.NewPCG(seed, 36))}
	for i := range 3 {
		w.namespaces = append(w.namespaces, fmt.Sprintf("%s-ns%d", w.id, i))
	}
	meta := func(i int, kind string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: fmt.Sprintf("%s-%s-%d", w.id, kind, i), Labels: map[string]string{"world": w.id}}
	}
	for i := range 30 {
		r := &rbacv1.ClusterRole{ObjectMeta: meta(i, "cr")}
		for range 1 + w.rnd.IntN(4) {
			r.Rules = append(r.Rules, w.rule(true))
		}
		r.Labels["part"] = fmt.Sprint(w.rnd.IntN(4))
		if i%6 == 5 { // select a part, itself in another: chains and cycles
			r.Rules = nil
			r.AggregationRule = &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{
				{MatchLabels: map[string]string{"world": w.id, "part": fmt.Sprint(w.rnd.IntN(4))}},
				{MatchLabels: map[string]string{"world": w.id}, MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "part", Operator: metav1.LabelSelectorOpIn, Values: []string{fmt.Sprint(w.rnd.IntN(4))}}}},
			}}
		}
		w.clusterRoles = append(w.clusterRoles, r)
	}
	for i := range 30 {
		r := &rbacv1.Role{ObjectMeta: meta(i, "r")}
		r.Namespace = w.pick(w.namespaces)
		for range w.rnd.IntN(5) {
			r.Rules = append(r.Rules, w.rule(false))
		}
		w.roles = append(w.roles, r)
	}
	for i := range 20 {
		b := &rbacv1.ClusterRoleBinding{ObjectMeta: meta(i, "crb"), RoleRef: w.clusterRef()}
		for range 1 + w.rnd.IntN(3) {
			b.Subjects = append(b.Subjects, w.subject(false))
		}
		w.clusterBinds = append(w.clusterBinds, b)
	}
	for i := range 50 {
		b := &rbacv1.RoleBinding{ObjectMeta: meta(i, "rb")}
		b.Namespace = w.pick(w.namespaces)
		if b.RoleRef = w.clusterRef(); w.rnd.IntN(2) == 0 {
			b.RoleRef.Kind, b.RoleRef.Name = "Role", w.roles[w.rnd.IntN(len(w.roles))].Name // of another namespace, at times
		}
		for range w.rnd.IntN(4) {
			b.Subjects = append(b.Subjects, w.subject(true))
		}
		w.bindings = append(w.bindings, b)
	}
	return w
}

func (w *rbacWorld) pick(list []string) string { return list[w.rnd.IntN(len(list))] }

func (w *rbacWorld) some(list []string, most int) (out []string) {
	for range 1 + w.rnd.IntN(most) {
		out = append(out, w.pick(list))
	}
	return out
}

func (w *rbacWorld) rule(cluster bool) rbacv1.PolicyRule {
	if cluster && w.rnd.IntN(4) == 0 {
		return rbacv1.PolicyRule{Verbs: w.some([]string{"get", "post", "head", "*"}, 2), NonResourceURLs: w.some(worldPaths, 2)}
	}
	r := rbacv1.PolicyRule{Verbs: w.some(worldVerbs, 3), APIGroups: w.some(worldGroups, 2), Resources: w.some(worldResources, 3)}
	if w.rnd.IntN(3) == 0 {
		r.ResourceNames = w.some(worldNames, 3)
	}
	return r
}

func (w *rbacWorld) clusterRef() rbacv1.RoleRef {
	name := w.clusterRoles[w.rnd.IntN(len(w.clusterRoles))].Name
	if w.rnd.IntN(10) == 0 {
		name = w.id + "-dangling"
	}
	return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name}
}

func (w *rbacWorld) user() string  { return fmt.Sprintf("%s-u%d", w.id, w.rnd.IntN(5)) }
func (w *rbacWorld) group() string { return fmt.Sprintf("%s-g%d", w.id, w.rnd.IntN(4)) }

func (w *rbacWorld) subject(namespaced bool) rbacv1.Subject {
	ns, sa := w.pick(w.namespaces), fmt.Sprintf("s%d", w.rnd.IntN(3))
	switch w.rnd.IntN(8) {
	case 0, 1:
		return rbacv1.Subject{Kind: "User", APIGroup: rbacv1.GroupName, Name: w.user()}
	case 2:
		return rbacv1.Subject{Kind: "User", APIGroup: rbacv1.GroupName, Name: "system:serviceaccount:" + ns + ":" + sa}
	case 3, 4:
		return rbacv1.Subject{Kind: "Group", APIGroup: rbacv1.GroupName, Name: w.group()}
	case 5:
		return rbacv1.Subject{Kind: "Group", APIGroup: rbacv1.GroupName, Name: "system:serviceaccounts:" + ns}
	}
	s := rbacv1.Subject{Kind: "ServiceAccount", Namespace: ns, Name: sa}
	if namespaced && w.rnd.IntN(2) == 0 {
		s.Namespace = "" // the binding's own
	}
	return s
}

// question returns somebody and a request: half of them made after a rule.
func (w *rbacWorld) question() (who orchestrator.Subject, groups []string, q orchestrator.Request) {
	switch w.rnd.IntN(3) {
	case 0:
		who = orchestrator.User(w.user())
	case 1:
		who = orchestrator.ServiceAccount(w.pick(w.namespaces), fmt.Sprintf("s%d", w.rnd.IntN(3)))
	default:
		who = orchestrator.User(fmt.Sprintf("%s-nobody", w.id))
	}
	if w.rnd.IntN(3) == 0 || who.Name == w.id+"-nobody" {
		groups = append(groups, w.group())
	}
	if w.rnd.IntN(20) == 0 {
		who, groups = orchestrator.Anonymous(), nil
	}
	if w.rnd.IntN(6) == 0 {
		q.Verb = w.pick([]string{"get", "post", "head", "put"})
		q.Path = strings.ReplaceAll(w.pick(append([]string{"/debug/x", "/api/x", "/api", "/ab", "/version", "/healthz/x", "/openapi/v3"}, worldPaths...)), "*", "")
		if q.Path == "" {
			q.Path = "/x"
		}
		return who, groups, q
	}
	q.Verb, q.Group, q.Name = w.pick(worldVerbs), w.pick(worldGroups), w.pick(worldNames)
	resource := w.pick(worldResources)
	if w.rnd.IntN(2) == 0 {
		rules := w.clusterRoles[w.rnd.IntN(len(w.clusterRoles))].Rules
		if len(rules) > 0 && len(rules[0].Resources) > 0 {
			r := rules[0]
			q.Verb, q.Group, resource = w.pick(r.Verbs), w.pick(r.APIGroups), w.pick(r.Resources)
			if len(r.ResourceNames) > 0 {
				q.Name = w.pick(r.ResourceNames)
			}
		}
	}
	if w.rnd.IntN(3) > 0 { // a real request has no wildcards, but the authorizer takes them
		q.Verb, q.Group = strings.ReplaceAll(q.Verb, "*", "get"), strings.ReplaceAll(q.Group, "*", "apps")
		resource = strings.NewReplacer("*/*", "pods", "pods/*", "pods/exec", "*/", "nodes/", "*", "pods").Replace(resource)
	}
	q.Resource, q.Subresource, _ = strings.Cut(resource, "/")
	if w.rnd.IntN(4) > 0 {
		q.Namespace = w.pick(w.namespaces)
	}
	return who, groups, q
}
