package orchestrator

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// rightSet is a set of rights of the table, by their index.
type rightSet [4]uint64

func (s *rightSet) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s *rightSet) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }
func (s *rightSet) or(t *rightSet) {
	for i := range s {
		s[i] |= t[i]
	}
}

// heldRights is what an identity has of the table's rights in one namespace, or
// across the cluster: for all objects, or for those named.
type heldRights struct {
	all   rightSet
	some  rightSet // those in named
	named map[int][]string
}

func (h *heldRights) merge(o *heldRights) {
	h.all.or(&o.all)
	h.some.or(&o.some)
	for i, names := range o.named {
		h.addNames(i, names)
	}
}

func (h *heldRights) addNames(i int, names []string) {
	h.some.add(i)
	if h.named == nil {
		h.named = map[int][]string{}
	}
	for _, n := range names {
		if !slices.Contains(h.named[i], n) {
			h.named[i] = append(h.named[i], n)
		}
	}
}

// rightsTable numbers the rights and needs of the table, and finds which of
// them a rule gives.
type rightsTable struct {
	rights     []Right
	needs      []tableNeed
	byKey      map[string]int // rights, by Right.String
	needByKey  map[string]int
	byResource map[string][]int
	roles      map[*Role]*heldRights
	facts      map[needIn][]int32 // of a Graph
}

type needIn struct {
	need      int
	namespace string
}

type tableNeed struct {
	Need
	rights []int
	// patch[i] is the right that makes a named create usable, or -1: a POST
	// carries no name, a server-side apply does.
	patch   []int
	cluster bool // no namespace can have it
}

func newRightsTable() *rightsTable {
	t := &rightsTable{byKey: map[string]int{}, needByKey: map[string]int{}, byResource: map[string][]int{}, roles: map[*Role]*heldRights{}, facts: map[needIn][]int32{}}
	for _, p := range Primitives() {
		if p.Effect {
			continue
		}
		for _, w := range p.Ways {
			for _, n := range w {
				t.need(n)
			}
		}
	}
	return t
}

// need returns the number of a need.
func (t *rightsTable) need(n Need) int {
	key := needKey(n)
	if i, ok := t.needByKey[key]; ok {
		return i
	}
	tn := tableNeed{Need: n}
	for _, r := range n.Rights {
		tn.rights = append(tn.rights, t.right(r))
		tn.cluster = tn.cluster || r.Cluster()
		patch := -1
		if r.creates() {
			verbs := "patch"
			if r.Group == rbacGroup {
				verbs = changeVerbs // an update may create there, too
			}
			patch = t.right(right(verbs, r.Group, r.Resource))
		}
		tn.patch = append(tn.patch, patch)
	}
	t.needs = append(t.needs, tn)
	t.needByKey[key] = len(t.needs) - 1
	return len(t.needs) - 1
}

// lookup returns a need of the table.
func (t *rightsTable) lookup(n Need) *tableNeed { return &t.needs[t.needByKey[needKey(n)]] }

func needKey(n Need) string {
	key := n.String()
	if n.Same {
		key += " same"
	}
	for _, r := range n.Rights {
		if r.Anywhere {
			key += " anywhere"
		}
	}
	return key
}

func (t *rightsTable) right(r Right) int {
	key := r.String()
	if i, ok := t.byKey[key]; ok {
		return i
	}
	t.rights = append(t.rights, r)
	i := len(t.rights) - 1
	t.byKey[key] = i
	t.byResource[r.Resource] = append(t.byResource[r.Resource], i)
	return i
}

// role returns what the rules of a role give, computed once.
func (t *rightsTable) role(r *Role) *heldRights {
	if h, ok := t.roles[r]; ok {
		return h
	}
	h := &heldRights{}
	for i := range r.Rules {
		t.addRule(h, &r.Rules[i])
	}
	t.roles[r] = h
	return h
}

func (t *rightsTable) addRule(h *heldRights, rule *rbacv1.PolicyRule) {
	try := func(list []int) {
		for _, i := range list {
			if ok, nameless := ruleGives(rule, &t.rights[i]); !ok {
				continue
			} else if nameless {
				h.all.add(i)
			} else {
				h.addNames(i, rule.ResourceNames)
			}
		}
	}
	for _, i := range t.byResource["*"] {
		if on := t.rights[i].Verbs[0]; strings.HasPrefix(on, "impersonate-on:") && slices.ContainsFunc(rule.Verbs, func(v string) bool { return strings.HasPrefix(v, on) }) {
			h.all.add(i)
		}
	}
	for _, resource := range rule.Resources {
		if resource == "*" || strings.HasPrefix(resource, "*/") {
			for _, list := range t.byResource {
				try(list)
			}
			return
		}
	}
	for _, resource := range rule.Resources {
		try(t.byResource[resource])
	}
}

// ruleGives reports whether a rule gives a right, and whether for requests that
// carry no name, or for all names.
func ruleGives(rule *rbacv1.PolicyRule, r *Right) (ok, all bool) {
	resource, sub, _ := strings.Cut(r.Resource, "/")
	switch {
	case r.Any:
		if len(rule.APIGroups) == 0 || !slices.ContainsFunc(rule.Resources, func(s string) bool { return !strings.Contains(s, "/") }) {
			return false, false
		}
	case !matches(rule.APIGroups, r.Group):
		return false, false
	case sub == "*":
		if !slices.ContainsFunc(rule.Resources, func(s string) bool {
			return s == "*" || s != r.Resource && (strings.HasPrefix(s, resource+"/") || strings.HasPrefix(s, "*/"))
		}) {
			return false, false
		}
	case !resourceMatches(rule.Resources, resource, sub):
		return false, false
	}
	for _, v := range r.Verbs {
		if !matches(rule.Verbs, v) {
			continue
		}
		ok = true
		if len(rule.ResourceNames) == 0 {
			return true, true
		}
		// The name "" is that of a request without one.
		nameless := v == "list" || v == "watch" || v == "deletecollection" || v == "create" && r.creates()
		if nameless && slices.Contains(rule.ResourceNames, "") {
			return true, true
		}
		if v == "deletecollection" {
			ok = len(r.Verbs) > 1
		}
	}
	return ok, false
}

func matches(list []string, value string) bool {
	return slices.Contains(list, value) || slices.Contains(list, "*")
}

// at returns what of a right is held where cluster-wide rights and those of a
// namespace come together.
func (t *rightsTable) at(i int, places ...*heldRights) (all bool, names []string) {
	for _, h := range places {
		switch {
		case h == nil:
		case h.all.has(i):
			return true, nil
		case h.some.has(i):
			names = append(names, h.named[i]...)
		}
	}
	return false, names
}

// eval decides a need over the rights that come together in one place. Names
// are those of the last right; without any, and with ok, it holds for all.
func (t *rightsTable) eval(n *tableNeed, anywhere *heldRights, places ...*heldRights) (ok bool, names []string) {
	for i, r := range n.rights {
		from := places
		if n.Rights[i].Anywhere {
			from = []*heldRights{anywhere}
		}
		all, some := t.at(r, from...)
		if !all && n.patch[i] >= 0 && len(some) > 0 {
			patchAll, patchSome := t.at(n.patch[i], from...)
			if !patchAll {
				some = intersect(some, patchSome)
			}
		}
		if !all && len(some) == 0 {
			return false, nil
		}
		switch {
		case n.Same && i > 0 && names != nil && !all:
			if names = intersect(names, some); len(names) == 0 {
				return false, nil
			}
		case n.Same && all && i > 0: // the names so far stand
		case all:
			names = nil
		default:
			names = some
		}
	}
	if n.Same && names != nil {
		// A POST is asked about without a name: for a name, it takes an apply.
		for _, patch := range n.patch {
			if patch < 0 {
				continue
			}
			if all, some := t.at(patch, places...); !all {
				if names = intersect(names, some); len(names) == 0 {
					return false, nil
				}
			}
		}
	}
	return true, names
}

func intersect(a, b []string) (out []string) {
	for _, s := range a {
		if slices.Contains(b, s) && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
