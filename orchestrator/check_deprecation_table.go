package orchestrator

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// lifecycleRow is the life of one version of some kinds.
type lifecycleRow struct {
	version             string // "apps/v1beta1"
	deprecated, removed int    // minor versions of Kubernetes 1; 0 is never
	instead             string
	kinds               string // separated by spaces
}

// lifecycleTable holds what the types of k8s.io/api say of themselves (their
// methods APILifecycleDeprecated, APILifecycleRemoved, APILifecycleReplacement),
// and, for kinds that it no longer has, the deprecated API migration guide.
var lifecycleTable = []lifecycleRow{
	{"admissionregistration.k8s.io/v1alpha1", 29, 32, "", "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding"},
	{"admissionregistration.k8s.io/v1alpha1", 35, 38, "", "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding"},
	{"admissionregistration.k8s.io/v1beta1", 16, 22, "admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration ValidatingWebhookConfiguration"},
	{"admissionregistration.k8s.io/v1beta1", 31, 34, "", "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding"},
	{"admissionregistration.k8s.io/v1beta1", 37, 40, "admissionregistration.k8s.io/v1", "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding"},
	{"apiextensions.k8s.io/v1beta1", 16, 22, "apiextensions.k8s.io/v1", "CustomResourceDefinition"},
	{"apiregistration.k8s.io/v1beta1", 19, 22, "apiregistration.k8s.io/v1", "APIService"},
	{"apps/v1beta1", 8, 16, "apps/v1", "ControllerRevision Deployment DeploymentRollback StatefulSet"},
	{"apps/v1beta1", 8, 16, "autoscaling/v1", "Scale"},
	{"apps/v1beta2", 9, 16, "apps/v1", "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet"},
	{"apps/v1beta2", 9, 16, "autoscaling/v1", "Scale"},
	{"authentication.k8s.io/v1alpha1", 29, 32, "", "SelfSubjectReview"},
	{"authentication.k8s.io/v1beta1", 19, 22, "authentication.k8s.io/v1", "TokenReview"},
	{"authentication.k8s.io/v1beta1", 30, 33, "", "SelfSubjectReview"},
	{"authorization.k8s.io/v1beta1", 19, 22, "authorization.k8s.io/v1", "LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview"},
	{"autoscaling/v2beta1", 22, 25, "autoscaling/v2", "HorizontalPodAutoscaler"},
	{"autoscaling/v2beta2", 23, 26, "autoscaling/v2", "HorizontalPodAutoscaler"},
	{"batch/v1beta1", 21, 25, "batch/v1", "CronJob"},
	{"certificates.k8s.io/v1alpha1", 34, 37, "", "ClusterTrustBundle"},
	{"certificates.k8s.io/v1beta1", 19, 22, "certificates.k8s.io/v1", "CertificateSigningRequest"},
	{"certificates.k8s.io/v1beta1", 37, 40, "", "ClusterTrustBundle"},
	{"certificates.k8s.io/v1beta1", 38, 41, "", "PodCertificateRequest"},
	{"coordination.k8s.io/v1alpha2", 35, 38, "", "LeaseCandidate"},
	{"coordination.k8s.io/v1beta1", 19, 22, "coordination.k8s.io/v1", "Lease"},
	{"coordination.k8s.io/v1beta1", 36, 39, "", "LeaseCandidate"},
	{"discovery.k8s.io/v1beta1", 21, 25, "discovery.k8s.io/v1", "EndpointSlice"},
	{"events.k8s.io/v1beta1", 22, 25, "", "Event"},
	{"extensions/v1beta1", 2, 16, "", "Scale"},
	{"extensions/v1beta1", 8, 16, "", "DeploymentRollback"},
	{"extensions/v1beta1", 8, 16, "apps/v1", "DaemonSet Deployment ReplicaSet"},
	{"extensions/v1beta1", 9, 16, "networking.k8s.io/v1", "NetworkPolicy"},
	{"extensions/v1beta1", 11, 16, "Pod Security admission", "PodSecurityPolicy"},
	{"extensions/v1beta1", 14, 22, "networking.k8s.io/v1", "Ingress"},
	{"flowcontrol.apiserver.k8s.io/v1beta1", 23, 26, "flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema PriorityLevelConfiguration"},
	{"flowcontrol.apiserver.k8s.io/v1beta2", 26, 29, "flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema PriorityLevelConfiguration"},
	{"flowcontrol.apiserver.k8s.io/v1beta3", 29, 32, "flowcontrol.apiserver.k8s.io/v1", "FlowSchema PriorityLevelConfiguration"},
	{"networking.k8s.io/v1beta1", 19, 22, "networking.k8s.io/v1", "Ingress IngressClass"},
	{"networking.k8s.io/v1beta1", 34, 37, "", "IPAddress ServiceCIDR"},
	{"node.k8s.io/v1beta1", 22, 25, "", "RuntimeClass"},
	{"policy/v1beta1", 21, 25, "Pod Security admission", "PodSecurityPolicy"},
	{"policy/v1beta1", 21, 25, "policy/v1", "PodDisruptionBudget"},
	{"policy/v1beta1", 22, 25, "", "Eviction"},
	{"rbac.authorization.k8s.io/v1beta1", 17, 22, "rbac.authorization.k8s.io/v1", "ClusterRole ClusterRoleBinding Role RoleBinding"},
	{"resource.k8s.io/v1alpha3", 36, 39, "", "DeviceTaintRule"},
	{"resource.k8s.io/v1alpha3", 39, 42, "", "ResourcePoolStatusRequest"},
	{"resource.k8s.io/v1beta1", 35, 38, "", "DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice"},
	{"resource.k8s.io/v1beta2", 36, 39, "", "DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice"},
	{"resource.k8s.io/v1beta2", 39, 42, "", "DeviceTaintRule"},
	{"scheduling.k8s.io/v1beta1", 14, 22, "scheduling.k8s.io/v1", "PriorityClass"},
	{"storage.k8s.io/v1alpha1", 21, 24, "storage.k8s.io/v1", "VolumeAttachment"},
	{"storage.k8s.io/v1alpha1", 21, 24, "storage.k8s.io/v1beta1", "CSIStorageCapacity"},
	{"storage.k8s.io/v1alpha1", 32, 35, "storage.k8s.io/v1", "VolumeAttributesClass"},
	{"storage.k8s.io/v1beta1", 17, 22, "storage.k8s.io/v1", "CSINode"},
	{"storage.k8s.io/v1beta1", 19, 22, "storage.k8s.io/v1", "CSIDriver StorageClass VolumeAttachment"},
	{"storage.k8s.io/v1beta1", 24, 27, "storage.k8s.io/v1", "CSIStorageCapacity"},
	{"storage.k8s.io/v1beta1", 34, 37, "storage.k8s.io/v1", "VolumeAttributesClass"},
	{"storagemigration.k8s.io/v1beta1", 38, 41, "", "StorageVersionMigration"},
	{"v1", 19, 0, "", "ComponentStatus"},
	{"v1", 33, 0, "discovery.k8s.io/v1 EndpointSlice", "Endpoints"},
}

// lifecycles returns what is known of a version of a kind; ok is false for one
// that nobody means to remove.
func lifecycles(gvk schema.GroupVersionKind) (life lifecycle, ok bool) {
	version := gvk.GroupVersion().String()
	for i := range lifecycleTable {
		r := &lifecycleTable[i]
		if r.version == version && slices.Contains(strings.Fields(r.kinds), gvk.Kind) {
			return lifecycle{r.deprecated, r.removed, r.instead}, true
		}
	}
	return lifecycle{}, false
}
