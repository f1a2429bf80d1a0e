package orchestrator

import (
	"cmp"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// holder is an identity and what it may do of the table.
type holder struct {
	fact    int32
	subject Subject
	groups  []string
	places  map[string]*heldRights // by namespace; "" is everywhere
	any     rightSet               // in any place, for any name
	// added are bindings that the identity makes itself (E05, E06); from is whom
	// it was before.
	added []*Binding
	from  *holder
}

func (h *holder) add(namespace string, r *heldRights) {
	p := h.places[namespace]
	if p == nil {
		p = &heldRights{}
		h.places[namespace] = p
	}
	p.merge(r)
	h.any.or(&r.all)
	h.any.or(&r.some)
}

// bootstrapUser stands for whoever has a bootstrap token.
const bootstrapUser = "system:bootstrap:TOKEN"

// readHolders finds out what each identity may do.
func (g *Graph) readHolders() {
	var list []Subject
	for s := range g.access.Subjects() {
		if s.Kind == rbacv1.GroupKind && s.Name == GroupMasters {
			continue
		}
		list = append(list, s)
	}
	for _, s := range []Subject{Anonymous(), Group(GroupAuthenticated), Group(GroupUnauthenticated), User(bootstrapUser)} {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, compareSubjects)
	bySubject := map[Subject]*holder{}
	for _, s := range list {
		h := &holder{fact: g.at(s.Position()), subject: s, groups: s.Groups(), places: map[string]*heldRights{}}
		for b := range g.bindingsOf(s) {
			h.add(b.Namespace, g.roleRights(b))
		}
		if s.Name == bootstrapUser {
			h.groups = bootstrapGroups(list)
		}
		bySubject[s] = h
		g.holders[h.fact] = h
		if s.Name != bootstrapUser {
			g.starts = append(g.starts, h.fact)
		}
	}
	for _, s := range list {
		h := bySubject[s]
		for _, name := range h.groups {
			if group := bySubject[Group(name)]; group != nil && group != h {
				var conds []Condition
				if s == Anonymous() {
					ok, c := g.anonymous()
					if !ok {
						continue
					}
					conds = c
				}
				g.link(holds, "", "", conds, group.fact, h.fact)
			}
		}
		g.readNeeds(h, bySubject)
	}
}

func compareSubjects(a, b Subject) int {
	return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
}

func bootstrapGroups(list []Subject) []string {
	groups := []string{GroupAuthenticated, "system:bootstrappers"}
	for _, s := range list {
		if s.Kind == rbacv1.GroupKind && strings.HasPrefix(s.Name, "system:bootstrappers:") {
			groups = append(groups, s.Name)
		}
	}
	return groups
}

// bindingsOf yields the bindings that name exactly this subject.
func (g *Graph) bindingsOf(s Subject) func(func(*Binding) bool) {
	return func(yield func(*Binding) bool) {
		for b, i := range g.access.Holds(s) {
			if b.Role == nil || g.without[b] || g.without[bindingSubject{b, i}] {
				continue
			}
			if !yield(b) {
				return
			}
		}
	}
}

// Keys of what [Graph.without] leaves out, beside *Binding.
type (
	bindingSubject struct {
		binding *Binding
		subject int
	}
	roleRule struct {
		role *Role
		rule int
	}
)

// roleRights returns what the role of a binding gives.
func (g *Graph) roleRights(b *Binding) *heldRights {
	if len(g.without) == 0 {
		return g.table.role(b.Role)
	}
	h := &heldRights{}
	for i := range b.Role.Rules {
		if !g.without[roleRule{b.Role, i}] {
			g.table.addRule(h, &b.Role.Rules[i])
		}
	}
	return h
}

// readNeeds adds what an identity may do. Needs of several rights may be
// satisfied by the identity and its groups together.
func (g *Graph) readNeeds(h *holder, all map[Subject]*holder) {
	if h.any == (rightSet{}) {
		return
	}
	whole := h
	for _, name := range h.groups {
		group := all[Group(name)]
		if group == nil || group == h || group.any == (rightSet{}) {
			continue
		}
		if whole == h {
			whole = &holder{places: map[string]*heldRights{}}
			for ns, r := range h.places {
				whole.add(ns, r)
			}
		}
		for ns, r := range group.places {
			whole.add(ns, r)
		}
	}
	for _, n := range []Need{needAll, needCore} {
		i := g.table.needByKey[needKey(n)]
		if all, _ := g.table.at(g.table.needs[i].rights[0], h.places[""]); all {
			g.may(h, i, "", nil, nil) // everything else follows
			return
		}
	}
	for i := range g.table.needs {
		n := &g.table.needs[i]
		from := whole
		if len(n.rights) == 1 && n.patch[0] < 0 {
			from = h
		}
		own, complete := false, true
		for _, r := range n.rights {
			own = own || h.any.has(r)
			complete = complete && from.any.has(r)
		}
		if own && complete {
			g.readNeed(h, from, i)
		}
	}
}

func (g *Graph) readNeed(h, from *holder, need int) {
	n := &g.table.needs[need]
	var everywhere *heldRights
	for _, r := range n.Rights {
		if r.Anywhere {
			everywhere = &heldRights{}
			for _, p := range from.places {
				everywhere.merge(p)
			}
		}
	}
	cluster := from.places[""]
	ok, wide := g.table.eval(n, everywhere, cluster)
	if ok {
		g.may(h, need, "", wide, nil)
		if wide == nil {
			return
		}
	}
	if n.cluster {
		return
	}
	everything := g.table.byKey[needAll.Rights[0].String()]
	for _, ns := range namespacesOf(from) {
		if r := h.places[ns]; r != nil && r.all.has(everything) && n.rights[0] != everything {
			continue // everything else in the namespace follows
		}
		if ok, names := g.table.eval(n, everywhere, cluster, from.places[ns]); ok {
			g.may(h, need, ns, names, wide)
		}
	}
}

func namespacesOf(h *holder) []string {
	var list []string
	for ns := range h.places {
		if ns != "" {
			list = append(list, ns)
		}
	}
	slices.Sort(list)
	return list
}

// may adds that an identity satisfies a need in a namespace for the names, nil
// for all, but for those that it has elsewhere.
func (g *Graph) may(h *holder, need int, namespace string, names, but []string) {
	if names == nil {
		g.link(holds, "", "", nil, g.mayDo(need, namespace, ""), h.fact)
		return
	}
	seen := map[string]bool{"": true}
	for _, name := range names {
		if !seen[name] && !slices.Contains(but, name) {
			seen[name] = true
			g.link(holds, "", "", nil, g.mayDo(need, namespace, name), h.fact)
		}
	}
}
