package orchestratortest

import (
	"fmt"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/boltseal/boltseal/orchestrator"
)

// rights is a rule of core resources, or of another group.
func rights(group string, verbs, resources []string, names ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{Verbs: verbs, APIGroups: []string{group}, Resources: resources, ResourceNames: names}
}

// planted is one kind of chain: what an account in a namespace of its own is
// given, so that it can take on the next one.
type planted struct {
	means string
	hop   func(w *World, from, to orchestrator.Subject, name string)
}

// hops lead from one service account to another in the namespace of that one.
var hops = []planted{
	{"create serviceaccounts/token", func(w *World, from, to orchestrator.Subject, name string) {
		w.bind(to.Namespace, name, w.role(to.Namespace, name, rights("", []string{"create"}, []string{"serviceaccounts/token"}, to.Name)), from)
	}},
	{"impersonate serviceaccounts", func(w *World, from, to orchestrator.Subject, name string) {
		w.bind(to.Namespace, name, w.role(to.Namespace, name, rights("", []string{"impersonate"}, []string{"serviceaccounts"}, to.Name)), from)
	}},
	{"create pods", func(w *World, from, to orchestrator.Subject, name string) {
		w.bind(to.Namespace, name, w.role("", name, rights("", []string{"create"}, []string{"pods"})), from)
	}},
	{"create deployments", func(w *World, from, to orchestrator.Subject, name string) {
		w.bind(to.Namespace, name, w.role(to.Namespace, name, rights("apps", []string{"create"}, []string{"deployments"})), from)
	}},
}

// ends make an account cluster administrator by a right of its own.
var ends = []struct {
	means string
	rules []rbacv1.PolicyRule
}{
	{"bind", []rbacv1.PolicyRule{rights(rbacv1.GroupName, []string{"create"}, []string{"clusterrolebindings"}), rights(rbacv1.GroupName, []string{"bind"}, []string{"clusterroles"}, "cluster-admin")}},
	{"impersonate system:masters", []rbacv1.PolicyRule{rights("", []string{"impersonate"}, []string{"users", "groups"})}},
	{"escalate", []rbacv1.PolicyRule{rights(rbacv1.GroupName, []string{"patch", "escalate"}, []string{"clusterroles"})}},
}

// misses lack one part of what they look like.
var misses = []struct {
	name    string
	cluster bool
	rules   []rbacv1.PolicyRule
}{
	{"bind-no-create", true, []rbacv1.PolicyRule{rights(rbacv1.GroupName, []string{"bind"}, []string{"clusterroles"})}},
	{"create-no-bind", true, []rbacv1.PolicyRule{rights(rbacv1.GroupName, []string{"create"}, []string{"clusterrolebindings", "rolebindings"})}},
	{"escalate-no-write", true, []rbacv1.PolicyRule{rights(rbacv1.GroupName, []string{"escalate", "get"}, []string{"clusterroles"})}},
	{"masters-no-user", true, []rbacv1.PolicyRule{rights("", []string{"impersonate"}, []string{"groups"}, "system:masters")}},
	{"star-in-the-middle", true, []rbacv1.PolicyRule{rights("", []string{"*"}, []string{"serviceaccounts/*", "pods/*"})}},
	{"names-of-nobody", true, []rbacv1.PolicyRule{rights("", []string{"create"}, []string{"serviceaccounts/token"}, "no-such-account")}},
	{"wrong-case", true, []rbacv1.PolicyRule{rights("", []string{"Create"}, []string{"pods"}), rights("", []string{"create"}, []string{"Pods"})}},
	{"wrong-group", true, []rbacv1.PolicyRule{rights("apps", []string{"create"}, []string{"pods"}), rights("", []string{"create"}, []string{"deployments"})}},
	{"only-here", false, []rbacv1.PolicyRule{rights("*", []string{"get", "list"}, []string{"widgets"}), rights("", []string{"create"}, []string{"configmaps"})}},
}

// plant adds chains of one to four hops, each in namespaces of its own, and the
// near misses.
func (w *World) plant(n int) {
	if n == 0 {
		n = 12
	}
	for i := range n {
		length := 1 + i%4
		var c Chain
		at := orchestrator.Subject{}
		for hop := range length + 1 {
			ns := fmt.Sprintf("chain-%d-%d", i, hop)
			w.namespace(ns, "restricted")
			next := w.account(ns, fmt.Sprintf("link-%d", hop))
			if hop == 0 {
				c.Start, at = next, next
				continue
			}
			h := hops[(i+hop)%len(hops)]
			h.hop(w, at, next, fmt.Sprintf("chain-%d-%d", i, hop))
			c.Steps, c.Means = append(c.Steps, next), append(c.Means, h.means)
			at = next
		}
		e := ends[i%len(ends)]
		name := fmt.Sprintf("chain-%d-end", i)
		w.bind("", name, w.role("", name, e.rules...), at)
		c.Means = append(c.Means, e.means)
		w.Chains = append(w.Chains, c)
	}
	for _, m := range misses {
		ns := "miss-" + m.name
		w.namespace(ns, "restricted")
		s := w.account(ns, "nearly")
		where, role := "", ""
		if !m.cluster {
			where, role = ns, ns
		}
		w.bind(where, ns, w.role(role, ns, m.rules...), s)
		w.Misses = append(w.Misses, s)
	}
}
