package orchestrator

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// Effect is what somebody can do by a [Primitive] that gives no identity,
// secret or node.
type Effect struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Gain  string `json:"gain"`
	// By is whose effect it is; Namespace is where, empty for the whole cluster.
	By        Position `json:"by"`
	Namespace string   `json:"namespace,omitempty"`
	// Uses are the rights that it needs.
	Uses []Use `json:"uses,omitempty"`
	// Why names the field that makes it possible, where that is no right.
	Why string `json:"why,omitempty"`
	// Conditions are what it depends on and the snapshot does not tell.
	Conditions []Condition `json:"conditions,omitempty"`
	// Remove says what to take away so that it is no longer possible: one entry
	// for each need, of which one is enough.
	Remove []string `json:"remove,omitempty"`
}

// String writes the effect on one line.
func (e *Effect) String() string {
	var uses []string
	for _, u := range e.Uses {
		uses = append(uses, u.Right)
	}
	s := e.ID + " " + e.Title
	if len(uses) > 0 {
		s += ": " + strings.Join(uses, " and ")
	}
	if e.Why != "" {
		s += ": " + e.Why
	}
	return s + " -> " + e.Gain + onConditions(e.Conditions)
}

// Effects yields what an identity can do by the primitives that are no step of
// a path, by its own rights and those of its groups: each once for each place
// where the rights come from, the cluster before the namespaces. For a workload
// it yields what its pods' settings give; ask for its service account, too.
func (g *Graph) Effects(of Position) iter.Seq[Effect] {
	return func(yield func(Effect) bool) {
		for _, w := range g.places {
			if w.Position() == of && w.Spec.HostNetwork {
				row := g.rows["E74"]
				e := Effect{ID: row.ID, Title: row.Title, Gain: row.Gain, By: of, Namespace: w.Namespace, Why: "hostNetwork: true", Remove: []string{row.Fix}}
				if !yield(e) {
					return
				}
			}
		}
		s, ok := subjectAt(of)
		if !ok {
			return
		}
		h := &holder{subject: s, groups: s.Groups()}
		for _, row := range Primitives() {
			if row.Effect && !g.effects(h, row, yield) {
				return
			}
		}
	}
}

// effects yields one primitive in the places where an identity has it; it
// reports whether to go on.
func (g *Graph) effects(h *holder, row *Primitive, yield func(Effect) bool) bool {
	given := map[string]bool{} // by the rules and places that give it
	for _, ns := range append([]string{""}, g.nsList...) {
		for _, way := range row.Ways {
			uses, local := g.usesOf(h, way, ns)
			if uses == nil || ns != "" && !local {
				continue
			}
			ok, conds := g.effectWhen(row.ID, way, ns)
			key := ns + way[0].String()
			if !ok || given[key] {
				continue
			}
			given[key] = true
			e := Effect{ID: row.ID, Title: row.Title, Gain: row.Gain, By: h.subject.Position(), Namespace: ns, Uses: uses, Conditions: conds}
			e.Remove = append(grantRemovals(uses), row.Fix)
			if !yield(e) {
				return false
			}
		}
	}
	return true
}

// usesOf returns the rights that satisfy a way in one place, nil if they do
// not. local is whether a right comes from the place itself.
func (g *Graph) usesOf(h *holder, way Way, ns string) (uses []Use, local bool) {
	for _, n := range way {
		u := Use{By: h.subject.Position(), Namespace: ns, Right: n.String()}
		if ns != "" {
			u.Right += " in " + ns
		}
		for _, r := range n.Rights {
			grants := g.grantsOf(h, r, ns, "")
			if len(grants) == 0 || r.creates() && !g.nameless(grants, r) && len(g.grantsOf(h, right("patch", r.Group, r.Resource), ns, "")) == 0 {
				return nil, false // a POST is asked about without a name
			}
			for _, grant := range grants {
				u.Grants = append(u.Grants, grant)
				u.Given = append(u.Given, grant.String())
				local = local || grant.Namespace() != ""
			}
			if r.Cluster() && slices.ContainsFunc(grants, func(g Grant) bool { return g.Namespace() != "" }) {
				return nil, false // a RoleBinding gives nothing on what is in no namespace
			}
		}
		uses = append(uses, u)
	}
	return uses, local
}

func (g *Graph) nameless(grants []Grant, r Right) bool {
	return slices.ContainsFunc(grants, func(x Grant) bool {
		_, all := ruleGives(x.Rule(), &r)
		return all
	})
}

// effectWhen is the precondition of a primitive that is no step.
func (g *Graph) effectWhen(id string, way Way, ns string) (ok bool, conds []Condition) {
	switch id {
	case "E09":
		return g.roleAwaited(way, ns)
	case "E16":
		return g.snap.Minor == 0 || g.snap.Minor >= 31, nil
	case "E23":
		return g.settle("signer-key", "whoever signs holds the key of an authority that somebody trusts")
	case "E24":
		return g.gate("ClusterTrustBundle")
	case "E25":
		return g.gate("PodCertificateRequest")
	case "E38":
		return g.settle("secrets-in-logs", "the logs hold secrets")
	case "E39":
		return g.settle("held-node", "a node is held already")
	case "E42":
		if _, set := g.apiServerFlag("--kubelet-certificate-authority"); set {
			return false, nil
		} else if g.apiServerSeen() {
			return true, nil
		}
		return g.settle("kubelet-certificate", "the API server runs without --kubelet-certificate-authority")
	case "E45", "E46":
		return g.settle("kubelet-port", "the kubelet's port 10250 can be reached")
	case "E49", "E64":
		return g.settle("driver", "a driver trusts what the object says")
	case "E50":
		return g.settle("pod-security-exemption", "Pod Security exempts a runtime class")
	case "E52":
		return g.mountableEnforced(ns)
	case "E54":
		return g.settle("validating-webhook", "the API server reaches the webhook")
	case "E60":
		return g.pluginOff("OwnerReferencesPermissionEnforcement")
	case "E61":
		return g.gate("StorageVersionMigrator")
	case "E62":
		return g.adminAccess(way, ns)
	case "E63":
		if g.snap.Minor >= 36 {
			return g.settle("claim-verbs", "the verbs associated-node: or arbitrary-node: on the claim's driver are held, too")
		}
	case "E65":
		if way[0].Rights[0].Resource == "services" {
			return g.pluginOff("DenyServiceExternalIPs")
		}
	case "E66":
		return g.settle("load-balancer", "a load balancer or Ingress sends traffic where the endpoints say")
	case "E68":
		return g.settle("network-policies", "something enforces network policies")
	case "E69":
		return g.settle("route-controller", "a controller serves the route")
	case "E75":
		if g.snap.Minor >= 35 {
			return false, nil
		}
		if ok, conds = g.pluginOff("AlwaysPullImages"); ok {
			_, more := g.settle("cached-image", "a private image is on the node")
			conds = append(conds, more...)
		}
		return ok, conds
	}
	return true, nil
}

// gate is whether a feature that is off by default was switched on.
func (g *Graph) gate(name string) (bool, []Condition) {
	if v, set := g.apiServerFlag("--feature-gates"); set && slices.Contains(strings.Split(v, ","), name+"=true") {
		return true, nil
	} else if g.apiServerSeen() {
		return false, nil
	}
	return g.settle("feature:"+name, "the feature %s is on, which is off by default", name)
}

// pluginOff is whether an admission plugin that is off by default stayed so.
func (g *Graph) pluginOff(name string) (bool, []Condition) {
	if v, set := g.apiServerFlag("--enable-admission-plugins"); set && slices.Contains(strings.Split(v, ","), name) {
		return false, nil
	} else if g.apiServerSeen() {
		return true, nil
	}
	return g.settle("plugin-off:"+name, "the admission plugin %s is off, as it is by default", name)
}

// roleAwaited is whether a binding waits for a role, or an aggregated role for
// rules.
func (g *Graph) roleAwaited(way Way, ns string) (bool, []Condition) {
	cluster := way[0].Rights[0].Resource == "clusterroles"
	for b := range g.access.Bindings() {
		if b.Role == nil && (b.RoleRef.Kind == "ClusterRole") == cluster && (cluster || ns == "" || b.Namespace == ns) {
			return true, nil
		}
	}
	if cluster {
		for r := range g.access.Roles() {
			if r.Aggregation != nil {
				return true, nil
			}
		}
	}
	if missing := g.access.Missing(ns); missing != "" {
		return g.settle("dangling:"+ns, "a binding refers to a role that does not exist (not seen: %s)", missing)
	}
	return false, nil
}

// mountableEnforced is whether somebody relies on the annotation that E52 gets
// around.
func (g *Graph) mountableEnforced(ns string) (bool, []Condition) {
	for _, it := range g.snap.ServiceAccounts {
		if (ns == "" || it.Namespace == ns) && it.Object.Annotations["kubernetes.io/enforce-mountable-secrets"] == "true" {
			return true, nil
		}
	}
	if g.snap.Coverage(Resource("", "serviceaccounts"), ns).Known() {
		return false, nil
	}
	return g.settle("mountable:"+ns, "a service account relies on kubernetes.io/enforce-mountable-secrets")
}

// adminAccess is whether a namespace has the label that E62 needs, or can be
// given it.
func (g *Graph) adminAccess(way Way, ns string) (bool, []Condition) {
	if len(way) > 1 {
		return true, nil // whoever may label the namespace does
	}
	for _, it := range g.snap.Namespaces {
		if (ns == "" || it.Name == ns) && it.Object.Labels["resource.kubernetes.io/admin-access"] == "true" {
			return true, nil
		}
	}
	if g.snap.Coverage(Resource("", "namespaces"), "").Known() {
		return false, nil
	}
	return g.settle("admin-access:"+ns, "namespace %s is labelled resource.kubernetes.io/admin-access", cmp.Or(ns, "of choice"))
}
