package orchestrator

import (
	"slices"
)

// connectCluster is E40, E43, E44, E53, E55, E58 and E76.
func (g *Graph) connectCluster() {
	admin, kubelets, nodes := g.at(ClusterAdmin), g.hub(hubKubelets, ""), g.hub(hubNodes, "")
	g.each(needNodeProxy, func(id int32, name string) {
		if name == "" {
			g.step("E43", nil, kubelets, id)
			return
		}
		for _, w := range g.places {
			if slices.Contains(w.nodes, name) {
				g.step("E43", nil, w.fact, id)
			}
		}
	})
	for _, ns := range g.nsList {
		g.lead(nil, g.hub(hubExec, ns), kubelets)
		for _, evict := range []Need{needEvict, needEvictCreate} {
			g.step("E40", nil, g.hub(hubExec, ns), g.can(evict, ns, ""), g.can(needNodes, "", ""), g.at(AnyNode))
		}
	}
	if ok, conds := g.settle("mutating-webhook", "the API server reaches the webhook, and somebody stronger writes an object while it is there"); ok {
		g.each(needMutatingWebhooks, func(id int32, _ string) { g.step("E53", conds, admin, id) })
	}
	if ok, conds := g.settle("mutating-policy", "somebody stronger writes an object, such as a binding, while the policy is there"); ok && (g.snap.Minor == 0 || g.snap.Minor >= 34) {
		g.each(needMutatingPolicies, func(policy int32, _ string) {
			g.each(needMutatingBindings, func(binding int32, _ string) { g.step("E55", conds, admin, policy, binding) })
		})
	}
	// A new namespace has the labels that its creator gives it.
	if ok, conds := g.admission(""); ok {
		g.each(needNewNamespace, func(id int32, _ string) { g.step("E58", conds, nodes, id, g.can(needPods, "", "")) })
	}
	g.connectAWS()
	for _, d := range deputies() {
		for s := range g.everyAccount() {
			if !slices.Contains(d.accounts, s.Name) {
				continue
			}
			if ok, conds := g.settle("deputy:"+d.controller, "service account %s/%s is %s's, which does what %s.%s say", s.Namespace, s.Name, d.controller, d.resource, d.group); ok {
				for _, ns := range append([]string{""}, g.nsList...) {
					g.eachIn(d.need(), ns, func(id int32, _ string) { g.step("E76", conds, g.at(s.Position()), id) })
				}
			}
		}
	}
}

func (g *Graph) everyAccount() func(func(Subject) bool) {
	return func(yield func(Subject) bool) {
		for _, ns := range g.nsList {
			for _, s := range g.accounts[ns] {
				if !yield(s) {
					return
				}
			}
		}
	}
}
