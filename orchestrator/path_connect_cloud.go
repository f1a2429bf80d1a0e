package orchestrator

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

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

// connectMetadata is E73.
func (g *Graph) connectMetadata(w *workloadPlace) {
	cloud := len(g.snap.Nodes) == 0
	for _, it := range g.snap.Nodes {
		scheme, _, _ := strings.Cut(it.Object.Spec.ProviderID, "://")
		switch scheme {
		case "aws", "gce", "azure", "digitalocean", "openstack", "alicloud", "oci", "ibm", "hcloud":
			cloud = true
		}
	}
	if !cloud {
		return
	}
	text := "the pod reaches the metadata service of the cloud (no hop limit, no policy)"
	if w.Spec.HostNetwork {
		text = "the nodes are a cloud's, and have a role"
	}
	if ok, conds := g.settle("metadata", "%s", text); ok {
		g.link(step, "E73", "169.254.169.254", conds, g.at(CloudRole("node")), w.fact)
	}
}
