package orchestrator

import (
	"iter"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Container is one container of a pod, of whatever sort.
type Container struct {
	*corev1.Container
	Ephemeral bool   // started in a running pod to look into it
	base      string // path of the pod spec within its object
	list      string // "containers", "initContainers", "ephemeralContainers"
	index     int
}

// containers yields all containers of a pod: init containers and sidecars,
// then the containers, then ephemeral ones. Base is the path of the pod spec
// within its object.
func containers(spec *corev1.PodSpec, base string) iter.Seq[Container] {
	return func(yield func(Container) bool) {
		for i := range spec.InitContainers {
			if !yield(Container{Container: &spec.InitContainers[i], base: base, list: "initContainers", index: i}) {
				return
			}
		}
		for i := range spec.Containers {
			if !yield(Container{Container: &spec.Containers[i], base: base, list: "containers", index: i}) {
				return
			}
		}
		for i := range spec.EphemeralContainers {
			c := (*corev1.Container)(&spec.EphemeralContainers[i].EphemeralContainerCommon)
			if !yield(Container{Container: c, base: base, list: "ephemeralContainers", index: i, Ephemeral: true}) {
				return
			}
		}
	}
}

// Path returns where a field of the container lies in its object.
func (c Container) Path(field string) string { return element(c.base+"."+c.list, c.index, field) }

// element returns list[i].field, or list[i] for an empty field.
func element(list string, i int, field string) string {
	s := list + "[" + strconv.Itoa(i) + "]"
	if field != "" {
		s += "." + field
	}
	return s
}

// security returns a container's security context, empty if it has none.
func (c Container) security() *corev1.SecurityContext {
	if c.SecurityContext == nil {
		return &corev1.SecurityContext{}
	}
	return c.SecurityContext
}

// podSecurity returns a pod's security context, empty if it has none.
func podSecurity(spec *corev1.PodSpec) *corev1.PodSecurityContext {
	if spec.SecurityContext == nil {
		return &corev1.PodSecurityContext{}
	}
	return spec.SecurityContext
}

// inherit returns what holds for a container, which its own security context
// decides before the pod's, and where that stands: in the container if neither
// says anything.
func inherit[T any](c Container, own, pod *T, field string) (value *T, path string) {
	if own == nil && pod != nil {
		return pod, c.base + ".securityContext." + field
	}
	return own, c.Path("securityContext." + field)
}

// onWindows reports whether the pod says that it runs on Windows, where Linux
// fields mean nothing.
func onWindows(spec *corev1.PodSpec) bool { return spec.OS != nil && spec.OS.Name == corev1.Windows }

// ownUsers reports whether the pod has a user namespace of its own, in which
// uid 0 is nobody on the node. Unset shares the node's.
func ownUsers(spec *corev1.PodSpec) bool { return isFalse(spec.HostUsers) }

// capability returns the name of a capability without the prefix that the
// kernel's headers have and manifests may.
func capability(c corev1.Capability) string {
	return strings.TrimPrefix(strings.ToUpper(string(c)), "CAP_")
}

func isTrue(b *bool) bool { return b != nil && *b }

func isFalse(b *bool) bool { return b != nil && !*b }
