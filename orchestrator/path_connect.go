package orchestrator

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
)

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

// connectRewrites is E07: who may give a role any rules gives them to everybody
// that the role is bound to.
func (g *Graph) connectRewrites() {
	anyCluster, anyNew := g.can(needEscalateCluster, "", ""), g.can(needEscalateNewCluster, "", "")
	bound := func(b *Binding, to int32) {
		target := g.at(ClusterAdmin)
		if b.Namespace != "" {
			target = g.at(AdminOf(b.Namespace))
		}
		rewrite, fresh := []int32{anyCluster}, []int32{anyNew}
		if b.RoleRef.Kind == "Role" {
			ns, name := b.Namespace, b.RoleRef.Name
			rewrite = []int32{g.can(needEscalate, ns, ""), g.can(needEscalate, ns, name), g.can(needEscalate, "", name)}
			fresh = []int32{g.can(needEscalateNew, ns, ""), g.can(needEscalateNew, ns, name), g.can(needEscalateNew, "", name)}
		} else {
			rewrite = append(rewrite, g.can(needEscalateCluster, "", b.RoleRef.Name))
			fresh = append(fresh, g.can(needEscalateNewCluster, "", b.RoleRef.Name))
			for _, from := range g.aggregated(b.Role) {
				rewrite = append(rewrite, g.can(needEscalateCluster, "", from))
			}
		}
		if b.Role == nil {
			rewrite = fresh // there is none to rewrite, but one may be made
		}
		for _, can := range rewrite {
			g.step("E07", nil, target, can, to)
		}
	}
	for b := range g.access.Bindings() {
		if g.without[b] {
			continue
		}
		for i := range b.Subjects {
			if s, ok := BoundSubject(b.Subjects[i], b.Namespace); ok && !g.without[bindingSubject{b, i}] {
				if id, ok := g.ids[fact{kind: atPosition, a: string(s.Position())}]; ok {
					bound(b, id)
				}
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(g.holders)) {
		for _, b := range g.holders[id].added {
			bound(b, id)
		}
	}
}

// aggregated returns the names of the roles whose rules go into a role.
func (g *Graph) aggregated(r *Role) (names []string) {
	if r == nil || r.Aggregation == nil {
		return nil
	}
	for other := range g.access.Roles() {
		if other.Namespace != "" || other == r {
			continue
		}
		for i := range r.Aggregation.ClusterRoleSelectors {
			if selects(&r.Aggregation.ClusterRoleSelectors[i], other.Labels) {
				names = append(names, other.Name)
				break
			}
		}
	}
	return names
}

// constrained is whether E14 gives enough of an identity: only the requests that
// impersonate-on lists.
func (g *Graph) constrained() (bool, []Condition) {
	if g.snap.Minor > 0 && g.snap.Minor < 36 {
		return false, nil
	}
	return g.settle("constrained-impersonation", "the requests that the impersonate-on: verbs allow are those that matter (feature gate ConstrainedImpersonation)")
}

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

// connectPods is E30, E32, E33, E35, E36 and E47.
func (g *Graph) connectPods(ns string) {
	pods, exec := g.at(PodsOf(ns)), g.hub(hubExec, ns)
	g.lead(nil, g.hub(hubTokens, ns), pods)
	g.lead(nil, g.at(SecretsOf(ns)), pods)
	for _, way := range g.rows["E32"].Ways {
		n := way[0]
		changes := !slices.Contains(n.Rights[0].Verbs, "create")
		g.eachIn(n, ns, func(id int32, name string) {
			if !changes {
				g.step("E32", nil, pods, id)
			} else if ok, conds := g.controllerExists(n.Rights[0], ns, name); ok {
				g.step("E32", conds, pods, id)
			}
		})
	}
	code := []struct {
		row  string
		need Need
	}{{"E33", needPodImage}, {"E35", needExec}, {"E35", needAttach}, {"E36", needEphemeral}}
	if g.snap.Minor > 0 && g.snap.Minor < 35 {
		code = append(code, struct {
			row  string
			need Need
		}{"E35", needExecGet}, struct {
			row  string
			need Need
		}{"E35", needAttachGet})
	}
	for _, c := range code {
		g.eachIn(c.need, ns, func(id int32, name string) {
			if name == "" {
				g.step(c.row, nil, exec, id)
				return
			}
			for _, w := range g.placesIn[ns] {
				if slices.Contains(w.pods, name) {
					g.step(c.row, nil, w.fact, id)
				}
			}
		})
	}
	g.eachIn(needPods, ns, func(id int32, _ string) { g.step("E30", nil, pods, id) })
	for _, w := range g.placesIn[ns] {
		g.lead(nil, w.fact, exec)
		g.connectConfig(w)
	}
}

// controllerExists is whether there is an object to change.
func (g *Graph) controllerExists(r Right, ns, name string) (bool, []Condition) {
	var n int
	count := func(have bool, total int) {
		if name == "" {
			n += total
		} else if have {
			n++
		}
	}
	switch r.Resource {
	case "deployments":
		count(g.snap.Deployments.Get(ns, name) != nil, len(g.snap.Deployments.In(ns)))
	case "daemonsets":
		count(g.snap.DaemonSets.Get(ns, name) != nil, len(g.snap.DaemonSets.In(ns)))
	case "statefulsets":
		count(g.snap.StatefulSets.Get(ns, name) != nil, len(g.snap.StatefulSets.In(ns)))
	case "replicasets":
		count(g.snap.ReplicaSets.Get(ns, name) != nil, len(g.snap.ReplicaSets.In(ns)))
	case "replicationcontrollers":
		count(g.snap.ReplicationControllers.Get(ns, name) != nil, len(g.snap.ReplicationControllers.In(ns)))
	case "cronjobs":
		count(g.snap.CronJobs.Get(ns, name) != nil, len(g.snap.CronJobs.In(ns)))
	}
	if n > 0 {
		return true, nil
	}
	if g.snap.Coverage(Resource(r.Group, r.Resource), ns).Known() {
		return false, nil
	}
	what := "one of the " + r.Resource
	if name != "" {
		what = r.Resource + " " + name
	}
	return g.settle(r.Resource+":"+ns, "%s exists in namespace %s", what, ns)
}

// connectConfig is E47: who writes what a workload reads.
func (g *Graph) connectConfig(w *workloadPlace) {
	secrets, configMaps := secretRefs(w.Spec)
	reads := func(n Need, names []string) {
		if len(names) == 0 {
			return
		}
		ok, conds := g.settle("reads:"+w.Namespace+"/"+w.Name, "%s does what %s say", w.String(), strings.Join(names, ", "))
		if !ok {
			return
		}
		g.step("E47", conds, w.fact, g.can(n, w.Namespace, ""))
		for _, name := range names {
			g.step("E47", conds, w.fact, g.can(n, w.Namespace, name))
		}
	}
	reads(needWriteSecrets, secrets)
	reads(needConfigMaps, configMaps)
}

// connectPrivileged is E31, E36 with a privileged container, E48, E56 and E57:
// ways from a namespace's pods to nodes, and what opens them.
func (g *Graph) connectPrivileged(ns string) {
	pods, nodes, relabel := g.at(PodsOf(ns)), g.hub(hubNodes, ""), g.hub(hubRelabel, ns)
	secure, secureConds := g.podSecurity(ns, false)
	admit, admitConds := g.admission(ns)
	if secure && admit {
		g.step("E31", slices.Concat(secureConds, admitConds), nodes, pods)
	}
	g.eachIn(needNamespace, ns, func(id int32, name string) {
		if name == "" || name == ns {
			g.step("E57", nil, relabel, id)
		}
	})
	if !secure || len(secureConds) > 0 {
		if admit {
			g.step("E31", admitConds, nodes, pods, relabel)
		}
	}
	if secure && (!admit || len(admitConds) > 0) {
		for _, n := range []Need{needDropValidating, needDropMutating, needDropPolicies, needDropPolicyBindings} {
			g.each(n, func(id int32, name string) {
				if name == "" && len(g.podAdmission(ns)) > 0 {
					g.step("E56", secureConds, nodes, pods, id)
				}
			})
		}
	}
	if _, mounts := g.podSecurity(ns, true); admit {
		g.each(needVolume, func(volume int32, _ string) {
			conds := slices.Concat(mounts, admitConds)
			if ok, _ := g.podSecurity(ns, true); !ok {
				_, c := g.settle("volume-uid:"+ns, "files of the node are of use to the uid that restricted leaves the pod in namespace %s", ns)
				conds = slices.Concat(c, admitConds)
			}
			g.eachIn(needClaim, ns, func(claim int32, _ string) { g.step("E48", conds, nodes, volume, claim, pods) })
			g.step("E48", conds, nodes, volume, g.can(needStatefulSet, ns, ""))
		})
	}
	if secure && admit {
		g.eachIn(needEphemeral, ns, func(id int32, name string) {
			for _, w := range g.placesIn[ns] {
				if name != "" && !slices.Contains(w.pods, name) {
					continue
				}
				for _, to := range g.nodesOf(w) {
					g.step("E36", slices.Concat(secureConds, admitConds), to, id)
				}
			}
		})
	}
}

// nodesOf returns the nodes that a workload runs on: all of them for a
// DaemonSet, an unknown one where the snapshot has no pods.
func (g *Graph) nodesOf(w *workloadPlace) []int32 {
	var out []int32
	for _, n := range w.nodes {
		out = append(out, g.at(NodeRoot(n)))
	}
	if len(out) == 0 && w.Kind == "DaemonSet" && len(w.Spec.NodeSelector) == 0 && w.Spec.Affinity == nil {
		for _, it := range g.snap.Nodes {
			out = append(out, g.at(NodeRoot(it.Name)))
		}
	}
	if len(out) == 0 {
		out = append(out, g.at(AnyNode))
	}
	return out
}

// connectCluster is E40, E43, E44, E53, E55, E58 and E76.
func (g *Graph) connectCluster() {
	admin, kubelets, nodes := g.at(ClusterAdmin), g.hub(hubKubelets, ""), g.hub(hubNodes, "")
	g.each(needNodeProxy, func(id int32, name string) {
		if name == "" {
			g.step("E43", nil, kubelets, id)
			return
		}
		for _, w := range g.places {
			if slices.Contains(w.nodes, name) {
				g.step("E43", nil, w.fact, id)
			}
		}
	})
	for _, ns := range g.nsList {
		g.lead(nil, g.hub(hubExec, ns), kubelets)
		for _, evict := range []Need{needEvict, needEvictCreate} {
			g.step("E40", nil, g.hub(hubExec, ns), g.can(evict, ns, ""), g.can(needNodes, "", ""), g.at(AnyNode))
		}
	}
	if ok, conds := g.settle("mutating-webhook", "the API server reaches the webhook, and somebody stronger writes an object while it is there"); ok {
		g.each(needMutatingWebhooks, func(id int32, _ string) { g.step("E53", conds, admin, id) })
	}
	if ok, conds := g.settle("mutating-policy", "somebody stronger writes an object, such as a binding, while the policy is there"); ok && (g.snap.Minor == 0 || g.snap.Minor >= 34) {
		g.each(needMutatingPolicies, func(policy int32, _ string) {
			g.each(needMutatingBindings, func(binding int32, _ string) { g.step("E55", conds, admin, policy, binding) })
		})
	}
	// A new namespace has the labels that its creator gives it.
	if ok, conds := g.admission(""); ok {
		g.each(needNewNamespace, func(id int32, _ string) { g.step("E58", conds, nodes, id, g.can(needPods, "", "")) })
	}
	g.connectAWS()
	for _, d := range deputies() {
		for s := range g.everyAccount() {
			if !slices.Contains(d.accounts, s.Name) {
				continue
			}
			if ok, conds := g.settle("deputy:"+d.controller, "service account %s/%s is %s's, which does what %s.%s say", s.Namespace, s.Name, d.controller, d.resource, d.group); ok {
				for _, ns := range append([]string{""}, g.nsList...) {
					g.eachIn(d.need(), ns, func(id int32, _ string) { g.step("E76", conds, g.at(s.Position()), id) })
				}
			}
		}
	}
}

func (g *Graph) everyAccount() func(func(Subject) bool) {
	return func(yield func(Subject) bool) {
		for _, ns := range g.nsList {
			for _, s := range g.accounts[ns] {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// connectAWS is the part of E44 that gives an identity.
func (g *Graph) connectAWS() {
	const ns, name = "kube-system", "aws-auth"
	there := g.snap.ConfigMaps.Get(ns, name) != nil
	if !there && g.snap.Coverage(Resource("", "configmaps"), ns).Known() {
		return
	}
	text := "the attacker has an AWS identity to map"
	if !there {
		text = "the cluster is Amazon EKS and reads aws-auth, and " + text
	}
	if ok, conds := g.settle(name, "%s", text); ok {
		for _, n := range []string{"", name} {
			g.step("E44", conds, g.at(Group(GroupMasters).Position()), g.can(needConfigMaps, ns, n))
		}
	}
}

// connectCloud is E51: a token with the cloud's audience can be had by whoever
// mints it or runs as the account, not by impersonation.
func (g *Graph) connectCloud(s Subject, tokens int32, conds []Condition) {
	role := g.cloudRole(s)
	if role == "" {
		return
	}
	ok, trust := g.settle("cloud-trust:"+role, "the cloud trusts service account %s/%s with %s", s.Namespace, s.Name, role)
	if !ok {
		return
	}
	conds = slices.Concat(conds, trust)
	to := g.at(CloudRole(role))
	g.step("E51", conds, to, tokens)
	g.step("E51", conds, to, g.can(needToken, s.Namespace, s.Name))
	for _, w := range g.placesIn[s.Namespace] {
		if w.ServiceAccount() == s {
			g.step("E51", conds, to, w.fact)
		}
	}
}

// cloudRole returns the role that a service account's annotations name.
func (g *Graph) cloudRole(s Subject) string {
	it := g.snap.ServiceAccounts.Get(s.Namespace, s.Name)
	if it == nil {
		return ""
	}
	_, role := cloudAnnotation(it.Object)
	return role
}

// cloudAnnotation returns the annotation that ties a service account to an
// identity outside the cluster.
func cloudAnnotation(sa *corev1.ServiceAccount) (key, role string) {
	for _, key := range []string{"eks.amazonaws.com/role-arn", "iam.gke.io/gcp-service-account", "azure.workload.identity/client-id"} {
		if role := sa.Annotations[key]; role != "" {
			return key, role
		}
	}
	return "", ""
}
