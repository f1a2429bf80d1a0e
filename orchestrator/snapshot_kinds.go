package orchestrator

import (
	"sync"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	certificatesv1beta1 "k8s.io/api/certificates/v1beta1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	policyv1alpha1 "sigs.k8s.io/network-policy-api/apis/v1alpha1"
	policyv1alpha2 "sigs.k8s.io/network-policy-api/apis/v1alpha2"
)

// Kind is a kind of object that a [Snapshot] has a list for.
type Kind struct {
	schema.GroupVersionKind
	Resource   string // plural, as in URLs
	Namespaced bool
	// Older are further versions whose objects have the same shape.
	Older []string
}

// GroupResource returns the key of [Snapshot.Coverage].
func (k Kind) GroupResource() schema.GroupResource {
	return schema.GroupResource{Group: k.Group, Resource: k.Resource}
}

// Kinds returns the kinds that a snapshot has lists for, each in the version it
// is kept in.
func Kinds() []Kind {
	table := kinds()
	out := make([]Kind, len(table))
	for i, k := range table {
		out[i] = k.Kind
	}
	return out
}

// kind is a Kind with its list.
type kind struct {
	Kind
	list func(*Snapshot) list
}

// list is a List of any type.
type list interface {
	// newObject returns what a document of the kind decodes into.
	newObject() metav1.Object
	// add appends an object; it reports false if it is of another type.
	add(m Meta, o any) bool
	// sort brings the list in order and drops all but the last of each name.
	sort(replaced func(old, new Meta))
	clone()
	remove(namespace, name string)
	clear(namespace string)
	find(namespace, name string) (Meta, any, bool)
	each(yield func(Meta) bool)
}

func newKind[T any](group, version, name, resource string, namespaced bool, field func(*Snapshot) *List[T], older ...string) kind {
	return kind{
		Kind: Kind{schema.GroupVersionKind{Group: group, Version: version, Kind: name}, resource, namespaced, older},
		list: func(s *Snapshot) list { return field(s) },
	}
}

// kindTable is kinds by group and kind.
var kindTable = sync.OnceValue(func() map[schema.GroupKind]kind {
	table := map[schema.GroupKind]kind{}
	for _, k := range kinds() {
		table[k.GroupKind()] = k
	}
	return table
})

// kinds is the table of everything that has a list.
func kinds() []kind {
	const (
		admission  = admissionv1.GroupName
		apps       = appsv1.GroupName
		batch      = batchv1.GroupName
		networking = networkingv1.GroupName
		rbac       = rbacv1.GroupName
		storage    = storagev1.GroupName
		tiers      = "policy.networking.k8s.io"
	)
	return []kind{
		newKind("", "v1", "Namespace", "namespaces", false, func(s *Snapshot) *List[corev1.Namespace] { return &s.Namespaces }),
		newKind("", "v1", "Node", "nodes", false, func(s *Snapshot) *List[corev1.Node] { return &s.Nodes }),
		newKind("", "v1", "Pod", "pods", true, func(s *Snapshot) *List[corev1.Pod] { return &s.Pods }),
		newKind("", "v1", "Service", "services", true, func(s *Snapshot) *List[corev1.Service] { return &s.Services }),
		newKind("", "v1", "ServiceAccount", "serviceaccounts", true, func(s *Snapshot) *List[corev1.ServiceAccount] { return &s.ServiceAccounts }),
		newKind("", "v1", "Secret", "secrets", true, func(s *Snapshot) *List[Secret] { return &s.Secrets }),
		newKind("", "v1", "ConfigMap", "configmaps", true, func(s *Snapshot) *List[corev1.ConfigMap] { return &s.ConfigMaps }),
		//lint:ignore SA1019 deprecated, and in every cluster
		newKind("", "v1", "Endpoints", "endpoints", true, func(s *Snapshot) *List[corev1.Endpoints] { return &s.Endpoints }),
		newKind("", "v1", "PersistentVolume", "persistentvolumes", false, func(s *Snapshot) *List[corev1.PersistentVolume] { return &s.PersistentVolumes }),
		newKind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", true, func(s *Snapshot) *List[corev1.PersistentVolumeClaim] { return &s.PersistentVolumeClaims }),
		newKind("", "v1", "ReplicationController", "replicationcontrollers", true, func(s *Snapshot) *List[corev1.ReplicationController] { return &s.ReplicationControllers }),

		newKind(apps, "v1", "Deployment", "deployments", true, func(s *Snapshot) *List[appsv1.Deployment] { return &s.Deployments }),
		newKind(apps, "v1", "ReplicaSet", "replicasets", true, func(s *Snapshot) *List[appsv1.ReplicaSet] { return &s.ReplicaSets }),
		newKind(apps, "v1", "DaemonSet", "daemonsets", true, func(s *Snapshot) *List[appsv1.DaemonSet] { return &s.DaemonSets }),
		newKind(apps, "v1", "StatefulSet", "statefulsets", true, func(s *Snapshot) *List[appsv1.StatefulSet] { return &s.StatefulSets }),
		newKind(batch, "v1", "Job", "jobs", true, func(s *Snapshot) *List[batchv1.Job] { return &s.Jobs }),
		newKind(batch, "v1", "CronJob", "cronjobs", true, func(s *Snapshot) *List[batchv1.CronJob] { return &s.CronJobs }, "v1beta1"),

		newKind(rbac, "v1", "Role", "roles", true, func(s *Snapshot) *List[rbacv1.Role] { return &s.Roles }, "v1beta1"),
		newKind(rbac, "v1", "ClusterRole", "clusterroles", false, func(s *Snapshot) *List[rbacv1.ClusterRole] { return &s.ClusterRoles }, "v1beta1"),
		newKind(rbac, "v1", "RoleBinding", "rolebindings", true, func(s *Snapshot) *List[rbacv1.RoleBinding] { return &s.RoleBindings }, "v1beta1"),
		newKind(rbac, "v1", "ClusterRoleBinding", "clusterrolebindings", false, func(s *Snapshot) *List[rbacv1.ClusterRoleBinding] { return &s.ClusterRoleBindings }, "v1beta1"),

		newKind(networking, "v1", "NetworkPolicy", "networkpolicies", true, func(s *Snapshot) *List[networkingv1.NetworkPolicy] { return &s.NetworkPolicies }),
		newKind(networking, "v1", "Ingress", "ingresses", true, func(s *Snapshot) *List[networkingv1.Ingress] { return &s.Ingresses }),
		newKind(networking, "v1", "IngressClass", "ingressclasses", false, func(s *Snapshot) *List[networkingv1.IngressClass] { return &s.IngressClasses }, "v1beta1"),
		newKind(discoveryv1.GroupName, "v1", "EndpointSlice", "endpointslices", true, func(s *Snapshot) *List[discoveryv1.EndpointSlice] { return &s.EndpointSlices }),
		newKind(tiers, "v1alpha2", "ClusterNetworkPolicy", "clusternetworkpolicies", false, func(s *Snapshot) *List[policyv1alpha2.ClusterNetworkPolicy] { return &s.ClusterNetworkPolicies }),
		newKind(tiers, "v1alpha1", "AdminNetworkPolicy", "adminnetworkpolicies", false, func(s *Snapshot) *List[policyv1alpha1.AdminNetworkPolicy] { return &s.AdminNetworkPolicies }),
		newKind(tiers, "v1alpha1", "BaselineAdminNetworkPolicy", "baselineadminnetworkpolicies", false, func(s *Snapshot) *List[policyv1alpha1.BaselineAdminNetworkPolicy] {
			return &s.BaselineAdminNetworkPolicies
		}),

		newKind(admission, "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", false, func(s *Snapshot) *List[admissionv1.MutatingWebhookConfiguration] { return &s.MutatingWebhooks }),
		newKind(admission, "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", false, func(s *Snapshot) *List[admissionv1.ValidatingWebhookConfiguration] { return &s.ValidatingWebhooks }),
		newKind(admission, "v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", false, func(s *Snapshot) *List[admissionv1.ValidatingAdmissionPolicy] { return &s.ValidatingPolicies }, "v1beta1"),
		newKind(admission, "v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", false, func(s *Snapshot) *List[admissionv1.ValidatingAdmissionPolicyBinding] {
			return &s.ValidatingPolicyBindings
		}, "v1beta1"),
		newKind(admission, "v1", "MutatingAdmissionPolicy", "mutatingadmissionpolicies", false, func(s *Snapshot) *List[admissionv1.MutatingAdmissionPolicy] { return &s.MutatingPolicies }, "v1beta1", "v1alpha1"),
		newKind(admission, "v1", "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings", false, func(s *Snapshot) *List[admissionv1.MutatingAdmissionPolicyBinding] { return &s.MutatingPolicyBindings }, "v1beta1", "v1alpha1"),
		newKind("apiregistration.k8s.io", "v1", "APIService", "apiservices", false, func(s *Snapshot) *List[APIService] { return &s.APIServices }),
		newKind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", false, func(s *Snapshot) *List[CustomResourceDefinition] { return &s.CustomResourceDefinitions }),

		newKind(certificatesv1beta1.GroupName, "v1beta1", "ClusterTrustBundle", "clustertrustbundles", false, func(s *Snapshot) *List[certificatesv1beta1.ClusterTrustBundle] { return &s.ClusterTrustBundles }, "v1alpha1"),
		newKind(nodev1.GroupName, "v1", "RuntimeClass", "runtimeclasses", false, func(s *Snapshot) *List[nodev1.RuntimeClass] { return &s.RuntimeClasses }, "v1beta1"),
		newKind(storage, "v1", "StorageClass", "storageclasses", false, func(s *Snapshot) *List[storagev1.StorageClass] { return &s.StorageClasses }, "v1beta1"),
		newKind(storage, "v1", "CSIDriver", "csidrivers", false, func(s *Snapshot) *List[storagev1.CSIDriver] { return &s.CSIDrivers }, "v1beta1"),
		newKind(schedulingv1.GroupName, "v1", "PriorityClass", "priorityclasses", false, func(s *Snapshot) *List[schedulingv1.PriorityClass] { return &s.PriorityClasses }, "v1beta1"),
		newKind(resourcev1.GroupName, "v1", "DeviceClass", "deviceclasses", false, func(s *Snapshot) *List[resourcev1.DeviceClass] { return &s.DeviceClasses }),
		newKind(resourcev1.GroupName, "v1", "ResourceClaim", "resourceclaims", true, func(s *Snapshot) *List[resourcev1.ResourceClaim] { return &s.ResourceClaims }),
		newKind(resourcev1.GroupName, "v1", "ResourceClaimTemplate", "resourceclaimtemplates", true, func(s *Snapshot) *List[resourcev1.ResourceClaimTemplate] { return &s.ResourceClaimTemplates }),
	}
}
