package orchestrator

import (
	"slices"
	"strings"
)

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
	secrets, configMaps := configRefs(w.Spec)
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
