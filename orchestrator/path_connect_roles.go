package orchestrator

import (
	"maps"
	"slices"
)

// connectRewrites is E07: who may give a role any rules gives them to everybody
// that the role is bound to.
func (g *Graph) connectRewrites() {
	anyCluster, anyNew := g.can(needEscalateCluster, "", ""), g.can(needEscalateNewCluster, "", "")
	bound := func(b *Binding, to int32) {
		target := g.at(ClusterAdmin)
		if b.Namespace != "" {
			target = g.at(AdminOf(b.Namespace))
		}
		rewrite, fresh := []int32{anyCluster}, []int32{anyNew}
		if b.RoleRef.Kind == "Role" {
			ns, name := b.Namespace, b.RoleRef.Name
			rewrite = []int32{g.can(needEscalate, ns, ""), g.can(needEscalate, ns, name), g.can(needEscalate, "", name)}
			fresh = []int32{g.can(needEscalateNew, ns, ""), g.can(needEscalateNew, ns, name), g.can(needEscalateNew, "", name)}
		} else {
			rewrite = append(rewrite, g.can(needEscalateCluster, "", b.RoleRef.Name))
			fresh = append(fresh, g.can(needEscalateNewCluster, "", b.RoleRef.Name))
			for _, from := range g.aggregated(b.Role) {
				rewrite = append(rewrite, g.can(needEscalateCluster, "", from))
			}
		}
		if b.Role == nil {
			rewrite = fresh // there is none to rewrite, but one may be made
		}
		for _, can := range rewrite {
			g.step("E07", nil, target, can, to)
		}
	}
	for b := range g.access.Bindings() {
		if g.without[b] {
			continue
		}
		for i := range b.Subjects {
			if s, ok := BoundSubject(b.Subjects[i], b.Namespace); ok && !g.without[bindingSubject{b, i}] {
				if id, ok := g.ids[fact{kind: atPosition, a: string(s.Position())}]; ok {
					bound(b, id)
				}
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(g.holders)) {
		for _, b := range g.holders[id].added {
			bound(b, id)
		}
	}
}

// aggregated returns the names of the roles whose rules go into a role.
func (g *Graph) aggregated(r *Role) (names []string) {
	if r == nil || r.Aggregation == nil {
		return nil
	}
	for other := range g.access.Roles() {
		if other.Namespace != "" || other == r {
			continue
		}
		for i := range r.Aggregation.ClusterRoleSelectors {
			if selects(&r.Aggregation.ClusterRoleSelectors[i], other.Labels) {
				names = append(names, other.Name)
				break
			}
		}
	}
	return names
}
