package orchestrator

import (
	"maps"
	"slices"
	"strings"
)

// connectNodes is E70, E71 and what a node of choice is.
func (g *Graph) connectNodes() {
	choice, certs, unknown := g.hub(hubNodes, ""), g.at(NodeIdentity), g.at(AnyNode)
	g.lead(nil, unknown, choice)
	names := map[string]bool{}
	for _, it := range g.snap.Nodes {
		names[it.Name] = true
	}
	for _, w := range g.places {
		for _, n := range w.nodes {
			names[n] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		root, cert := g.at(NodeRoot(name)), g.hub(hubNode, name)
		g.lead(nil, root, choice)
		g.lead(nil, unknown, root)
		g.lead(nil, cert, root)
		g.lead(nil, cert, certs)
		if id, ok := g.ids[fact{kind: atPosition, a: string(Node(name).Position())}]; ok {
			g.lead(nil, cert, id)
		}
		if it := g.snap.Nodes.Get("", name); it != nil && controlPlaneNode(it.Object.Labels) {
			g.step("E71", nil, g.at(ClusterAdmin), root)
		}
	}
	if !g.snap.Coverage(Resource("", "nodes"), "").Known() {
		if ok, conds := g.settle("control-plane-node", "the node is one of the control plane"); ok {
			g.step("E71", conds, g.at(ClusterAdmin), unknown)
		}
	}
	anywhere := g.hub(hubNode, "")
	g.lead(nil, anywhere, unknown)
	g.lead(nil, anywhere, certs)
}

func controlPlaneNode(labels map[string]string) bool {
	for _, l := range []string{"node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"} {
		if _, ok := labels[l]; ok {
			return true
		}
	}
	return false
}

// connectWorkload is what code in a pod gives: its token, its secrets, its
// node; and what its node gets from it.
func (g *Graph) connectWorkload(w *workloadPlace) {
	account := g.at(w.ServiceAccount().Position())
	if ok, conds, why := g.mountsToken(w); ok {
		g.link(step, "", why, conds, account, w.fact)
	}
	for _, s := range w.secrets {
		g.link(step, "", "the pod reads secret "+s.name, nil, s.fact, w.fact)
	}
	if w.controlPlane() {
		g.link(step, "E71", "the container holds keys of the control plane", nil, g.at(ClusterAdmin), w.fact)
	}
	if why := escapes(w.Spec); len(why) > 0 {
		for _, node := range g.nodesOf(w) {
			g.link(step, "E72", strings.Join(why, "; "), nil, node, w.fact)
		}
	}
	g.connectMetadata(w)

	for _, n := range w.nodes {
		g.fromNode(w, g.hub(hubNode, n), account, nil)
	}
	if len(w.nodes) == 0 {
		if ok, conds := g.settle("node-of:"+w.Namespace+"/"+w.Name, "%s runs on the node", w.String()); ok {
			g.fromNode(w, g.hub(hubNode, ""), account, conds)
		}
	}
}

// fromNode is E70.
func (g *Graph) fromNode(w *workloadPlace, node, account int32, conds []Condition) {
	if w.mirror() {
		return
	}
	why := w.String() + " runs there"
	g.link(step, "E70", why, conds, account, node)
	for _, s := range w.secrets {
		g.link(step, "E70", why, conds, g.hub(hubSecret, w.Namespace+"/"+s.name), node) // the kubelet reads it whole
	}
}
