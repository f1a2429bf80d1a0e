package orchestrator

import (
	"slices"
	"strings"

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
	policyv1alpha1 "sigs.k8s.io/network-policy-api/apis/v1alpha1"
	policyv1alpha2 "sigs.k8s.io/network-policy-api/apis/v1alpha2"

	"github.com/boltseal/boltseal"
)

// Snapshot is a cluster at one moment, as far as it was seen. Every list is
// sorted by namespace and name and holds a name once. A Snapshot does not
// change and is safe for concurrent use; so must its readers leave it.
//
// What a list does not hold may still exist: see [Snapshot.Coverage].
type Snapshot struct {
	// Minor is the minor version of Kubernetes 1 whose rules apply.
	Minor int

	Namespaces      List[corev1.Namespace]
	Nodes           List[corev1.Node]
	Pods            List[corev1.Pod]
	Services        List[corev1.Service]
	ServiceAccounts List[corev1.ServiceAccount]
	Secrets         List[Secret] // metadata only
	ConfigMaps      List[corev1.ConfigMap]
	//lint:ignore SA1019 deprecated, and in every cluster
	Endpoints              List[corev1.Endpoints]
	PersistentVolumes      List[corev1.PersistentVolume]
	PersistentVolumeClaims List[corev1.PersistentVolumeClaim]
	ReplicationControllers List[corev1.ReplicationController]

	Deployments  List[appsv1.Deployment]
	ReplicaSets  List[appsv1.ReplicaSet]
	DaemonSets   List[appsv1.DaemonSet]
	StatefulSets List[appsv1.StatefulSet]
	Jobs         List[batchv1.Job]
	CronJobs     List[batchv1.CronJob]

	Roles               List[rbacv1.Role]
	ClusterRoles        List[rbacv1.ClusterRole]
	RoleBindings        List[rbacv1.RoleBinding]
	ClusterRoleBindings List[rbacv1.ClusterRoleBinding]

	NetworkPolicies              List[networkingv1.NetworkPolicy]
	Ingresses                    List[networkingv1.Ingress]
	IngressClasses               List[networkingv1.IngressClass]
	EndpointSlices               List[discoveryv1.EndpointSlice]
	ClusterNetworkPolicies       List[policyv1alpha2.ClusterNetworkPolicy]
	AdminNetworkPolicies         List[policyv1alpha1.AdminNetworkPolicy]
	BaselineAdminNetworkPolicies List[policyv1alpha1.BaselineAdminNetworkPolicy]

	MutatingWebhooks          List[admissionv1.MutatingWebhookConfiguration]
	ValidatingWebhooks        List[admissionv1.ValidatingWebhookConfiguration]
	ValidatingPolicies        List[admissionv1.ValidatingAdmissionPolicy]
	ValidatingPolicyBindings  List[admissionv1.ValidatingAdmissionPolicyBinding]
	MutatingPolicies          List[admissionv1.MutatingAdmissionPolicy]
	MutatingPolicyBindings    List[admissionv1.MutatingAdmissionPolicyBinding]
	APIServices               List[APIService]
	CustomResourceDefinitions List[CustomResourceDefinition]

	ClusterTrustBundles    List[certificatesv1beta1.ClusterTrustBundle]
	RuntimeClasses         List[nodev1.RuntimeClass]
	StorageClasses         List[storagev1.StorageClass]
	CSIDrivers             List[storagev1.CSIDriver]
	PriorityClasses        List[schedulingv1.PriorityClass]
	DeviceClasses          List[resourcev1.DeviceClass]
	ResourceClaims         List[resourcev1.ResourceClaim]
	ResourceClaimTemplates List[resourcev1.ResourceClaimTemplate]

	// Others are objects of every other kind. Custom resources are here.
	Others []*Other

	// Skipped are documents that were not taken up, and remarks (Note) on those
	// that were.
	Skipped []boltseal.Skip

	coverage map[coverageKey]Coverage
	complete bool   // files that the caller vouched for: what was not seen is not there
	unread   string // why complete does not hold all the same
	live     bool   // read from a cluster, not from files
}

// Item is one object of a snapshot and where it came from.
type Item[T any] struct {
	Meta
	Object *T
}

// Meta names an object and says where it came from.
type Meta struct {
	Namespace string // empty for kinds without one
	Name      string
	// Location is the file and line where the document begins, with the template
	// that Helm names in its "# Source:" comment as the member. For a live object
	// the path is that of its API request.
	Location boltseal.Location
	// AssumedNamespace says that the manifest named no namespace: Namespace is
	// the loader's option.
	AssumedNamespace bool
	// Hook is the value of the annotation helm.sh/hook: such an object exists
	// only while the hook runs.
	Hook string
}

// List holds the objects of one kind, sorted by namespace and name.
type List[T any] []*Item[T]

// Get returns the object of that name, or nil. Kinds without namespace take an
// empty one.
func (l List[T]) Get(namespace, name string) *Item[T] {
	i, ok := slices.BinarySearchFunc(l, name, func(it *Item[T], name string) int {
		if c := strings.Compare(it.Namespace, namespace); c != 0 {
			return c
		}
		return strings.Compare(it.Name, name)
	})
	if !ok {
		return nil
	}
	return l[i]
}

// In returns the objects of one namespace.
func (l List[T]) In(namespace string) List[T] {
	byNamespace := func(it *Item[T], ns string) int { return strings.Compare(it.Namespace, ns) }
	from, ok := slices.BinarySearchFunc(l, namespace, byNamespace)
	if !ok {
		return nil
	}
	to, _ := slices.BinarySearchFunc(l[from:], namespace+"\x00", byNamespace)
	return l[from : from+to]
}

// Live reports whether the snapshot was read from a running cluster.
func (s *Snapshot) Live() bool { return s.live }

// NamespaceLabels returns the labels of a namespace, as selectors see them: the API
// server adds kubernetes.io/metadata.name. ok is false if the snapshot does not
// hold the namespace; the label is there all the same.
func (s *Snapshot) NamespaceLabels(name string) (labels map[string]string, ok bool) {
	it := s.Namespaces.Get("", name)
	if it != nil && it.Object.Labels[corev1.LabelMetadataName] == name {
		return it.Object.Labels, true
	}
	labels = map[string]string{}
	if it != nil {
		for k, v := range it.Object.Labels {
			labels[k] = v
		}
	}
	labels[corev1.LabelMetadataName] = name
	return labels, it != nil
}
