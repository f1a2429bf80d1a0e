package kube

import (
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/boltseal/boltseal/orchestrator"
)

// configMaps are the ones that matter by name; they lie in kube-system.
var configMaps = []string{"aws-auth", "coredns", "extension-apiserver-authentication"}

const systemNamespace = "kube-system"

// gateway lists the resources of the Gateway API, whose objects a snapshot keeps
// whole among those of other kinds.
func gateway() []orchestrator.Kind {
	kind := func(name, resource string, namespaced bool, versions ...string) orchestrator.Kind {
		return orchestrator.Kind{
			GroupVersionKind: schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: versions[0], Kind: name},
			Resource:         resource, Namespaced: namespaced, Older: versions[1:],
		}
	}
	return []orchestrator.Kind{
		kind("GatewayClass", "gatewayclasses", false, "v1", "v1beta1"),
		kind("Gateway", "gateways", true, "v1", "v1beta1"),
		kind("HTTPRoute", "httproutes", true, "v1", "v1beta1"),
		kind("GRPCRoute", "grpcroutes", true, "v1", "v1alpha2"),
		kind("TLSRoute", "tlsroutes", true, "v1", "v1alpha3", "v1alpha2"),
		kind("TCPRoute", "tcproutes", true, "v1alpha2"),
		kind("UDPRoute", "udproutes", true, "v1alpha2"),
		kind("ReferenceGrant", "referencegrants", true, "v1", "v1beta1", "v1alpha2"),
	}
}

// kinds are those that are listed.
func (o *Options) kinds() []orchestrator.Kind {
	var out []orchestrator.Kind
	for _, k := range slices.Concat(orchestrator.Kinds(), gateway()) {
		switch {
		case k.Group == "" && k.Kind == "Secret":
		case k.Group == "" && k.Kind == "Endpoints": // EndpointSlices say the same
		case k.Group == "" && k.Kind == "ConfigMap" && !o.ConfigMaps:
		case !k.Namespaced && len(o.Namespaces) > 0:
		default:
			out = append(out, k)
		}
	}
	return out
}

// ClusterRole returns the least that [Snapshot] needs with the same options,
// under the given name; for Options.Namespaces it belongs into a RoleBinding in
// each of them. Watch adds the verb that [Watch] needs.
func ClusterRole(name string, opt *Options, watch bool) *rbacv1.ClusterRole {
	var o Options
	if opt != nil {
		o = *opt
	}
	verbs := []string{"get", "list"}
	if watch {
		verbs = append(verbs, "watch")
	}
	byGroup := map[string][]string{}
	var groups []string
	for _, k := range o.kinds() {
		if byGroup[k.Group] == nil {
			groups = append(groups, k.Group)
		}
		byGroup[k.Group] = append(byGroup[k.Group], k.Resource)
	}
	slices.Sort(groups)
	role := &rbacv1.ClusterRole{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRole"},
		ObjectMeta: metav1.ObjectMeta{Name: name},
	}
	for _, g := range groups {
		slices.Sort(byGroup[g])
		role.Rules = append(role.Rules, rbacv1.PolicyRule{Verbs: verbs, APIGroups: []string{g}, Resources: byGroup[g]})
	}
	if !o.ConfigMaps && len(o.Namespaces) == 0 {
		role.Rules = append(role.Rules, rbacv1.PolicyRule{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: configMaps})
	}
	return role
}
