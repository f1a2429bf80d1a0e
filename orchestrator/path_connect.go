package orchestrator

// connect adds what rights lead to: one function for each part of the table.
func (g *Graph) connect() {
	g.connectEverything()
	g.connectRewrites()
	g.connectUsers()
	g.connectCertificates()
	for _, ns := range g.nsList {
		g.connectAccounts(ns)
		g.connectSecrets(ns)
		g.connectPods(ns)
		g.connectPrivileged(ns)
	}
	g.connectCluster()
	g.connectNodes()
	for _, w := range g.places {
		g.connectWorkload(w)
	}
}

// connectEverything is E01 to E03 and E05 for any role, and what everything
// includes.
func (g *Graph) connectEverything() {
	admin := g.at(ClusterAdmin)
	g.step("E01", nil, admin, g.can(needAll, "", ""))
	g.step("E02", nil, admin, g.can(needCore, "", ""))
	g.step("E03", nil, admin, g.at(Group(GroupMasters).Position()))
	g.step("E05", nil, admin, g.can(needBindCluster, "", ""))
	for _, ns := range g.nsList {
		own := g.at(AdminOf(ns))
		g.step("E01", nil, own, g.can(needAll, ns, ""))
		g.step("E05", nil, own, g.can(needBindClusterHere, ns, ""))
		g.lead(nil, own, admin)
		g.lead(nil, g.at(PodsOf(ns)), own)
		g.lead(nil, g.at(SecretsOf(ns)), own)
		g.lead(nil, g.hub(hubNames, ns), own)
		g.lead(nil, g.hub(hubExec, ns), own)
		g.lead(nil, g.hub(hubRelabel, ns), own)
	}
	g.lead(nil, g.hub(hubNodes, ""), admin)
}
