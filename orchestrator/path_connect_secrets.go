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

// connectSecrets is E17, and what secrets hold. Whoever reads some keys of a
// secret has the secret, whoever reads all has its content, and with it the
// token that may be there.
func (g *Graph) connectSecrets(ns string) {
	all := g.at(SecretsOf(ns))
	g.step("E17", nil, all, g.can(needSecrets, ns, ""))
	content := func(name string) int32 {
		id := g.hub(hubSecret, ns+"/"+name)
		g.lead(nil, g.at(SecretOf(ns, name)), id)
		g.lead(nil, id, all)
		return id
	}
	known := g.snap.Coverage(Resource("", "secrets"), ns).Known()
	for _, it := range g.snap.Secrets.In(ns) {
		id := content(it.Name)
		if s, ok := tokenSecret(it); ok {
			g.lead(nil, g.at(s.Position()), id)
		}
	}
	for s := range g.accountsIn(ns) {
		it := g.snap.ServiceAccounts.Get(ns, s.Name)
		if it == nil {
			continue
		}
		for _, ref := range it.Object.Secrets { // those that the token controller lists
			if g.snap.Secrets.Get(ns, ref.Name) == nil && !known && strings.HasPrefix(ref.Name, s.Name+"-token-") {
				g.lead(nil, g.at(s.Position()), content(ref.Name))
			}
		}
	}
	tokens := g.hub(hubTokens, ns)
	if ok, conds := g.settle("credentials:"+ns, "a secret in namespace %s holds a token of the service account", ns); ok && !known {
		g.lead(conds, tokens, all)
	}
	named := map[string]bool{}
	read := func(name string) int32 {
		id := content(name)
		if !named[name] && !known && g.snap.Secrets.Get(ns, name) == nil {
			if ok, conds := g.settle("credentials:"+ns+"/"+name, "secret %s/%s holds a token of the service account", ns, name); ok {
				g.lead(conds, tokens, id)
			}
		}
		named[name] = true
		return id
	}
	g.eachIn(needSecrets, ns, func(id int32, name string) {
		if name != "" {
			g.step("E17", nil, read(name), id)
		}
	})
	for _, w := range g.placesIn[ns] {
		whole, some := secretsRead(w.Spec)
		for _, name := range whole {
			w.secrets = append(w.secrets, secretPlace{name, read(name)})
		}
		for _, name := range some {
			one := g.at(SecretOf(ns, name))
			g.lead(nil, one, all)
			w.secrets = append(w.secrets, secretPlace{name, one})
		}
	}
}
