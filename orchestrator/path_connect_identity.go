package orchestrator

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// connectUsers is E10, E11, E14 and what names of users and groups lead to.
func (g *Graph) connectUsers() {
	users := g.hub(hubUsers, "")
	g.step("E10", nil, users, g.can(needUsers, "", ""))
	for _, id := range slices.Clone(g.starts) {
		h := g.holders[id]
		if h == nil || h.subject.Kind != rbacv1.UserKind || h.subject.Name == UserAnonymous {
			continue
		}
		g.lead(nil, id, users)
		g.step("E10", nil, id, g.can(needUsers, "", h.subject.Name))
		if ok, conds := g.constrained(); ok {
			g.step("E14", conds, id, g.can(needConstrainedUser, "", ""))
			g.step("E14", conds, id, g.can(needConstrainedUser, "", h.subject.Name))
		}
	}
	masters := g.at(Group(GroupMasters).Position())
	for _, n := range []Need{needGroupsAsUser, needGroupsAsAccount} {
		g.step("E11", nil, masters, g.can(n, "", ""))
		g.each(n, func(id int32, name string) {
			if name == "" {
				return
			}
			if to, ok := g.ids[fact{kind: atPosition, a: string(Group(name).Position())}]; ok {
				g.step("E11", nil, to, id)
			}
		})
	}
}

// constrained is whether E14 gives enough of an identity: only the requests that
// impersonate-on lists.
func (g *Graph) constrained() (bool, []Condition) {
	if g.snap.Minor > 0 && g.snap.Minor < 36 {
		return false, nil
	}
	return g.settle("constrained-impersonation", "the requests that the impersonate-on: verbs allow are those that matter (feature gate ConstrainedImpersonation)")
}

// connectCertificates is E20 to E22.
func (g *Graph) connectCertificates() {
	identity, certs := g.hub(hubIdentity, ""), g.at(NodeIdentity)
	for _, id := range g.starts {
		h := g.holders[id]
		if h == nil || h.subject.Name == GroupMasters || h.subject.Name == UserAnonymous || h.subject.Name == GroupUnauthenticated {
			continue
		}
		g.lead(nil, id, identity)
	}
	g.lead(nil, certs, identity)
	if ok, conds := g.signer(); ok {
		create := g.can(needCreateCSR, "", "")
		for _, signer := range []string{"", "kubernetes.io/*", "kubernetes.io/kube-apiserver-client"} {
			g.step("E21", conds, identity, create, g.can(needApprove, "", signer))
		}
		g.step("E21", conds, certs, create, g.can(needApprove, "", "kubernetes.io/kube-apiserver-client-kubelet"))
		g.each(needNodeClient, func(id int32, _ string) {
			g.each(needReadCSR, func(read int32, _ string) { g.step("E22", conds, certs, id, read) })
		})
	}
	ok, conds := g.bootstrapTokens()
	if !ok {
		return
	}
	const ns = "kube-system"
	bootstrap := g.at(User(bootstrapUser).Position())
	g.eachIn(needCreateSecret, ns, func(id int32, name string) {
		if name == "" || strings.HasPrefix(name, "bootstrap-token-") {
			g.step("E20", conds, bootstrap, id)
		}
	})
	stored := slices.ContainsFunc(g.snap.Secrets.In(ns), func(it *Item[Secret]) bool { return it.Object.Type == "bootstrap.kubernetes.io/token" })
	if !stored {
		known := g.snap.Coverage(Resource("", "secrets"), ns).Known()
		settled, more := g.settle("bootstrap-token", "a bootstrap token is stored in kube-system")
		if known || !settled {
			return
		}
		conds = slices.Concat(conds, more)
	}
	g.step("E20", conds, bootstrap, g.at(SecretsOf(ns)))
}

// connectAccounts is E08, E12, E14, E15 and E19.
func (g *Graph) connectAccounts(ns string) {
	tokens, names := g.hub(hubTokens, ns), g.hub(hubNames, ns)
	g.step("E15", nil, tokens, g.can(needToken, ns, ""))
	g.step("E12", nil, names, g.can(needAccounts, ns, ""))
	g.lead(nil, names, g.hub(hubIdentity, ""))
	g.connectTokenSecrets(ns, tokens)

	nsOK, nsConds := g.namespaceExists(ns)
	for s := range g.accountsIn(ns) {
		id := g.at(s.Position())
		g.lead(nil, id, names)
		g.step("E12", nil, id, g.can(needAccounts, ns, s.Name))
		if ok, conds := g.constrained(); ok {
			g.step("E14", conds, id, g.can(needConstrainedAccount, ns, ""))
			g.step("E14", conds, id, g.can(needConstrainedAccount, ns, s.Name))
		}
		exists, conds, missing := g.accountExists(s)
		if exists {
			g.lead(conds, id, tokens)
			g.step("E15", conds, id, g.can(needToken, ns, s.Name))
			g.connectCloud(s, tokens, conds)
		}
		if !missing {
			continue
		}
		for _, create := range []int32{g.can(needCreateAccount, ns, ""), g.can(needCreateAccount, ns, s.Name)} {
			for _, token := range []int32{tokens, g.can(needToken, ns, s.Name)} {
				if nsOK {
					g.step("E08", nsConds, id, create, token)
				} else {
					g.step("E08", nil, id, create, token, g.can(needNewNamespace, "", ""))
				}
			}
		}
	}
}

// accountsIn yields the service accounts of a namespace that are worth having:
// those that the snapshot holds or a binding names.
func (g *Graph) accountsIn(ns string) func(func(Subject) bool) {
	return func(yield func(Subject) bool) {
		for _, s := range g.accounts[ns] {
			if !yield(s) {
				return
			}
		}
	}
}
