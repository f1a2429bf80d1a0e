package orchestrator

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// DefaultMinor is the minor version of Kubernetes 1 that this package knows
// best; its rules apply where none is named.
const DefaultMinor = 36

// LoadOptions adjust how a snapshot is read. Nil and the zero value are ready
// to use.
type LoadOptions struct {
	// Complete says that the files hold everything there is, so that what they
	// do not hold does not exist. Without it absence is unknown.
	Complete bool
	// Namespace is that of manifests that name none; default "default".
	Namespace string
	// Minor is the minor version of Kubernetes 1; default [DefaultMinor].
	Minor int

	// DocumentBytes bounds one document, aliases expanded; default 3 MiB, as the
	// API server does. Documents bounds their number; default 100,000. Objects of
	// a List are documents. Depth bounds how deep values nest; default 64.
	// boltseal.Unlimited switches one off.
	DocumentBytes int64
	Documents     int
	Depth         int

	// Keep says which further kinds [Snapshot.Others] keeps with their content.
	Keep func(schema.GroupVersionKind) bool
	// PodTemplateOf finds the pod template in an object of a kind that the
	// snapshot has no list for, or returns nil.
	PodTemplateOf func(*unstructured.Unstructured) *corev1.PodTemplateSpec
	// LastApplied sees the annotation kubectl.kubernetes.io/last-applied-configuration
	// of an object before it is dropped: it repeats the whole object, with the
	// values of a Secret.
	LastApplied func(gvk schema.GroupVersionKind, m Meta, value string)
}
