package orchestrator

import (
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/boltseal/boltseal"
)

// simWorld is a small cluster that can be attacked: what an attacker does
// changes its objects, and every decision is [Access]'s.
type simWorld struct {
	namespaces []string
	accounts   map[Subject]bool
	roles      []*rbacv1.ClusterRole
	local      []*rbacv1.Role
	cluster    []*rbacv1.ClusterRoleBinding
	bindings   []*rbacv1.RoleBinding
}

func (w *simWorld) clone() *simWorld {
	out := &simWorld{namespaces: w.namespaces, accounts: maps.Clone(w.accounts)}
	for _, o := range w.roles {
		out.roles = append(out.roles, o.DeepCopy())
	}
	for _, o := range w.local {
		out.local = append(out.local, o.DeepCopy())
	}
	for _, o := range w.cluster {
		out.cluster = append(out.cluster, o.DeepCopy())
	}
	for _, o := range w.bindings {
		out.bindings = append(out.bindings, o.DeepCopy())
	}
	return out
}

func (w *simWorld) objects() iter.Seq[runtime.Object] {
	return func(yield func(runtime.Object) bool) {
		for _, ns := range w.namespaces {
			yield(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}})
		}
		for s := range w.accounts {
			yield(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: s.Name}})
		}
		for _, o := range w.roles {
			yield(o)
		}
		for _, o := range w.local {
			yield(o)
		}
		for _, o := range w.cluster {
			yield(o)
		}
		for _, o := range w.bindings {
			yield(o)
		}
	}
}

func (w *simWorld) access(t testing.TB) *Access {
	b := NewBuilder(&LoadOptions{Complete: true})
	b.Live() // without the roles and bindings that every cluster has
	for o := range w.objects() {
		require.NoError(t, b.Add(o, boltseal.Location{}))
	}
	return NewAccess(b.Snapshot())
}

// subjects are all that bindings name, and the accounts.
func (w *simWorld) subjects() []Subject {
	set := maps.Clone(w.accounts)
	for _, b := range w.cluster {
		for _, s := range b.Subjects {
			if s, ok := BoundSubject(s, ""); ok {
				set[s] = true
			}
		}
	}
	for _, b := range w.bindings {
		for _, s := range b.Subjects {
			if s, ok := BoundSubject(s, b.Namespace); ok {
				set[s] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(set), compareSubjects)
}

// attack does all that whoever holds a subject can do, until nothing is left,
// and returns what is held then.
func (w *simWorld) attack(t testing.TB, from Subject) (held map[Subject]bool, admin bool) {
	w = w.clone()
	held = map[Subject]bool{from: true}
	for changed := true; changed; {
		changed = false
		a := w.access(t)
		can := func(s Subject, verb, group, resource, ns, name string) bool {
			resource, sub, _ := strings.Cut(resource, "/")
			return a.Can(s, Request{Verb: verb, Group: group, Resource: resource, Subresource: sub, Namespace: ns, Name: name}).Answer == Granted
		}
		creates := func(s Subject, group, resource, ns, name string) bool {
			return can(s, "create", group, resource, ns, "") ||
				can(s, "create", group, resource, ns, name) && (can(s, "patch", group, resource, ns, name) || group == rbacGroup && can(s, "update", group, resource, ns, name))
		}
		anyHeld := func(f func(Subject) bool) bool {
			for s := range held {
				if f(s) {
					return true
				}
			}
			return false
		}
		hold := func(s Subject) {
			if !held[s] {
				held[s], changed = true, true
			}
		}
		for h := range maps.Clone(held) {
			if can(h, "*", "*", "*", "", "") || can(h, "*", "", "*", "", "") || h == Group(GroupMasters) {
				return held, true
			}
			me := boundAs(h)
			for _, r := range w.roles {
				ref := rbacv1.RoleRef{APIGroup: rbacGroup, Kind: "ClusterRole", Name: r.Name}
				for _, name := range []string{"x", "y"} {
					if creates(h, rbacGroup, "clusterrolebindings", "", name) && a.CanBind(h, "", ref).Answer == Granted {
						changed = w.bindCluster(ref, me) || changed
					}
					for _, ns := range w.namespaces {
						if creates(h, rbacGroup, "rolebindings", ns, name) && a.CanBind(h, ns, ref).Answer == Granted {
							changed = w.bind(ns, ref, me) || changed
						}
					}
				}
				if (can(h, "update", rbacGroup, "clusterroles", "", r.Name) || can(h, "patch", rbacGroup, "clusterroles", "", r.Name)) &&
					can(h, "escalate", rbacGroup, "clusterroles", "", r.Name) && r.Rules[0].Resources[0] != "*" {
					r.Rules, changed = []rbacv1.PolicyRule{{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}}}, true
				}
			}
			for _, name := range []string{"x", "y", "r2"} {
				fresh := []rbacv1.PolicyRule{{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}}}
				makes := func(resource, ns string) bool {
					return can(h, "create", rbacGroup, resource, ns, "") && can(h, "escalate", rbacGroup, resource, ns, "") ||
						can(h, "create", rbacGroup, resource, ns, name) && can(h, "escalate", rbacGroup, resource, ns, name) &&
							(can(h, "patch", rbacGroup, resource, ns, name) || can(h, "update", rbacGroup, resource, ns, name))
				}
				if a.Role("", name) == nil && makes("clusterroles", "") {
					w.roles, changed = append(w.roles, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: fresh}), true
				}
				for _, ns := range w.namespaces {
					if a.Role(ns, name) == nil && makes("roles", ns) {
						w.local, changed = append(w.local, &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}, Rules: fresh}), true
					}
				}
			}
			for _, r := range w.local {
				ref := rbacv1.RoleRef{APIGroup: rbacGroup, Kind: "Role", Name: r.Name}
				for _, name := range []string{"x", "y"} {
					if creates(h, rbacGroup, "rolebindings", r.Namespace, name) && a.CanBind(h, r.Namespace, ref).Answer == Granted {
						changed = w.bind(r.Namespace, ref, me) || changed
					}
				}
				if (can(h, "update", rbacGroup, "roles", r.Namespace, r.Name) || can(h, "patch", rbacGroup, "roles", r.Namespace, r.Name)) &&
					can(h, "escalate", rbacGroup, "roles", r.Namespace, r.Name) && r.Rules[0].Resources[0] != "*" {
					r.Rules, changed = []rbacv1.PolicyRule{{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}}}, true
				}
			}
			for _, b := range w.cluster {
				if (can(h, "update", rbacGroup, "clusterrolebindings", "", b.Name) || can(h, "patch", rbacGroup, "clusterrolebindings", "", b.Name)) &&
					a.CanBind(h, "", b.RoleRef).Answer == Granted && !slices.Contains(b.Subjects, me) {
					b.Subjects, changed = append(b.Subjects, me), true
				}
			}
			for _, b := range w.bindings {
				if (can(h, "update", rbacGroup, "rolebindings", b.Namespace, b.Name) || can(h, "patch", rbacGroup, "rolebindings", b.Namespace, b.Name)) &&
					a.CanBind(h, b.Namespace, b.RoleRef).Answer == Granted && !slices.Contains(b.Subjects, me) {
					b.Subjects, changed = append(b.Subjects, me), true
				}
			}
			someone := can(h, "impersonate", "", "users", "", "someone") || can(h, "impersonate", "", "users", "", "root")
			for _, s := range w.subjects() {
				if s.Kind == rbacv1.ServiceAccountKind && (can(h, "impersonate", "", "serviceaccounts", s.Namespace, s.Name)) {
					someone = true
				}
			}
			for _, ns := range w.namespaces {
				someone = someone || can(h, "impersonate", "", "serviceaccounts", ns, "nobody")
			}
			if someone && can(h, "impersonate", "", "groups", "", GroupMasters) {
				return held, true
			}
			for _, s := range w.subjects() {
				switch s.Kind {
				case rbacv1.UserKind:
					if can(h, "impersonate", "", "users", "", s.Name) {
						hold(s)
					}
				case rbacv1.GroupKind:
					if someone && can(h, "impersonate", "", "groups", "", s.Name) {
						hold(s)
					}
				default:
					if can(h, "impersonate", "", "serviceaccounts", s.Namespace, s.Name) {
						hold(s)
					}
					if !w.accounts[s] && creates(h, "", "serviceaccounts", s.Namespace, s.Name) {
						w.accounts[s], changed = true, true
					}
					if w.accounts[s] && can(h, "create", "", "serviceaccounts/token", s.Namespace, s.Name) {
						hold(s)
					}
				}
			}
			for _, ns := range w.namespaces {
				all := creates(h, "", "pods", ns, "x") || creates(h, "", "pods", ns, "gone")
				for _, name := range []string{"x", "y", "gone"} {
					reads := func(s Subject) bool {
						return can(s, "get", "", "secrets", ns, name) || can(s, "list", "", "secrets", ns, name) || can(s, "list", "", "secrets", ns, "")
					}
					all = all || creates(h, "", "secrets", ns, name) && anyHeld(reads)
				}
				for s := range w.accounts {
					if all && s.Namespace == ns {
						hold(s)
					}
				}
			}
		}
	}
	return held, false
}

func (w *simWorld) bindCluster(ref rbacv1.RoleRef, s rbacv1.Subject) bool {
	name := fmt.Sprintf("new-%s-%s-%s-%s", ref.Name, s.Kind, s.Namespace, strings.ReplaceAll(s.Name, ":", "."))
	if slices.ContainsFunc(w.cluster, func(b *rbacv1.ClusterRoleBinding) bool { return b.Name == name }) {
		return false
	}
	w.cluster = append(w.cluster, &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: ref, Subjects: []rbacv1.Subject{s}})
	return true
}

func (w *simWorld) bind(ns string, ref rbacv1.RoleRef, s rbacv1.Subject) bool {
	name := fmt.Sprintf("new-%s-%s-%s-%s-%s", ref.Kind, ref.Name, s.Kind, s.Namespace, strings.ReplaceAll(s.Name, ":", "."))
	if slices.ContainsFunc(w.bindings, func(b *rbacv1.RoleBinding) bool { return b.Namespace == ns && b.Name == name }) {
		return false
	}
	w.bindings = append(w.bindings, &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}, RoleRef: ref, Subjects: []rbacv1.Subject{s}})
	return true
}

// randomWorld makes a small world out of rules that matter.
func randomWorld(r *rand.Rand) *simWorld {
	w := &simWorld{namespaces: []string{"a", "b"}, accounts: map[Subject]bool{}}
	for _, ns := range w.namespaces {
		for _, n := range []string{"s0", "s1"} {
			w.accounts[ServiceAccount(ns, n)] = true
		}
	}
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	rule := func() rbacv1.PolicyRule {
		p := rbacv1.PolicyRule{APIGroups: []string{""}}
		names := func(odds int, list ...string) {
			if r.IntN(odds) == 0 {
				p.ResourceNames = []string{pick(list...)}
			}
		}
		switch r.IntN(11) {
		case 0:
			p.Verbs, p.Resources = []string{"impersonate"}, []string{pick("users", "groups", "serviceaccounts")}
			names(2, "root", "team", "s0", "system:masters")
		case 1:
			p.Verbs, p.Resources = []string{"create"}, []string{"serviceaccounts/token"}
			names(2, "s0", "s1", "gone")
		case 2:
			p.Verbs, p.Resources = []string{pick("get", "list", "create", "patch")}, []string{"secrets"}
			names(2, "x", "y", "")
		case 3:
			p.Verbs, p.Resources = []string{"create"}, []string{pick("pods", "serviceaccounts")}
			names(4, "x", "gone")
		case 4, 5:
			p.APIGroups, p.Verbs = []string{rbacGroup}, []string{pick("create", "update", "patch", "*")}
			p.Resources = []string{pick("clusterrolebindings", "rolebindings", "clusterroles", "roles")}
			if p.Verbs[0] == "*" && strings.HasSuffix(p.Resources[0], "roles") {
				p.Verbs[0] = "update"
			}
			names(2, "x", "r0", "r1", "b0")
		case 6, 7:
			p.APIGroups, p.Verbs = []string{rbacGroup}, []string{pick("bind", "escalate")}
			p.Resources = []string{pick("clusterroles", "roles")}
			names(2, "r0", "r1", "r2")
		case 8:
			p.Verbs, p.Resources = []string{"get"}, []string{"pods"}
		case 9:
			p.Verbs, p.Resources = []string{"create", "patch"}, []string{pick("secrets", "pods", "serviceaccounts")}
			names(2, "x", "gone")
		case 10:
			p.APIGroups, p.Verbs, p.Resources = []string{"*"}, []string{"*"}, []string{"*"}
			names(3, "x")
			if r.IntN(3) > 0 {
				p.APIGroups, p.Verbs, p.Resources, p.ResourceNames = []string{""}, []string{"get"}, []string{"configmaps"}, nil
			}
		}
		return p
	}
	rules := func() (list []rbacv1.PolicyRule) {
		for range 1 + r.IntN(3) {
			list = append(list, rule())
		}
		return list
	}
	for i := range 4 {
		w.roles = append(w.roles, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("r", i)}, Rules: rules()})
	}
	for i := range 2 {
		w.local = append(w.local, &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: pick("a", "b"), Name: fmt.Sprint("r", i)}, Rules: rules()})
	}
	subject := func() rbacv1.Subject {
		s := ServiceAccount(pick("a", "b"), pick("s0", "s1", "s0", "s1", "gone"))
		switch r.IntN(8) {
		case 0:
			s = User("root")
		case 1:
			s = Group(pick("team", "system:serviceaccounts:a"))
		}
		return boundAs(s)
	}
	for i := range 4 {
		w.cluster = append(w.cluster, &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("b", i)}, Subjects: []rbacv1.Subject{subject()},
			RoleRef: rbacv1.RoleRef{APIGroup: rbacGroup, Kind: "ClusterRole", Name: fmt.Sprint("r", r.IntN(4))},
		})
		kind, n := "ClusterRole", 4
		if r.IntN(2) == 0 {
			kind, n = "Role", 2
		}
		w.bindings = append(w.bindings, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: pick("a", "b"), Name: fmt.Sprint("b", i)}, Subjects: []rbacv1.Subject{subject()},
			RoleRef: rbacv1.RoleRef{APIGroup: rbacGroup, Kind: kind, Name: fmt.Sprint("r", r.IntN(n))},
		})
	}
	return w
}

// TestPathsAreBruteForce compares the engine with attackers that really do it,
// step by step, until nothing is left to do.
func TestPathsAreBruteForce(t *testing.T) {
	reached, worlds := 0, 60
	for seed := range worlds {
		w := randomWorld(rand.New(rand.NewPCG(uint64(seed), 5)))
		g := NewGraph(w.access(t), nil)
		for _, from := range w.subjects() {
			if from.Kind == rbacv1.GroupKind {
				continue
			}
			held, admin := w.attack(t, from)
			_, ok := g.Shortest(from.Position(), ClusterAdmin)
			if admin {
				reached++
			}
			require.Equal(t, admin, ok, "seed %d: %s to cluster-admin\n%s", seed, from, describe(w))
			if admin {
				continue
			}
			for _, to := range w.subjects() {
				if to == from || to.Kind == rbacv1.GroupKind {
					continue
				}
				p, ok := g.Shortest(from.Position(), to.Position())
				require.Equal(t, held[to], ok, "seed %d: %s to %s\n%s\n%s", seed, from, to, p, describe(w))
			}
		}
	}
	require.Greater(t, reached, worlds/4, "the worlds are too tame")
}

func describe(w *simWorld) string {
	var b strings.Builder
	for _, r := range w.roles {
		for i := range r.Rules {
			fmt.Fprintf(&b, "ClusterRole %s: %s\n", r.Name, ruleString(&r.Rules[i]))
		}
	}
	for _, r := range w.local {
		for i := range r.Rules {
			fmt.Fprintf(&b, "Role %s/%s: %s\n", r.Namespace, r.Name, ruleString(&r.Rules[i]))
		}
	}
	for _, c := range w.cluster {
		fmt.Fprintf(&b, "ClusterRoleBinding %s: %s to %v\n", c.Name, c.RoleRef.Name, c.Subjects[0])
	}
	for _, c := range w.bindings {
		fmt.Fprintf(&b, "RoleBinding %s/%s: %s %s to %v\n", c.Namespace, c.Name, c.RoleRef.Kind, c.RoleRef.Name, c.Subjects[0])
	}
	return b.String()
}

// TestFewerBindingsNeverAddPaths takes bindings away one by one.
func TestFewerBindingsNeverAddPaths(t *testing.T) {
	for seed := range 20 {
		w := randomWorld(rand.New(rand.NewPCG(uint64(seed), 9)))
		all := func(Position) bool { return true }
		before := NewGraph(w.access(t), nil).reaching(t.Context(), ClusterAdmin, all)
		for i := range w.cluster {
			less := w.clone()
			less.cluster = slices.Delete(less.cluster, i, i+1)
			for _, p := range NewGraph(less.access(t), nil).reaching(t.Context(), ClusterAdmin, all) {
				if _, ok := slices.BinarySearchFunc(before, p, compareReach); !ok {
					t.Fatalf("seed %d: %s reaches cluster-admin without %s only\n%s", seed, p.from, w.cluster[i].Name, describe(w))
				}
			}
		}
	}
}
