package orchestrator

import (
	"iter"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Workload is something that runs containers: a controller with its template,
// or a pod.
type Workload struct {
	Meta
	Kind  string // Deployment, Pod, …
	Group string // API group, empty for the core
	// Labels and Annotations are those of the pods.
	Labels      map[string]string
	Annotations map[string]string
	Spec        *corev1.PodSpec
	// Owner is the controller that made the object, or nil.
	Owner *metav1.OwnerReference
	// Object is the pod or controller, nil for one of [Snapshot.Others].
	Object metav1.Object
}

// Live reports whether this is a pod rather than the template of pods to come.
func (w *Workload) Live() bool { return w.Kind == "Pod" && w.Group == "" }

// ServiceAccount returns the account that the pods run as: "default" where
// none is named.
func (w *Workload) ServiceAccount() Subject {
	name := w.Spec.ServiceAccountName
	if name == "" {
		name = w.Spec.DeprecatedServiceAccount
	}
	if name == "" {
		name = "default"
	}
	return ServiceAccount(w.Namespace, name)
}

// String writes kind namespace/name.
func (w *Workload) String() string { return objectString(w.Kind, w.Namespace, w.Name) }

// Containers yields every container of a pod with the path of its field:
// "initContainers[0]". Ephemeral containers are given as containers.
func Containers(spec *corev1.PodSpec) iter.Seq2[string, *corev1.Container] {
	return func(yield func(string, *corev1.Container) bool) {
		for i := range spec.InitContainers {
			if !yield(index("initContainers", i), &spec.InitContainers[i]) {
				return
			}
		}
		for i := range spec.Containers {
			if !yield(index("containers", i), &spec.Containers[i]) {
				return
			}
		}
		for i := range spec.EphemeralContainers {
			c := corev1.Container(spec.EphemeralContainers[i].EphemeralContainerCommon)
			if !yield(index("ephemeralContainers", i), &c) {
				return
			}
		}
	}
}

func index(field string, i int) string { return field + "[" + strconv.Itoa(i) + "]" }

// Workloads yields everything that runs containers, once: a ReplicaSet or Job
// whose controller is in the snapshot stands for itself no more, nor does a pod
// that is as its controller's template says. A pod that differs is given
// beside its controller.
func (s *Snapshot) Workloads() iter.Seq[Workload] {
	return func(yield func(Workload) bool) {
		for _, it := range s.Deployments {
			if !yield(templated("apps", "Deployment", it.Meta, it.Object, &it.Object.Spec.Template)) {
				return
			}
		}
		for _, it := range s.ReplicaSets {
			if s.owner(it.Namespace, it.Object) == nil && !yield(templated("apps", "ReplicaSet", it.Meta, it.Object, &it.Object.Spec.Template)) {
				return
			}
		}
		for _, it := range s.DaemonSets {
			if !yield(templated("apps", "DaemonSet", it.Meta, it.Object, &it.Object.Spec.Template)) {
				return
			}
		}
		for _, it := range s.StatefulSets {
			if !yield(templated("apps", "StatefulSet", it.Meta, it.Object, &it.Object.Spec.Template)) {
				return
			}
		}
		for _, it := range s.CronJobs {
			if !yield(templated("batch", "CronJob", it.Meta, it.Object, &it.Object.Spec.JobTemplate.Spec.Template)) {
				return
			}
		}
		for _, it := range s.Jobs {
			if s.owner(it.Namespace, it.Object) == nil && !yield(templated("batch", "Job", it.Meta, it.Object, &it.Object.Spec.Template)) {
				return
			}
		}
		for _, it := range s.ReplicationControllers {
			if it.Object.Spec.Template != nil && !yield(templated("", "ReplicationController", it.Meta, it.Object, it.Object.Spec.Template)) {
				return
			}
		}
		for _, it := range s.Pods {
			if t := s.owner(it.Namespace, it.Object); t != nil && samePod(&t.Spec, &it.Object.Spec) {
				continue
			}
			if !yield(Workload{Meta: it.Meta, Kind: "Pod", Labels: it.Object.Labels, Annotations: it.Object.Annotations, Spec: &it.Object.Spec,
				Owner: metav1.GetControllerOf(it.Object), Object: it.Object}) {
				return
			}
		}
		for _, o := range s.Others {
			if o.Template != nil && !yield(templated(o.Group, o.Kind, o.Meta, nil, o.Template)) {
				return
			}
		}
	}
}

func templated(group, kind string, m Meta, o metav1.Object, t *corev1.PodTemplateSpec) Workload {
	w := Workload{Meta: m, Kind: kind, Group: group, Labels: t.Labels, Annotations: t.Annotations, Spec: &t.Spec, Object: o}
	if o != nil {
		w.Owner = metav1.GetControllerOfNoCopy(o)
	}
	return w
}

// owner returns the template of the outermost controller of an object that the
// snapshot holds, or nil.
func (s *Snapshot) owner(namespace string, o metav1.Object) (t *corev1.PodTemplateSpec) {
	ref := metav1.GetControllerOfNoCopy(o)
	if ref == nil {
		return nil
	}
	switch ref.Kind {
	case "Deployment":
		if it := s.Deployments.Get(namespace, ref.Name); it != nil {
			return &it.Object.Spec.Template
		}
	case "ReplicaSet":
		if it := s.ReplicaSets.Get(namespace, ref.Name); it != nil {
			if up := s.owner(namespace, ownedBy(it.Object, "Deployment")); up != nil {
				return up
			}
			return &it.Object.Spec.Template
		}
	case "DaemonSet":
		if it := s.DaemonSets.Get(namespace, ref.Name); it != nil {
			return &it.Object.Spec.Template
		}
	case "StatefulSet":
		if it := s.StatefulSets.Get(namespace, ref.Name); it != nil {
			return &it.Object.Spec.Template
		}
	case "CronJob":
		if it := s.CronJobs.Get(namespace, ref.Name); it != nil {
			return &it.Object.Spec.JobTemplate.Spec.Template
		}
	case "Job":
		if it := s.Jobs.Get(namespace, ref.Name); it != nil {
			if up := s.owner(namespace, ownedBy(it.Object, "CronJob")); up != nil {
				return up
			}
			return &it.Object.Spec.Template
		}
	case "ReplicationController":
		if it := s.ReplicationControllers.Get(namespace, ref.Name); it != nil {
			return it.Object.Spec.Template
		}
	}
	return nil
}

// ownedBy returns the object if its controller is of the kind, else one without
// owner: objects that claim to own each other end the walk.
func ownedBy(o metav1.Object, kind string) metav1.Object {
	if ref := metav1.GetControllerOfNoCopy(o); ref != nil && ref.Kind == kind {
		return o
	}
	return &metav1.ObjectMeta{}
}
