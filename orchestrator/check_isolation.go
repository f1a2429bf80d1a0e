package orchestrator

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// isolationReads are what a verdict about network isolation looks at.
func isolationReads() []schema.GroupResource {
	return append(workloadResources(), resources("networking.k8s.io", "networkpolicies")...)
}

// isolates reports whether a policy isolates the pods it selects in a
// direction. Without policyTypes it isolates incoming traffic always, outgoing
// traffic only if it has an egress rule.
func isolates(policy *networkingv1.NetworkPolicy, direction networkingv1.PolicyType) bool {
	if len(policy.Spec.PolicyTypes) > 0 {
		return slices.Contains(policy.Spec.PolicyTypes, direction)
	}
	return direction == networkingv1.PolicyTypeIngress || len(policy.Spec.Egress) > 0
}

// selectsPods reports whether a selector matches labels. One that does not
// parse matches nothing: the API server does not take it.
func selectsPods(selector *metav1.LabelSelector, set map[string]string) bool {
	s, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && s.Matches(labels.Set(set))
}

// isolating returns the policies that isolate pods with these labels.
func isolating(policies List[networkingv1.NetworkPolicy], podLabels map[string]string, direction networkingv1.PolicyType) []*networkingv1.NetworkPolicy {
	var out []*networkingv1.NetworkPolicy
	for _, it := range policies {
		if isolates(it.Object, direction) && selectsPods(&it.Object.Spec.PodSelector, podLabels) {
			out = append(out, it.Object)
		}
	}
	return out
}

// otherPolicies names the kinds of policies in the snapshot that further
// network plugins enforce, and that this package does not evaluate.
func otherPolicies(s *Snapshot, namespace string) string {
	if len(s.ClusterNetworkPolicies)+len(s.AdminNetworkPolicies)+len(s.BaselineAdminNetworkPolicies) > 0 {
		return "cluster network policies"
	}
	for _, o := range s.Others {
		if o.Namespace != "" && o.Namespace != namespace || !strings.HasSuffix(o.Kind, "Policy") {
			continue
		}
		switch o.Group {
		case "cilium.io", "projectcalico.org", "crd.projectcalico.org", "crd.antrea.io", "k8s.ovn.org":
			return o.Kind + " of " + o.Group
		}
	}
	return ""
}

// judgeIsolation is X14 and X15 for one namespace: every workload must be
// isolated by some policy. Pods in the node's network stand outside.
func judgeIsolation(p *Pass, direction networkingv1.PolicyType) {
	ns := p.Ref.Name
	policies := p.Snapshot.NetworkPolicies.In(ns)
	workloads := 0
	var open []Evidence
	for w := range p.run.workloads(ns) {
		if w.Spec.HostNetwork {
			continue
		}
		workloads++
		if len(isolating(policies, w.Labels, direction)) == 0 {
			open = append(open, Evidence{Path: w.Kind + " " + w.Name, Value: "no policy", Default: true})
		}
	}
	switch {
	case workloads == 0 && !p.missingIn(ns, workloadResources()...):
		p.NotApplicable("no pods in the network of the namespace")
	case len(open) == 0:
	case otherPolicies(p.Snapshot, ns) != "":
		p.Unknown("%s may isolate them, and are not evaluated here", otherPolicies(p.Snapshot, ns))
	case p.missingIn(ns, resources("networking.k8s.io", "networkpolicies")...):
	default:
		for _, e := range open {
			p.Fail(e)
		}
	}
}

func judgeIdlePolicy(p *Pass) {
	policy, ok := p.Object.(*networkingv1.NetworkPolicy)
	if !ok {
		return
	}
	sel := policy.Spec.PodSelector
	if len(sel.MatchLabels)+len(sel.MatchExpressions) == 0 {
		return // every pod, those to come included
	}
	for w := range p.run.workloads(policy.Namespace) {
		if selectsPods(&sel, w.Labels) {
			return
		}
	}
	if !p.Missing(workloadResources()...) {
		p.Fail(Evidence{Path: "spec.podSelector", Value: metav1.FormatLabelSelector(&sel)})
	}
}

// judgeMetadataService is X17 for one namespace.
func judgeMetadataService(p *Pass) {
	ns := p.Ref.Name
	if onCloud, known := p.run.onCloud(); known && !onCloud {
		p.NotApplicable("no node of a cloud")
		return
	}
	policies := p.Snapshot.NetworkPolicies.In(ns)
	workloads := 0
	var open []Evidence
	for w := range p.run.workloads(ns) {
		workloads++
		at := w.Kind + " " + w.Name
		if w.Spec.HostNetwork {
			open = append(open, Evidence{Path: at, Value: "hostNetwork", Detail: "no policy holds it"})
			continue
		}
		egress := isolating(policies, w.Labels, networkingv1.PolicyTypeEgress)
		if len(egress) == 0 {
			open = append(open, Evidence{Path: at, Value: "no policy", Default: true})
		}
		for _, policy := range egress {
			for i, rule := range policy.Spec.Egress {
				if allowsMetadata(&rule) {
					open = append(open, Evidence{Path: at, Value: "allowed", Detail: "NetworkPolicy " + policy.Name + " " + element("spec.egress", i, "")})
				}
			}
		}
	}
	switch {
	case workloads == 0 && !p.missingIn(ns, workloadResources()...):
		p.NotApplicable("no pods in the namespace")
	case len(open) == 0:
	case otherPolicies(p.Snapshot, ns) != "":
		p.Unknown("%s may close it, and are not evaluated here", otherPolicies(p.Snapshot, ns))
	case p.missingIn(ns, resources("networking.k8s.io", "networkpolicies")...):
	default:
		if onCloud, known := p.run.onCloud(); !onCloud || !known {
			p.Unknown("whether the nodes are of a cloud was not seen: %s", p.Snapshot.Missing("", resources("", "nodes")...))
			return
		}
		for _, e := range open {
			p.Fail(e)
		}
	}
}

// metadataService is where clouds answer to the machine itself.
const metadataService = "169.254.169.254"

// allowsMetadata reports whether a rule opens the way to the metadata service
// on port 80.
func allowsMetadata(rule *networkingv1.NetworkPolicyEgressRule) bool {
	if len(rule.Ports) > 0 && !slices.ContainsFunc(rule.Ports, func(port networkingv1.NetworkPolicyPort) bool {
		if port.Protocol != nil && *port.Protocol != corev1.ProtocolTCP {
			return false
		}
		if port.Port == nil {
			return true
		}
		n := port.Port.IntValue()
		return n == 80 || port.EndPort != nil && n <= 80 && 80 <= int(*port.EndPort)
	}) {
		return false
	}
	if len(rule.To) == 0 {
		return true
	}
	addr := netip.MustParseAddr(metadataService)
	return slices.ContainsFunc(rule.To, func(peer networkingv1.NetworkPolicyPeer) bool {
		if peer.IPBlock == nil || !cidrHolds(peer.IPBlock.CIDR, addr) {
			return false
		}
		return !slices.ContainsFunc(peer.IPBlock.Except, func(except string) bool { return cidrHolds(except, addr) })
	})
}

func cidrHolds(cidr string, addr netip.Addr) bool {
	prefix, err := netip.ParsePrefix(cidr)
	return err == nil && prefix.Contains(addr)
}

// judgeEnforcement is X18, asked once of the cluster.
func judgeEnforcement(p *Pass) {
	if len(p.Snapshot.NetworkPolicies) == 0 {
		if !p.missingIn("", resources("networking.k8s.io", "networkpolicies")...) {
			p.NotApplicable("no network policies")
		}
		return
	}
	for _, it := range p.Snapshot.DaemonSets {
		for c := range containers(&it.Object.Spec.Template.Spec, "spec.template.spec") {
			if enforcesPolicies(c.Image) {
				return
			}
		}
	}
	if !p.missingIn("", resources("apps", "daemonsets")...) {
		p.Fail(Evidence{Path: "DaemonSets", Value: "none of a known network plugin"})
	}
}

// enforcesPolicies recognises the images of network plugins that enforce
// NetworkPolicies.
func enforcesPolicies(image string) bool {
	name, _, _ := splitImage(image)
	for _, part := range []string{
		"cilium", "calico", "antrea", "kube-router", "ovn-kube", "ovnkube", "weave-npc", "kube-ovn", "terway",
		"aws-network-policy-agent", "network-policy-agent", "azure-npm", "kube-network-policies", "netd-", "romana",
	} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}
