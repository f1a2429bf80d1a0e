package orchestrator

import (
	"slices"
)

// connectPrivileged is E31, E36 with a privileged container, E48, E56 and E57:
// ways from a namespace's pods to nodes, and what opens them.
func (g *Graph) connectPrivileged(ns string) {
	pods, nodes, relabel := g.at(PodsOf(ns)), g.hub(hubNodes, ""), g.hub(hubRelabel, ns)
	secure, secureConds := g.podSecurity(ns, false)
	admit, admitConds := g.admission(ns)
	if secure && admit {
		g.step("E31", slices.Concat(secureConds, admitConds), nodes, pods)
	}
	g.eachIn(needNamespace, ns, func(id int32, name string) {
		if name == "" || name == ns {
			g.step("E57", nil, relabel, id)
		}
	})
	if !secure || len(secureConds) > 0 {
		if admit {
			g.step("E31", admitConds, nodes, pods, relabel)
		}
	}
	if secure && (!admit || len(admitConds) > 0) {
		for _, n := range []Need{needDropValidating, needDropMutating, needDropPolicies, needDropPolicyBindings} {
			g.each(n, func(id int32, name string) {
				if name == "" && len(g.podAdmission(ns)) > 0 {
					g.step("E56", secureConds, nodes, pods, id)
				}
			})
		}
	}
	if _, mounts := g.podSecurity(ns, true); admit {
		g.each(needVolume, func(volume int32, _ string) {
			conds := slices.Concat(mounts, admitConds)
			if ok, _ := g.podSecurity(ns, true); !ok {
				_, c := g.settle("volume-uid:"+ns, "files of the node are of use to the uid that restricted leaves the pod in namespace %s", ns)
				conds = slices.Concat(c, admitConds)
			}
			g.eachIn(needClaim, ns, func(claim int32, _ string) { g.step("E48", conds, nodes, volume, claim, pods) })
			g.step("E48", conds, nodes, volume, g.can(needStatefulSet, ns, ""))
		})
	}
	if secure && admit {
		g.eachIn(needEphemeral, ns, func(id int32, name string) {
			for _, w := range g.placesIn[ns] {
				if name != "" && !slices.Contains(w.pods, name) {
					continue
				}
				for _, to := range g.nodesOf(w) {
					g.step("E36", slices.Concat(secureConds, admitConds), to, id)
				}
			}
		})
	}
}

// nodesOf returns the nodes that a workload runs on: all of them for a
// DaemonSet, an unknown one where the snapshot has no pods.
func (g *Graph) nodesOf(w *workloadPlace) []int32 {
	var out []int32
	for _, n := range w.nodes {
		out = append(out, g.at(NodeRoot(n)))
	}
	if len(out) == 0 && w.Kind == "DaemonSet" && len(w.Spec.NodeSelector) == 0 && w.Spec.Affinity == nil {
		for _, it := range g.snap.Nodes {
			out = append(out, g.at(NodeRoot(it.Name)))
		}
	}
	if len(out) == 0 {
		out = append(out, g.at(AnyNode))
	}
	return out
}
