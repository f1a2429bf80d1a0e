package orchestrator

import (
	"cmp"
	"iter"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The resources that decisions depend on.
const rbacGroup = rbacv1.GroupName

var (
	roleResource               = schema.GroupResource{Group: rbacGroup, Resource: "roles"}
	clusterRoleResource        = schema.GroupResource{Group: rbacGroup, Resource: "clusterroles"}
	roleBindingResource        = schema.GroupResource{Group: rbacGroup, Resource: "rolebindings"}
	clusterRoleBindingResource = schema.GroupResource{Group: rbacGroup, Resource: "clusterrolebindings"}
)

// Access answers who may do what in one snapshot, by RBAC. It is safe for
// concurrent use.
type Access struct {
	snap     *Snapshot
	roles    []*Role
	bindings []*Binding
	byName   map[objectName]*Role
	indexes  map[*Role]roleIndex // of the roles that are too long to scan
	held     map[Subject]map[string][]holding
}

type objectName struct{ namespace, name string }

// holding is one binding of a subject.
type holding struct {
	binding *Binding
	index   int // of the subject in it
}

// NewAccess indexes the roles and bindings of a snapshot. Where the snapshot
// comes from files, the roles and bindings that every cluster has are assumed
// for those that it does not hold, and marked so.
func NewAccess(s *Snapshot) *Access {
	a := &Access{snap: s, byName: map[objectName]*Role{}, indexes: map[*Role]roleIndex{}, held: map[Subject]map[string][]holding{}}
	var roles []*Role
	var bindings []*Binding
	if s.assumes() {
		roles, bindings = bootstrap(s.Minor)
	}
	a.addRoles(roles)
	a.addBindings(bindings)
	return a
}

func (a *Access) addRoles(assumed []*Role) {
	for _, it := range a.snap.ClusterRoles {
		a.addRole(&Role{Name: it.Name, Rules: it.Object.Rules, Aggregation: it.Object.AggregationRule, Labels: it.Object.Labels, Location: it.Location})
	}
	for _, it := range a.snap.Roles {
		a.addRole(&Role{Namespace: it.Namespace, Name: it.Name, Rules: it.Object.Rules, Labels: it.Object.Labels, Location: it.Location})
	}
	for _, r := range assumed {
		if a.byName[objectName{r.Namespace, r.Name}] == nil {
			a.addRole(r)
		}
	}
	slices.SortStableFunc(a.roles, func(x, y *Role) int {
		return cmp.Or(cmp.Compare(x.Namespace, y.Namespace), cmp.Compare(x.Name, y.Name))
	})
	if !a.snap.live {
		aggregate(a.roles)
	}
	for _, r := range a.roles {
		if len(r.Rules) > scanLimit {
			a.indexes[r] = indexRules(r.Rules)
		}
	}
}

func (a *Access) addRole(r *Role) {
	a.roles = append(a.roles, r)
	a.byName[objectName{r.Namespace, r.Name}] = r
}

func (a *Access) addBindings(assumed []*Binding) {
	for _, it := range a.snap.ClusterRoleBindings {
		a.addBinding(&Binding{Name: it.Name, RoleRef: it.Object.RoleRef, Subjects: it.Object.Subjects, Location: it.Location})
	}
	for _, it := range a.snap.RoleBindings {
		a.addBinding(&Binding{Namespace: it.Namespace, Name: it.Name, RoleRef: it.Object.RoleRef, Subjects: it.Object.Subjects, Location: it.Location})
	}
	for _, b := range assumed {
		if b.Namespace == "" && a.snap.ClusterRoleBindings.Get("", b.Name) == nil || b.Namespace != "" && a.snap.RoleBindings.Get(b.Namespace, b.Name) == nil {
			a.addBinding(b)
		}
	}
}

func (a *Access) addBinding(b *Binding) {
	switch b.RoleRef.Kind {
	case "ClusterRole":
		b.Role = a.byName[objectName{"", b.RoleRef.Name}]
	case "Role":
		if b.Namespace != "" {
			b.Role = a.byName[objectName{b.Namespace, b.RoleRef.Name}]
		}
	}
	a.bindings = append(a.bindings, b)
	for i := range b.Subjects {
		s, ok := BoundSubject(b.Subjects[i], b.Namespace)
		if !ok {
			continue
		}
		spaces := a.held[s]
		if spaces == nil {
			spaces = map[string][]holding{}
			a.held[s] = spaces
		}
		list := spaces[b.Namespace]
		if n := len(list); n > 0 && list[n-1].binding == b {
			continue // named twice in one binding
		}
		spaces[b.Namespace] = append(list, holding{b, i})
	}
}

// Snapshot returns what the answers are about.
func (a *Access) Snapshot() *Snapshot { return a.snap }

// Roles yields all roles, the assumed ones too, in order of namespace and name:
// ClusterRoles first.
func (a *Access) Roles() iter.Seq[*Role] { return slices.Values(a.roles) }

// Bindings yields all bindings, in order of kind, namespace and name; the
// assumed ones last.
func (a *Access) Bindings() iter.Seq[*Binding] { return slices.Values(a.bindings) }

// Role returns a role, or nil; the namespace of a ClusterRole is empty.
func (a *Access) Role(namespace, name string) *Role { return a.byName[objectName{namespace, name}] }

// Subjects yields everybody whom a binding names and every service account of
// the snapshot, each once, in no order.
func (a *Access) Subjects() iter.Seq[Subject] {
	return func(yield func(Subject) bool) {
		for s := range a.held {
			if !yield(s) {
				return
			}
		}
		for _, it := range a.snap.ServiceAccounts {
			s := ServiceAccount(it.Namespace, it.Name)
			if _, ok := a.held[s]; !ok && !yield(s) {
				return
			}
		}
	}
}

// scanLimit is the number of rules up to which a scan is as fast as an index.
const scanLimit = 12

// roleIndex finds the rules of a long role. Rules are named by their position.
type roleIndex struct {
	byResource map[string][]int32 // as written: "pods", "pods/log", "*/log", "*"
	paths      []int32            // those with non-resource URLs
}

func indexRules(rules []rbacv1.PolicyRule) roleIndex {
	x := roleIndex{byResource: map[string][]int32{}}
	for i := range rules {
		for _, r := range rules[i].Resources {
			list := x.byResource[r]
			if n := len(list); n == 0 || list[n-1] != int32(i) {
				x.byResource[r] = append(list, int32(i))
			}
		}
		if len(rules[i].NonResourceURLs) > 0 {
			x.paths = append(x.paths, int32(i))
		}
	}
	return x
}

// matching calls visit with the position of each rule of a role that allows the
// request, until visit returns false.
func (a *Access) matching(r *Role, q *Request, visit func(rule int) bool) bool {
	x, ok := a.indexes[r]
	if !ok {
		for i := range r.Rules {
			if RuleAllows(&r.Rules[i], *q) && !visit(i) {
				return false
			}
		}
		return true
	}
	try := func(list []int32, seen ...[]int32) bool {
		for _, i := range list {
			if !RuleAllows(&r.Rules[i], *q) {
				continue
			}
			if slices.ContainsFunc(seen, func(s []int32) bool { _, ok := slices.BinarySearch(s, i); return ok }) {
				continue
			}
			if !visit(int(i)) {
				return false
			}
		}
		return true
	}
	if q.Path != "" {
		return try(x.paths)
	}
	all := x.byResource["*"]
	if q.Subresource == "" {
		return try(all) && try(x.byResource[q.Resource], all)
	}
	any := x.byResource["*/"+q.Subresource]
	return try(all) && try(any, all) && try(x.byResource[q.Resource+"/"+q.Subresource], all, any)
}
