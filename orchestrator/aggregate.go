package orchestrator

import (
	"slices"
	"strconv"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// aggregateWork bounds what aggregation may cost, in rules looked at: roles that
// select each other in crowds would grow with the square of their number.
const aggregateWork = 1 << 21

// aggregation is one ClusterRole whose rules come from others.
type aggregation struct {
	role    *Role
	sources []*Role // in the order of the selectors, then by name; itself left out
	seen    map[int32]bool
}

// ruleIDs numbers rules: equal ones alike.
type ruleIDs struct {
	byKey  map[string]int32
	byRole map[*Role][]int32
}

// of returns the numbers of a role's rules.
func (x *ruleIDs) of(r *Role) []int32 {
	ids := x.byRole[r]
	for i := len(ids); i < len(r.Rules); i++ {
		key := ruleKey(&r.Rules[i])
		id, ok := x.byKey[key]
		if !ok {
			id = int32(len(x.byKey))
			x.byKey[key] = id
		}
		ids = append(ids, id)
	}
	x.byRole[r] = ids
	return ids
}

// aggregate fills the rules of ClusterRoles that have an aggregation rule, as
// the controller manager does in a cluster: the union of the rules of all
// ClusterRoles that a selector matches, itself left out, until nothing changes.
// Rules that the manifest itself gives such a role do not count: the controller
// overwrites them. Roles whose share of the work is cut off are marked
// incomplete.
func aggregate(roles []*Role) {
	targets := map[*Role]*aggregation{}
	index := indexLabels(roles)
	work := aggregateWork
	for _, r := range roles {
		if r.Aggregation == nil || r.Namespace != "" || len(r.Aggregation.ClusterRoleSelectors) == 0 {
			continue
		}
		t := &aggregation{role: r, seen: map[int32]bool{}}
		for i := range r.Aggregation.ClusterRoleSelectors {
			t.sources = append(t.sources, index.match(&r.Aggregation.ClusterRoleSelectors[i], r, &work)...)
		}
		r.Rules, r.From, r.Incomplete = nil, nil, work <= 0
		targets[r] = t
	}
	order := sourcesFirst(roles, targets)
	ids := &ruleIDs{map[string]int32{}, map[*Role][]int32{}}
	for changed := true; changed; {
		changed = false
		for _, t := range order {
			if t.collect(ids, &work) {
				changed = true
			}
		}
	}
	if work <= 0 { // what selects an incomplete role is incomplete too
		for _, t := range order {
			t.role.Incomplete = true
		}
	}
}

// collect adds what the sources have and the role has not.
func (t *aggregation) collect(ids *ruleIDs, work *int) (changed bool) {
	for _, src := range t.sources {
		for i, id := range ids.of(src) {
			if *work--; *work <= 0 {
				return false
			}
			if t.seen[id] {
				continue
			}
			t.seen[id] = true
			from := src
			if src.From != nil {
				from = src.From[i]
			}
			t.role.Rules = append(t.role.Rules, src.Rules[i])
			t.role.From = append(t.role.From, from)
			changed = true
		}
	}
	return changed
}

// sourcesFirst orders the targets so that a role comes after those it selects,
// as far as they do not select each other.
func sourcesFirst(roles []*Role, targets map[*Role]*aggregation) []*aggregation {
	var order []*aggregation
	done := map[*Role]bool{}
	type frame struct {
		t    *aggregation
		next int
	}
	for _, r := range roles {
		if targets[r] == nil || done[r] {
			continue
		}
		done[r] = true
		stack := []frame{{t: targets[r]}}
		for len(stack) > 0 {
			f := &stack[len(stack)-1]
			if f.next == len(f.t.sources) {
				order = append(order, f.t)
				stack = stack[:len(stack)-1]
				continue
			}
			src := f.t.sources[f.next]
			f.next++
			if t := targets[src]; t != nil && !done[src] {
				done[src] = true
				stack = append(stack, frame{t: t})
			}
		}
	}
	return order
}

// labelIndex finds ClusterRoles by one of their labels.
type labelIndex struct {
	all   []*Role // by name
	pairs map[string][]*Role
}

func indexLabels(roles []*Role) labelIndex {
	x := labelIndex{pairs: map[string][]*Role{}}
	for _, r := range roles {
		if r.Namespace == "" {
			x.all = append(x.all, r)
		}
	}
	slices.SortFunc(x.all, func(a, b *Role) int { return strings.Compare(a.Name, b.Name) })
	for _, r := range x.all {
		for k, v := range r.Labels {
			x.pairs[k+"="+v] = append(x.pairs[k+"="+v], r)
		}
	}
	return x
}

// match returns the roles that a selector selects, without self.
func (x labelIndex) match(selector *metav1.LabelSelector, self *Role, work *int) (found []*Role) {
	s, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return nil // the API server stores no such selector
	}
	candidates := x.all
	for k, v := range selector.MatchLabels {
		if c := x.pairs[k+"="+v]; len(c) < len(candidates) {
			candidates = c
		}
	}
	for _, r := range candidates {
		if *work--; *work <= 0 {
			break
		}
		if r != self && s.Matches(labels.Set(r.Labels)) {
			found = append(found, r)
		}
	}
	return found
}

// ruleKey identifies a rule by everything in it.
func ruleKey(r *rbacv1.PolicyRule) string {
	var b strings.Builder
	for _, list := range [][]string{r.Verbs, r.APIGroups, r.Resources, r.ResourceNames, r.NonResourceURLs} {
		for _, s := range list {
			b.WriteString(strconv.Quote(s))
		}
		b.WriteByte(';')
	}
	return b.String()
}
