package orchestrator

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// readJoins adds what identities get that may bind roles to themselves: E05
// and E06.
func (g *Graph) readJoins() {
	var list []*holder
	for _, id := range g.starts {
		if h := g.holders[id]; h != nil { // else a workload
			list = append(list, h)
		}
	}
	for _, h := range list {
		bindings := g.joinable(h)
		if len(bindings) == 0 {
			continue
		}
		// One role at a time, so that a path names the one that it needs; then all
		// of them, for steps that need rights of several.
		if len(bindings) <= singleJoins {
			for _, b := range bindings {
				g.join(h, []*Binding{b})
			}
		}
		for range maxJoinRounds {
			all := &holder{subject: h.subject, groups: h.groups, places: map[string]*heldRights{}, from: h}
			g.enrich(all, h, bindings)
			more := g.joinable(all)
			if len(more) <= len(bindings) {
				break
			}
			bindings = more
		}
		if len(bindings) > 1 {
			g.join(h, bindings)
		}
	}
}

// Limits of what is explored for one identity that may bind many roles.
const (
	singleJoins   = 16
	maxJoinRounds = 4
)

func (g *Graph) enrich(to, h *holder, bindings []*Binding) {
	for ns, r := range h.places {
		to.add(ns, r)
	}
	for _, b := range bindings {
		if b.Role != nil {
			to.add(b.Namespace, g.roleRights(b))
		}
	}
	to.added = bindings
}

// join adds the position of an identity that has bound roles to itself.
func (g *Graph) join(h *holder, bindings []*Binding) {
	var names []string
	tails := []int32{h.fact}
	row := "E05"
	for _, b := range bindings {
		names = append(names, b.Namespace+"/"+b.RoleRef.Kind+"/"+b.RoleRef.Name)
		if b.Name != "" {
			row = "E06"
		}
		if can := g.joinedBy(h, b); can >= 0 && len(tails) < 3 && !slices.Contains(tails, can) {
			tails = append(tails, can)
		}
	}
	id := g.fact(fact{kind: withRoles, a: string(h.subject.Position()), b: strings.Join(names, " ")})
	j := &holder{fact: id, subject: h.subject, groups: h.groups, places: map[string]*heldRights{}, from: h}
	g.enrich(j, h, bindings)
	g.holders[id] = j
	g.step(row, nil, id, tails...)
	for i := range g.table.needs {
		if covers(&j.any, g.table.needs[i].rights) {
			g.readNeed(j, j, i)
		}
	}
}

func covers(s *rightSet, rights []int) bool {
	for _, r := range rights {
		if !s.has(r) {
			return false
		}
	}
	return true
}

// joinedBy returns the right by which a binding can be made or joined, or -1.
func (g *Graph) joinedBy(h *holder, b *Binding) int32 {
	needs := []Need{needBindCluster, needJoinCluster}
	if b.Namespace != "" {
		needs = []Need{needBindClusterHere, needJoinClusterHere}
		if b.RoleRef.Kind == "Role" {
			needs = []Need{needBindRole, needJoinRole}
		}
	}
	for _, n := range needs {
		for _, ns := range []string{b.Namespace, ""} {
			for _, name := range []string{b.RoleRef.Name, ""} {
				if id := g.can(n, ns, name); id >= 0 && g.leadsTo(h.fact, id) {
					return id
				}
			}
		}
	}
	return -1
}

func (g *Graph) leadsTo(from, to int32) bool {
	return slices.ContainsFunc(g.out[from], func(e int32) bool { return g.edges[e].head == to })
}

// joinable returns the bindings that an identity could make for itself, or
// join. A right to bind any ClusterRole is left to the connections of E05: it
// is everything at once.
func (g *Graph) joinable(h *holder) []*Binding {
	j := &joins{g: g, h: h}
	if p := h.places[""]; p != nil && (p.all.has(g.table.byKey[needAll.Rights[0].String()]) || p.all.has(g.table.byKey[needCore.Rights[0].String()])) {
		return nil // it has everything
	}
	if !h.any.has(g.table.byKey[needBindCluster.Rights[1].String()]) && !h.any.has(g.table.byKey[needBindRole.Rights[1].String()]) {
		return nil
	}
	j.made(needBindCluster, "", "ClusterRole")
	j.joined(needJoinCluster, "", "ClusterRole")
	for _, ns := range g.nsList {
		if h.places[""] == nil && h.places[ns] == nil {
			continue
		}
		j.made(needBindClusterHere, ns, "ClusterRole")
		j.made(needBindRole, ns, "Role")
		j.joined(needJoinClusterHere, ns, "ClusterRole")
		j.joined(needJoinRole, ns, "Role")
	}
	return j.out
}

// maxJoins bounds the bindings that are explored for one identity.
const maxJoins = 256

// joins collects the bindings of one identity, one for each role and namespace.
type joins struct {
	g    *Graph
	h    *holder
	out  []*Binding
	full map[string]bool // namespaces in which one of them gives everything
}

func (j *joins) add(namespace, name string, ref rbacv1.RoleRef) {
	if len(j.out) >= maxJoins || j.full[namespace] || j.full[""] {
		return
	}
	b := &Binding{Namespace: namespace, Name: name, RoleRef: ref, Subjects: []rbacv1.Subject{boundAs(j.h.subject)}}
	if ref.Kind == "Role" {
		b.Role = j.g.access.Role(namespace, ref.Name)
	} else {
		b.Role = j.g.access.Role("", ref.Name)
	}
	if b.Role != nil && j.g.table.role(b.Role).all.has(j.g.table.byKey[needAll.Rights[0].String()]) {
		if j.full == nil {
			j.full = map[string]bool{}
		}
		j.full[namespace] = true
		j.out = slices.DeleteFunc(j.out, func(o *Binding) bool { return o.Namespace == namespace })
	}
	for _, o := range j.out {
		if o.Namespace == namespace && o.RoleRef == ref {
			return
		}
	}
	j.out = append(j.out, b)
}

// made adds new bindings.
func (j *joins) made(n Need, namespace, kind string) {
	ok, names := j.g.table.eval(j.g.table.lookup(n), nil, j.h.places[""], j.place(namespace))
	switch {
	case !ok:
	case names != nil:
		for _, name := range names {
			j.add(namespace, "", rbacv1.RoleRef{APIGroup: rbacGroup, Kind: kind, Name: name})
		}
	case kind == "Role":
		for r := range j.g.access.Roles() {
			if r.Namespace == namespace {
				j.add(namespace, "", rbacv1.RoleRef{APIGroup: rbacGroup, Kind: kind, Name: r.Name})
			}
		}
	}
}

// joined adds existing bindings.
func (j *joins) joined(n Need, namespace, kind string) {
	need := j.g.table.lookup(n)
	places := []*heldRights{j.h.places[""], j.place(namespace)}
	if ok, _ := j.g.table.eval(need, nil, places...); !ok {
		return
	}
	anyBinding, bindings := j.g.table.at(need.rights[0], places...)
	anyRole, roles := j.g.table.at(need.rights[1], places...)
	for b := range j.g.access.Bindings() {
		if b.Namespace == namespace && b.RoleRef.Kind == kind && !j.g.without[b] &&
			(anyBinding || slices.Contains(bindings, b.Name)) && (anyRole || slices.Contains(roles, b.RoleRef.Name)) {
			j.add(namespace, b.Name, b.RoleRef)
		}
	}
}

func (j *joins) place(namespace string) *heldRights {
	if namespace == "" {
		return nil
	}
	return j.h.places[namespace]
}

// boundAs returns a subject as a binding names it.
func boundAs(s Subject) rbacv1.Subject {
	out := rbacv1.Subject{Kind: s.Kind, Namespace: s.Namespace, Name: s.Name}
	if s.Kind != rbacv1.ServiceAccountKind {
		out.APIGroup = rbacGroup
	}
	return out
}
