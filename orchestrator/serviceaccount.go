package orchestrator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/boltseal/boltseal"
)

// AccountRule is one rule of service-account hygiene.
type AccountRule struct {
	ID       string
	Title    string
	Severity boltseal.Severity
	Doc      string
	Fix      string
}

// AccountRules returns the rules S01 to S12.
func AccountRules() []AccountRule {
	return []AccountRule{
		{"S01", "token mounted that nothing needs", boltseal.SeverityLow, "The account has no rights of its own; its token still opens what everybody authenticated may do, and what a binding adds tomorrow.", "set automountServiceAccountToken: false"},
		{"S02", "default account with rights", boltseal.SeverityHigh, "Every pod of the namespace that names no account has these rights.", "give the rights to an account of their own"},
		{"S03", "default account used", boltseal.SeverityLow, "Rights cannot be given to this workload without giving them to all others that name no account.", "set serviceAccountName"},
		{"S04", "account bound in another namespace", boltseal.SeverityMedium, "Whoever runs a pod in the account's namespace has rights in the other one.", "run the workload in the namespace that it works on"},
		{"S05", "token that never expires", boltseal.SeverityMedium, "A Secret holds a token of the account that is valid until the Secret is deleted.", "delete the Secret; use projected tokens or the TokenRequest API"},
		{"S06", "rights for an account that does not exist", boltseal.SeverityMedium, "Whoever may create service accounts in the namespace takes the rights over.", "remove the subject from the binding"},
		{"S07", "account with rights that nothing uses", boltseal.SeverityLow, "No workload runs as the account.", "delete the account, or its bindings"},
		{"S08", "projected token without audience or longer than a day", boltseal.SeverityLow, "A token for the API server, or one that lives long, is worth stealing.", "set audience, and expirationSeconds to an hour"},
		{"S09", "account with a cloud role", boltseal.SeverityMedium, "Whoever runs a pod in the namespace, or mints a token of the account, has the cloud role.", "keep the account in a namespace of its own, and the role's rights narrow"},
		{"S10", "account shared by different workloads", boltseal.SeverityLow, "Each of the workloads has the rights of all.", "give each workload an account of its own"},
		{"S11", "strong account on every node", boltseal.SeverityHigh, "The token is on all nodes: whoever has one node has the account.", "split the workload, so that the part on every node needs few rights"},
		{"S12", "rights for all service accounts", boltseal.SeverityHigh, "Every account, existing or to come, has the rights.", "bind the accounts that need them"},
	}
}

// AccountResult is what one rule says of one account.
type AccountResult struct {
	Rule    AccountRule
	Account Subject // the group for S12
	Verdict boltseal.Verdict
	// Detail says what was found and where; for unknown, what was not seen.
	Detail string
	Grants []Grant
}

// String writes the result on one line.
func (r *AccountResult) String() string {
	return fmt.Sprintf("%s %s: %s: %s: %s", r.Rule.ID, r.Verdict, r.Account, r.Rule.Title, r.Detail)
}

// Finding returns the result in the shared vocabulary.
func (r *AccountResult) Finding() boltseal.Finding {
	f := boltseal.Finding{
		Kind: boltseal.KindMisconfiguration, Rule: r.Rule.ID, Title: r.Rule.Title, Description: r.Rule.Doc, Severity: r.Rule.Severity, Fix: r.Rule.Fix,
		Asset:       r.Account.Position().Asset().ID(),
		Evidence:    []boltseal.Evidence{{Technique: boltseal.TechniqueManifest, Detail: r.Detail}},
		Fingerprint: boltseal.Fingerprint(string(boltseal.KindMisconfiguration), r.Rule.ID, r.Account.String(), r.Detail),
	}
	for _, g := range r.Grants {
		f.Evidence = append(f.Evidence, boltseal.Evidence{Technique: boltseal.TechniqueManifest, Detail: g.String()})
	}
	return f
}

// Accounts judges every service account of the graph's snapshot by
// [AccountRules]. It returns failures, and what could not be decided as
// unknown; what is not returned has passed. Accounts of kube-system that
// Kubernetes brings are left out.
func (g *Graph) Accounts(ctx context.Context) []AccountResult {
	c := &accountCheck{g: g, users: map[Subject][]*workloadPlace{}, secrets: map[Subject][]string{}}
	c.rules = append(c.rules, AccountRules()...)
	for _, w := range g.places {
		if !w.mirror() {
			s := w.ServiceAccount()
			c.users[s] = append(c.users[s], w)
		}
	}
	for _, it := range g.snap.Secrets {
		if s, ok := tokenSecret(it); ok {
			c.secrets[s] = append(c.secrets[s], it.Name)
		}
	}
	c.strong = map[Position]bool{}
	for _, p := range g.reaching(ctx, ClusterAdmin, func(p Position) bool { return true }) {
		c.strong[p.from] = true
	}
	for s := range g.everyAccount() {
		if c.system(s) {
			continue
		}
		c.judge(s)
	}
	for _, w := range g.places {
		c.projected(w)
	}
	c.groups()
	slices.SortStableFunc(c.out, func(a, b AccountResult) int {
		return cmp.Or(compareSubjects(a.Account, b.Account), cmp.Compare(a.Rule.ID, b.Rule.ID), cmp.Compare(a.Detail, b.Detail))
	})
	return c.out
}

type accountCheck struct {
	g       *Graph
	rules   []AccountRule
	users   map[Subject][]*workloadPlace
	secrets map[Subject][]string
	strong  map[Position]bool
	out     []AccountResult
}

func (c *accountCheck) add(rule int, s Subject, v boltseal.Verdict, grants []Grant, format string, args ...any) {
	c.out = append(c.out, AccountResult{Rule: c.rules[rule-1], Account: s, Verdict: v, Grants: grants, Detail: fmt.Sprintf(format, args...)})
}

// system reports whether an account is one of Kubernetes's controllers: bound
// by what every cluster has, and not in the snapshot's objects.
func (c *accountCheck) system(s Subject) bool {
	if !s.System() || c.g.snap.ServiceAccounts.Get(s.Namespace, s.Name) != nil && len(c.users[s]) > 0 {
		return false
	}
	for b := range c.g.access.Holds(s) {
		if !b.Assumed && !strings.HasPrefix(b.Name, "system:") {
			return false
		}
	}
	return true
}

func (c *accountCheck) judge(s Subject) {
	var grants []Grant
	for b, i := range c.g.access.Holds(s) {
		if b.Role == nil {
			continue
		}
		for rule := range b.Role.Rules {
			grants = append(grants, Grant{Subject: s, Binding: b, SubjectIndex: i, Role: b.Role, RuleIndex: rule})
		}
	}
	users, fail, unknown := c.users[s], boltseal.VerdictFail, boltseal.VerdictUnknown
	it := c.g.snap.ServiceAccounts.Get(s.Namespace, s.Name)
	exists, conds, _ := c.g.accountExists(s)

	if missing := c.g.access.Missing(s.Namespace); len(grants) == 0 && len(c.groupGrants(s)) == 0 {
		for _, w := range users {
			ok, conds, why := c.g.mountsToken(w)
			switch {
			case !ok:
			case missing != "" || len(conds) > 0:
				c.add(1, s, unknown, nil, "%s: %s; %s", w, why, cmp.Or(missing, conditionText(conds, "; ")))
			default:
				c.add(1, s, fail, nil, "%s: %s", w, why)
			}
		}
	}
	if s.Name == "default" {
		if len(grants) > 0 {
			c.add(2, s, fail, grants, "%s", bindingNames(grants))
		}
		for _, w := range users {
			c.add(3, s, fail, nil, "%s", w)
		}
	}
	for _, grant := range grants {
		if ns := grant.Namespace(); ns != "" && ns != s.Namespace && grant.RuleIndex == 0 {
			c.add(4, s, fail, []Grant{grant}, "%s", grant.Binding)
		}
	}
	for _, name := range c.secrets[s] {
		c.add(5, s, fail, nil, "Secret %s/%s", s.Namespace, name)
	}
	switch {
	case len(grants) == 0:
	case !exists:
		c.add(6, s, fail, grants, "%s", bindingNames(grants))
	case len(conds) > 0:
		c.add(6, s, unknown, grants, "%s: unknown whether %s", bindingNames(grants), conditionText(conds, "; "))
	case len(users) == 0:
		if why := c.g.snap.Missing(s.Namespace, Resource("", "pods")); why != "" {
			c.add(7, s, unknown, grants, "%s; not seen: %s", bindingNames(grants), why)
		} else {
			c.add(7, s, fail, grants, "%s", bindingNames(grants))
		}
	}
	if it != nil {
		if key, role := cloudAnnotation(it.Object); role != "" {
			c.add(9, s, fail, nil, "%s: %s", key, role)
		}
	}
	if len(grants) > 0 && s.Name != "default" {
		if a, b := unequal(users); a != nil {
			c.add(10, s, fail, grants, "%s and %s", a, b)
		}
	}
	if c.strong[s.Position()] {
		for _, w := range users {
			if ok, _, _ := c.g.mountsToken(w); ok && w.Kind == "DaemonSet" {
				c.add(11, s, fail, grants, "%s reaches cluster-admin", w)
			}
		}
	}
}

// groupGrants returns what the groups of service accounts give: a reason to
// have a token.
func (c *accountCheck) groupGrants(s Subject) (out []Grant) {
	for _, name := range s.Groups() {
		if name == GroupAuthenticated {
			continue
		}
		for b, i := range c.g.access.Holds(Group(name)) {
			if b.Role != nil && !defaultForEverybody(b.RoleRef.Name) && len(b.Role.Rules) > 0 {
				out = append(out, Grant{Subject: Group(name), Binding: b, SubjectIndex: i, Role: b.Role})
			}
		}
	}
	return out
}

// projected is S08.
func (c *accountCheck) projected(w *workloadPlace) {
	for i := range w.Spec.Volumes {
		v := &w.Spec.Volumes[i]
		if v.Projected == nil || strings.HasPrefix(v.Name, "kube-api-access-") {
			continue // what the API server adds itself
		}
		for _, src := range v.Projected.Sources {
			t := src.ServiceAccountToken
			if t == nil {
				continue
			}
			if t.Audience == "" {
				c.add(8, w.ServiceAccount(), boltseal.VerdictFail, nil, "%s: volume %s: no audience: a token for the API server", w, v.Name)
			}
			if t.ExpirationSeconds != nil && *t.ExpirationSeconds > 86400 {
				c.add(8, w.ServiceAccount(), boltseal.VerdictFail, nil, "%s: volume %s: valid for %d seconds", w, v.Name, *t.ExpirationSeconds)
			}
		}
	}
}

// groups is S12.
func (c *accountCheck) groups() {
	for b := range c.g.access.Bindings() {
		for i := range b.Subjects {
			s, ok := BoundSubject(b.Subjects[i], b.Namespace)
			if ok && s.Kind == rbacv1.GroupKind && strings.HasPrefix(s.Name, GroupServiceAccounts) && !b.Assumed && !defaultForEverybody(b.RoleRef.Name) {
				var grants []Grant
				if b.Role != nil {
					grants = []Grant{{Subject: s, Binding: b, SubjectIndex: i, Role: b.Role}}
					if len(b.Role.Rules) == 0 {
						grants = nil
					}
				}
				c.add(12, s, boltseal.VerdictFail, grants, "%s gives %s %s", b, b.RoleRef.Kind, b.RoleRef.Name)
			}
		}
	}
}

// unequal returns two workloads that run different images.
func unequal(users []*workloadPlace) (a, b *workloadPlace) {
	for _, w := range users[min(1, len(users)):] {
		if images(w.Spec) != images(users[0].Spec) {
			return users[0], w
		}
	}
	return nil, nil
}

// images returns the names of the images, without tags and digests.
func images(spec *corev1.PodSpec) string {
	var list []string
	for _, c := range Containers(spec) {
		name, _, _ := strings.Cut(c.Image, "@")
		if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
			name = name[:i]
		}
		list = append(list, name)
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), " ")
}

func bindingNames(grants []Grant) string {
	var names []string
	for _, g := range grants {
		if n := g.Binding.String() + " gives " + g.Role.String(); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return strings.Join(names, ", ")
}

// defaultForEverybody reports whether a ClusterRole is one that Kubernetes
// binds to everybody.
func defaultForEverybody(role string) bool {
	switch role {
	case "system:basic-user", "system:discovery", "system:public-info-viewer", "system:service-account-issuer-discovery":
		return true
	}
	return false
}
