package orchestrator

import rbacv1 "k8s.io/api/rbac/v1"

// builtin is what the API server of a version grants when it starts: whom its
// bindings name, and the rules of the roles they refer to. Whatever is added to
// them is no longer builtin.
type builtin struct {
	bound    map[builtinBinding]bool
	rules    map[builtinRule]bool
	subjects map[Subject]bool
}

type builtinBinding struct {
	binding string // kind and name
	subject Subject
	role    rbacv1.RoleRef
}

type builtinRule struct{ role, rule string }

func newBuiltin(minor int) *builtin {
	roles, bindings := bootstrap(minor)
	b := &builtin{bound: map[builtinBinding]bool{}, rules: map[builtinRule]bool{}, subjects: map[Subject]bool{}}
	for _, r := range roles {
		for i := range r.Rules {
			b.rules[builtinRule{r.String(), ruleString(&r.Rules[i])}] = true
		}
	}
	for _, x := range bindings {
		for _, bound := range x.Subjects {
			if s, ok := BoundSubject(bound, x.Namespace); ok {
				b.bound[builtinBinding{x.String(), s, x.RoleRef}] = true
				if s.Position().System() { // not a group that everybody is in
					b.subjects[s] = true
				}
			}
		}
	}
	return b
}

// grants reports whether the API server made a grant itself.
func (b *builtin) grants(g Grant) bool {
	return b.bound[builtinBinding{g.Binding.String(), g.Subject, g.Binding.RoleRef}] && b.rules[builtinRule{g.Role.String(), ruleString(g.Rule())}]
}

// grantsOfInterest yields every grant but those that the API server made
// itself: to the controllers, and the discovery of the API that everybody has.
// A subject, rule or binding that somebody added to them is of interest.
func grantsOfInterest(a *Access) func(func(Grant) bool) {
	return func(yield func(Grant) bool) {
		own := newBuiltin(a.snap.Minor)
		for b := range a.Bindings() {
			if b.Role == nil {
				continue
			}
			for i := range b.Subjects {
				s, ok := BoundSubject(b.Subjects[i], b.Namespace)
				if !ok {
					continue
				}
				for rule := range b.Role.Rules {
					g := Grant{Subject: s, Binding: b, SubjectIndex: i, Role: b.Role, RuleIndex: rule}
					if !own.grants(g) && !yield(g) {
						return
					}
				}
			}
		}
	}
}
