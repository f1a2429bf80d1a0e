package orchestrator

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Suggestion is the least set of roles for what a subject used.
type Suggestion struct {
	Subject Subject
	// Roles has one for each namespace, Cluster is nil if nothing was used across
	// the cluster. None of them has a binding yet: see [Suggestion.Bindings].
	Roles   []rbacv1.Role
	Cluster *rbacv1.ClusterRole
	Proof   Proof
}

// Proof is a replay of what was recorded against the suggested roles.
type Proof struct {
	Requests int       // distinct ones recorded
	Missing  []Request // those that the roles do not allow; empty
	// Widened are rights that are wider than what was used: for all names, as
	// there were more than [SuggestOptions.Names], or for a path that ends in "*".
	Widened []string
}

// SuggestOptions shape suggested roles.
type SuggestOptions struct {
	// Names is how many object names of one resource are listed as resourceNames;
	// with more of them the rule is for all names. Default 8.
	Names int
	// RoleName is the name of the roles; default "used-by-NAME".
	RoleName string
}

// Suggest returns the least roles that allow what a subject used, with the
// proof that they do: every recorded request is decided again by the suggested
// rules. What was not used in the window is not in them.
func (u *Usage) Suggest(s Subject, opts *SuggestOptions) Suggestion {
	o := SuggestOptions{Names: 8, RoleName: "used-by-" + strings.ReplaceAll(s.Name, ":", "-")}
	if opts != nil && opts.Names > 0 {
		o.Names = opts.Names
	}
	if opts != nil && opts.RoleName != "" {
		o.RoleName = opts.RoleName
	}
	out := Suggestion{Subject: s}
	places := map[string][]Request{}
	for q := range u.used[s] {
		places[q.Namespace] = append(places[q.Namespace], q)
	}
	for _, ns := range slices.Sorted(maps.Keys(places)) {
		rules := leastRules(places[ns], o.Names, &out.Proof)
		if ns == "" {
			out.Cluster = &rbacv1.ClusterRole{TypeMeta: typeMeta("ClusterRole"), ObjectMeta: metav1.ObjectMeta{Name: o.RoleName}, Rules: rules}
			continue
		}
		out.Roles = append(out.Roles, rbacv1.Role{TypeMeta: typeMeta("Role"), ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: o.RoleName}, Rules: rules})
	}
	for q := range u.used[s] {
		out.Proof.Requests++
		if !out.Allows(q) {
			out.Proof.Missing = append(out.Proof.Missing, q)
		}
	}
	slices.SortFunc(out.Proof.Missing, func(a, b Request) int { return strings.Compare(requestKey(a), requestKey(b)) })
	return out
}

func typeMeta(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: kind}
}

// Allows reports whether the suggested roles, bound where they are meant to be,
// allow a request.
func (s *Suggestion) Allows(q Request) bool {
	allows := func(rules []rbacv1.PolicyRule) bool {
		return slices.ContainsFunc(rules, func(r rbacv1.PolicyRule) bool { return RuleAllows(&r, q) })
	}
	if s.Cluster != nil && allows(s.Cluster.Rules) {
		return true
	}
	return slices.ContainsFunc(s.Roles, func(r rbacv1.Role) bool { return r.Namespace == q.Namespace && q.Path == "" && allows(r.Rules) })
}

// Bindings returns the bindings that give the roles to the subject.
func (s *Suggestion) Bindings() (roles []rbacv1.RoleBinding, cluster *rbacv1.ClusterRoleBinding) {
	subjects := []rbacv1.Subject{boundAs(s.Subject)}
	for _, r := range s.Roles {
		roles = append(roles, rbacv1.RoleBinding{
			TypeMeta: typeMeta("RoleBinding"), ObjectMeta: metav1.ObjectMeta{Namespace: r.Namespace, Name: r.Name}, Subjects: subjects,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacGroup, Kind: "Role", Name: r.Name},
		})
	}
	if s.Cluster != nil {
		cluster = &rbacv1.ClusterRoleBinding{
			TypeMeta: typeMeta("ClusterRoleBinding"), ObjectMeta: metav1.ObjectMeta{Name: s.Cluster.Name}, Subjects: subjects,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacGroup, Kind: "ClusterRole", Name: s.Cluster.Name},
		}
	}
	return roles, cluster
}

// leastRules puts requests of one namespace into rules: verbs together that are
// for the same resource and names, then resources together that have the same
// verbs, group and names.
func leastRules(requests []Request, maxNames int, proof *Proof) []rbacv1.PolicyRule {
	type target struct{ group, resource, verb string }
	names := map[target]map[string]bool{}
	paths := map[string]map[string]bool{} // verbs by path
	add := func(m map[string]bool, v string) map[string]bool {
		if m == nil {
			m = map[string]bool{}
		}
		m[v] = true
		return m
	}
	for _, q := range requests {
		if q.Path != "" {
			if strings.HasSuffix(q.Path, "*") {
				proof.Widened = append(proof.Widened, q.Verb+" "+q.Path)
			}
			paths[q.Path] = add(paths[q.Path], q.Verb)
			continue
		}
		t := target{q.Group, q.Resource, q.Verb}
		if q.Subresource != "" {
			t.resource += "/" + q.Subresource
		}
		names[t] = add(names[t], q.Name)
	}
	type shape struct{ group, resource, names string }
	verbs := map[shape]map[string]bool{}
	for t, set := range names {
		list := slices.Sorted(maps.Keys(set))
		switch {
		case list[0] == "": // some request had none: the right is for all
			list = nil
		case len(list) > maxNames:
			proof.Widened = append(proof.Widened, t.verb+" "+t.resource+"."+t.group)
			list = nil
		}
		s := shape{t.group, t.resource, strings.Join(list, "\x00")}
		verbs[s] = add(verbs[s], t.verb)
	}
	slices.Sort(proof.Widened)
	type rest struct{ group, names, verbs string }
	resources := map[rest][]string{}
	for s, set := range verbs {
		r := rest{s.group, s.names, strings.Join(slices.Sorted(maps.Keys(set)), "\x00")}
		resources[r] = append(resources[r], s.resource)
	}
	var rules []rbacv1.PolicyRule
	for r, list := range resources {
		slices.Sort(list)
		rule := rbacv1.PolicyRule{Verbs: strings.Split(r.verbs, "\x00"), APIGroups: []string{r.group}, Resources: list}
		if r.names != "" {
			rule.ResourceNames = strings.Split(r.names, "\x00")
		}
		rules = append(rules, rule)
	}
	for p, set := range paths {
		rules = append(rules, rbacv1.PolicyRule{Verbs: slices.Sorted(maps.Keys(set)), NonResourceURLs: []string{p}})
	}
	slices.SortFunc(rules, func(a, b rbacv1.PolicyRule) int {
		return cmp.Or(slices.Compare(a.APIGroups, b.APIGroups), slices.Compare(a.Resources, b.Resources), slices.Compare(a.Verbs, b.Verbs), slices.Compare(a.ResourceNames, b.ResourceNames), slices.Compare(a.NonResourceURLs, b.NonResourceURLs))
	})
	return rules
}
