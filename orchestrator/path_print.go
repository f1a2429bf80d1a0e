package orchestrator

import (
	"fmt"
	"slices"
	"strings"
)

// position returns what a fact is as a position: that of the identity for one
// that bound roles to itself.
func (g *Graph) position(id int32) Position {
	f := g.facts[id]
	if f.kind != hub {
		return Position(f.a)
	}
	switch f.number {
	case hubTokens:
		return Position("tokens:" + f.a)
	case hubNames:
		return Position("names:" + f.a)
	case hubUsers:
		return "users"
	case hubIdentity:
		return "identities"
	case hubExec:
		return Position("exec:" + f.a)
	case hubKubelets:
		return "exec"
	case hubNodes:
		return AnyNode
	case hubNode:
		return Position("node-identity:" + f.a)
	case hubSecret:
		return Position("secret:" + f.a)
	}
	return Position("labels:" + f.a)
}

// printer turns the edges of a proof into steps.
type printer struct {
	g     *Graph
	start int32
	by    map[int32]int32   // what a fact about rights, or a group, was had by
	conds map[int32][]int32 // sets of conditions on the way to a fact since the last step
	leads map[int32]int32   // where the end of a step leads on to
	ends  map[int32]bool    // facts that something but leads uses
	steps []Step
}

// path makes a path of the edges of a proof, which are in an order in which
// each needs only those before it.
func (g *Graph) path(from, to Position, start int32, edges []int32) Path {
	p := &printer{g: g, start: start, by: map[int32]int32{}, conds: map[int32][]int32{}, leads: map[int32]int32{}, ends: map[int32]bool{}}
	for _, id := range edges {
		e := &g.edges[id]
		if e.kind == leads {
			if _, ok := p.leads[e.tails[0]]; !ok {
				p.leads[e.tails[0]] = id
			}
			continue
		}
		for _, t := range e.tails {
			if t >= 0 {
				p.ends[t] = true
			}
		}
	}
	for _, id := range edges {
		e := &g.edges[id]
		switch e.kind {
		case holds, narrower:
			p.by[e.head] = e.tails[0]
			p.carry(e)
		case leads:
			p.carry(e)
		case step:
			p.add(e)
		}
	}
	out := Path{From: from, To: to, Steps: p.steps}
	p.nameRoles()
	for i := range out.Steps {
		for _, c := range out.Steps[i].Conditions {
			if !slices.Contains(out.Conditions, c) {
				out.Conditions = append(out.Conditions, c)
			}
		}
	}
	return out
}

// carry keeps the conditions of an edge that is no step for the step that uses
// its head. Those on the end of a step belong to that step: see end.
func (p *printer) carry(e *edge) {
	p.conds[e.head] = append(p.conds[e.head], p.conds[e.tails[0]]...)
	if e.conds != 0 && e.kind != leads {
		p.conds[e.head] = append(p.conds[e.head], e.conds)
	}
}

func (p *printer) add(e *edge) {
	g := p.g
	s := Step{Why: e.why}
	if e.row != nil {
		s.ID, s.Title = e.row.ID, e.row.Title
	}
	sets := []int32{e.conds}
	for _, t := range e.tails {
		if t < 0 {
			break
		}
		sets = append(sets, p.conds[t]...)
		who := t
		if g.facts[t].kind == mayDo {
			holder, wide := p.holder(t)
			who = holder
			s.Uses = append(s.Uses, g.use(holder, t, wide))
		}
		for g.facts[who].kind == atPosition { // a group leads back to who is in it
			up, ok := p.by[who]
			if !ok {
				break
			}
			who = up
		}
		if from := g.position(who); !slices.Contains(s.From, from) {
			s.From = append(s.From, from)
		}
	}
	head := e.head
	for {
		id, ok := p.leads[head]
		if !ok || p.ends[head] {
			break
		}
		sets = append(sets, g.edges[id].conds)
		head = g.edges[id].head
	}
	s.To = g.position(head)
	if g.facts[head].kind == withRoles {
		s.Why = fmt.Sprintf("fact %d", head) // nameRoles puts the roles here
	}
	for _, set := range sets {
		for _, c := range g.sets[set] {
			if !slices.Contains(s.Conditions, g.conds[c]) {
				s.Conditions = append(s.Conditions, g.conds[c])
			}
		}
	}
	if s.Title == "" {
		s.Title = e.why
		s.Why = ""
	}
	if g.becomesController(&s) {
		s.ID, s.Title = "E18", g.rows["E18"].Title
	}
	s.Remove = removals(&s, e)
	p.steps = append(p.steps, s)
}

// becomesController reports whether a step is E18: it ends with the service
// account of a controller of the controller manager.
func (g *Graph) becomesController(s *Step) bool {
	account, ok := subjectAt(s.To)
	if !ok || account.Namespace != "kube-system" || s.ID != "E12" && s.ID != "E15" && s.ID != "E30" {
		return false
	}
	for b := range g.access.Holds(account) {
		if b.Namespace == "" && strings.HasPrefix(b.Name, "system:controller:") {
			return true
		}
	}
	return false
}

// holder returns the identity that satisfies a need, and the fact as that
// identity has it: in the namespace or across the cluster.
func (p *printer) holder(need int32) (holder, wide int32) {
	for {
		by, ok := p.by[need]
		if !ok {
			return need, need
		}
		if p.g.facts[by].kind != mayDo {
			return by, need
		}
		need = by
	}
}

// nameRoles says for the steps of E05 and E06 which roles are bound: those that
// a later step uses.
func (p *printer) nameRoles() {
	for i := range p.steps {
		var id int32
		if n, _ := fmt.Sscanf(p.steps[i].Why, "fact %d", &id); n != 1 || p.steps[i].ID != "E05" && p.steps[i].ID != "E06" {
			continue
		}
		var roles, rest []string
		for _, b := range p.g.holders[id].added {
			name := b.RoleRef.Kind + " " + b.RoleRef.Name
			if b.Namespace != "" {
				name += " in " + b.Namespace
			}
			rest = append(rest, name)
			for _, later := range p.steps[i+1:] {
				for _, u := range later.Uses {
					if slices.ContainsFunc(u.Grants, func(g Grant) bool { return g.Binding == b }) && !slices.Contains(roles, name) {
						roles = append(roles, name)
					}
				}
			}
		}
		if len(roles) == 0 {
			roles = rest
		}
		p.steps[i].Why = strings.Join(roles, ", ")
	}
}

// use says who has a right, and by which rules.
func (g *Graph) use(holder, need, wide int32) Use {
	f := g.facts[need]
	n := &g.table.needs[f.number]
	u := Use{Namespace: f.a, Name: f.b, Right: n.String()}
	if f.b != "" {
		u.Right += " named " + f.b
	}
	if f.a != "" {
		u.Right += " in " + f.a
	}
	h := g.holders[holder]
	if h == nil { // everything in a namespace includes the right
		u.By = g.position(holder)
		return u
	}
	u.By = h.subject.Position()
	place := g.facts[wide].a
	for i, r := range n.Rights {
		name := ""
		if n.Same || i == len(n.Rights)-1 {
			name = f.b
		}
		u.Grants = append(u.Grants, g.grantsOf(h, r, place, name)...)
	}
	for _, grant := range u.Grants {
		u.Given = append(u.Given, grant.String())
	}
	return u
}

// grantsOf returns the rules by which an identity has a right. Without a name
// they hold for all names, unless there are only some.
func (g *Graph) grantsOf(h *holder, r Right, namespace, name string) []Grant {
	var all, some []Grant
	try := func(s Subject, b *Binding, index int) {
		if b.Role == nil || b.Namespace != "" && b.Namespace != namespace && !r.Anywhere || g.without[b] || g.without[bindingSubject{b, index}] {
			return
		}
		for i := range b.Role.Rules {
			if g.without[roleRule{b.Role, i}] {
				continue
			}
			ok, every := ruleGives(&b.Role.Rules[i], &r)
			switch grant := (Grant{Subject: s, Binding: b, SubjectIndex: index, Role: b.Role, RuleIndex: i}); {
			case !ok:
			case every || slices.Contains(b.Role.Rules[i].ResourceNames, name):
				all = append(all, grant)
			default:
				some = append(some, grant)
			}
		}
	}
	for _, b := range h.added {
		try(h.subject, b, 0)
	}
	for s := range identities(h.subject, h.groups) {
		for b, i := range g.access.Holds(s) {
			try(s, b, i)
		}
	}
	if len(all) == 0 && name == "" {
		return some
	}
	return all
}

// grantRemovals names the binding and the rule behind each right.
func grantRemovals(uses []Use) (out []string) {
	for _, u := range uses {
		var parts []string
		for _, g := range u.Grants {
			if g.Binding.Name == "" || g.Binding.Assumed && g.Role.Assumed {
				continue
			}
			parts = append(parts, fmt.Sprintf("%s from %s, or rule %d of %s (%s)", g.Subject, g.Binding, g.RuleIndex, g.Role, ruleString(g.Rule())))
		}
		if len(parts) > 0 {
			out = append(out, "remove "+strings.Join(parts, "; and "))
		}
	}
	return out
}

// removals says how to take a step away.
func removals(s *Step, e *edge) (out []string) {
	out = grantRemovals(s.Uses)
	switch {
	case e.row != nil && e.row.ID == "E72":
		out = append(out, "remove "+s.Why)
	case e.row != nil:
		out = append(out, e.row.Fix)
	case strings.HasPrefix(s.Title, "automount"):
		out = append(out, "set automountServiceAccountToken: false")
	case len(s.Uses) == 0:
		out = append(out, "take it out of the pod: "+s.Title)
	}
	return out
}
