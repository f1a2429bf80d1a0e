package orchestrator

import (
	"strings"
)

// connectTokenSecrets is E19. The rights may be for one name: a secret of that
// name must not be there yet.
func (g *Graph) connectTokenSecrets(ns string, tokens int32) {
	create, readAll := g.can(needCreateSecret, ns, ""), g.can(needSecrets, ns, "")
	g.step("E19", nil, tokens, create, readAll)
	free := func(name string) (bool, []Condition) {
		if g.snap.Secrets.Get(ns, name) != nil {
			return false, nil
		}
		if g.snap.Coverage(Resource("", "secrets"), ns).Known() {
			return true, nil
		}
		return g.settle("free:"+ns+"/"+name, "there is no secret %s/%s yet", ns, name)
	}
	g.eachIn(needSecrets, ns, func(id int32, name string) {
		if name == "" {
			return
		}
		if ok, conds := free(name); ok {
			g.step("E19", conds, tokens, create, id)
			g.step("E19", conds, tokens, g.can(needCreateSecret, ns, name), id)
		}
	})
	g.eachIn(needCreateSecret, ns, func(id int32, name string) {
		if name == "" {
			return
		}
		if ok, conds := free(name); ok {
			g.step("E19", conds, tokens, id, readAll)
		}
	})
}

// connectSecrets is E17, and what secrets hold.
func (g *Graph) connectSecrets(ns string) {
	all := g.at(SecretsOf(ns))
	g.step("E17", nil, all, g.can(needSecrets, ns, ""))
	stored := map[Subject]bool{}
	for _, it := range g.snap.Secrets.In(ns) {
		one := g.at(SecretOf(ns, it.Name))
		g.lead(nil, one, all)
		if s, ok := tokenSecret(it); ok {
			g.lead(nil, g.at(s.Position()), one)
			stored[s] = true
		}
	}
	for s := range g.accountsIn(ns) {
		it := g.snap.ServiceAccounts.Get(ns, s.Name)
		if it == nil {
			continue
		}
		for _, ref := range it.Object.Secrets { // those that the token controller lists
			if g.snap.Secrets.Get(ns, ref.Name) == nil && !g.snap.Coverage(Resource("", "secrets"), ns).Known() && strings.HasPrefix(ref.Name, s.Name+"-token-") {
				one := g.at(SecretOf(ns, ref.Name))
				g.lead(nil, one, all)
				g.lead(nil, g.at(s.Position()), one)
				stored[s] = true
			}
		}
	}
	known := g.snap.Coverage(Resource("", "secrets"), ns).Known()
	ok, conds := g.settle("credentials:"+ns, "a secret in namespace %s holds a token of the service account", ns)
	if known {
		ok = false
	}
	tokens := g.hub(hubTokens, ns)
	if ok {
		g.lead(conds, tokens, all)
	}
	g.eachIn(needSecrets, ns, func(id int32, name string) {
		if name == "" {
			return
		}
		one := g.at(SecretOf(ns, name))
		g.step("E17", nil, one, id)
		g.lead(nil, one, all)
		if !known && g.snap.Secrets.Get(ns, name) == nil {
			if ok, conds := g.settle("credentials:"+ns+"/"+name, "secret %s/%s holds a token of the service account", ns, name); ok {
				g.lead(conds, tokens, one)
			}
		}
	})
}
