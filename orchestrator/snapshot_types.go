package orchestrator

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Secret is what is kept of a Secret: its values are dropped while it is read.
type Secret struct {
	metav1.ObjectMeta
	Type      corev1.SecretType
	Immutable bool
	Keys      []SecretKey // of data and stringData together, sorted by name
}

// SecretKey is one entry of a Secret.
type SecretKey struct {
	Name  string
	Bytes int // length of the value, decoded
}

// CustomResourceDefinition is what is kept of one: its names and how its
// versions are converted. Schemas are dropped.
type CustomResourceDefinition struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              CustomResourceDefinitionSpec `json:"spec"`
}

// CustomResourceDefinitionSpec is a part of the field spec.
type CustomResourceDefinitionSpec struct {
	Group string `json:"group"`
	Names struct {
		Plural string `json:"plural"`
		Kind   string `json:"kind"`
	} `json:"names"`
	Scope      string              `json:"scope"` // Namespaced or Cluster
	Conversion *ResourceConversion `json:"conversion,omitempty"`
}

// ResourceConversion says who converts between the versions of a custom
// resource.
type ResourceConversion struct {
	Strategy string `json:"strategy"` // None or Webhook
	Webhook  *struct {
		ClientConfig *ServiceTarget `json:"clientConfig,omitempty"`
	} `json:"webhook,omitempty"`
}

// ServiceTarget is where the API server calls out to: a Service, or a URL.
type ServiceTarget struct {
	URL      *string           `json:"url,omitempty"`
	Service  *ServiceReference `json:"service,omitempty"`
	CABundle []byte            `json:"caBundle,omitempty"`
}

// ServiceReference names a Service and a port of it.
type ServiceReference struct {
	Namespace string  `json:"namespace"`
	Name      string  `json:"name"`
	Path      *string `json:"path,omitempty"`
	Port      *int32  `json:"port,omitempty"`
}

// APIService says who serves a group of the API.
type APIService struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              APIServiceSpec `json:"spec"`
}

// APIServiceSpec is the field spec. Without Service the API server serves the
// group itself.
type APIServiceSpec struct {
	Service               *ServiceReference `json:"service,omitempty"`
	Group                 string            `json:"group"`
	Version               string            `json:"version"`
	InsecureSkipTLSVerify bool              `json:"insecureSkipTLSVerify,omitempty"`
	CABundle              []byte            `json:"caBundle,omitempty"`
}

// Other is an object of a kind that [Snapshot] has no list for.
type Other struct {
	Meta
	schema.GroupVersionKind
	Labels map[string]string
	// Template is what the caller's [LoadOptions.PodTemplateOf] found in it.
	Template *corev1.PodTemplateSpec
	// Content is the whole document, as JSON decodes it, for the kinds of group
	// gateway.networking.k8s.io, for KubeletConfiguration, and for what
	// [LoadOptions.Keep] asks for; else nil.
	Content map[string]any
}
