package orchestrator

import (
	"fmt"
	"iter"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/boltseal/boltseal"
)

// Pass is one check on one object: what the check may look at, and where it
// says what it found. It is not safe for concurrent use, and not valid after
// the check returned.
type Pass struct {
	Snapshot *Snapshot // all there is to know of the cluster
	Options  *PostureOptions
	Ref      ObjectRef
	// Object is the typed object: *corev1.Service, *Other, …
	Object any
	// Workload is the pod or template in the object, Spec its spec, and Path
	// where that lies ("spec.template.spec"). They are nil and empty for objects
	// that hold no pod.
	Workload *Workload
	Spec     *corev1.PodSpec
	Path     string

	meta    *Meta
	run     *postureRun
	check   *Check
	fail    []Evidence
	unknown []string
	na      string
}

// Fail says that the object fails at a place. A check may fail at several.
func (p *Pass) Fail(e Evidence) { p.fail = append(p.fail, e) }

// Unknown says that something could not be decided, and why. It gives way to a
// failure found elsewhere in the object.
func (p *Pass) Unknown(format string, args ...any) {
	p.unknown = append(p.unknown, fmt.Sprintf(format, args...))
}

// NotApplicable says that the object has nothing for this check to judge. It
// gives way to everything else.
func (p *Pass) NotApplicable(reason string) { p.na = reason }

// Kind returns the object's kind.
func (p *Pass) Kind() string { return p.Ref.Kind }

// Namespace returns the object's namespace, empty for kinds without one.
func (p *Pass) Namespace() string { return p.Ref.Namespace }

// Missing reports whether one of the resources was not listed in the object's
// namespace, and makes that the reason of an unknown verdict. A check asks
// before it concludes something from an object's absence.
func (p *Pass) Missing(resources ...schema.GroupResource) bool {
	return p.missingIn(p.Ref.Namespace, resources...)
}

func (p *Pass) missingIn(namespace string, resources ...schema.GroupResource) bool {
	if why := p.Snapshot.Missing(namespace, resources...); why != "" {
		p.Unknown("%s", why)
		return true
	}
	return false
}

// Containers yields all containers of the pod.
func (p *Pass) Containers() iter.Seq[Container] { return containers(p.Spec, p.Path) }

func (p *Pass) verdict() boltseal.Verdict {
	switch {
	case len(p.fail) > 0:
		return boltseal.VerdictFail
	case len(p.unknown) > 0:
		return boltseal.VerdictUnknown
	case p.na != "":
		return boltseal.VerdictNotApplicable
	}
	return boltseal.VerdictPass
}

func (p *Pass) result() Result {
	r := Result{Check: p.check, Verdict: p.verdict(), Object: p.Ref, Evidence: p.fail}
	switch r.Verdict {
	case boltseal.VerdictFail:
		parts := make([]string, 0, len(p.fail)+len(p.unknown))
		for _, e := range p.fail {
			parts = append(parts, e.String())
		}
		r.Reason = strings.Join(append(parts, p.unknown...), "; ")
	case boltseal.VerdictUnknown:
		r.Reason = strings.Join(p.unknown, "; ")
	case boltseal.VerdictNotApplicable:
		r.Reason = p.na
	}
	return r
}

// linuxOnly says that the check does not apply to a pod on Windows.
func (p *Pass) linuxOnly() bool {
	if onWindows(p.Spec) {
		p.NotApplicable("the pod runs on Windows, where the field means nothing")
		return true
	}
	return false
}

// sharedUsersOnly says that the check does not apply to a pod with its own user
// namespace.
func (p *Pass) sharedUsersOnly() bool {
	if ownUsers(p.Spec) {
		p.NotApplicable("the pod has a user namespace of its own (hostUsers: false)")
		return true
	}
	return false
}

// mirrorPod says that the check does not apply to the image that a kubelet
// makes of a static pod: it has no service account, and no controller by
// design.
func (p *Pass) mirrorPod() bool {
	if _, ok := p.Workload.Annotations[corev1.MirrorPodAnnotationKey]; ok {
		p.NotApplicable("a static pod, run by the kubelet from a file")
		return true
	}
	return false
}

// running reports whether the object was read from a cluster that runs it.
func (p *Pass) running() bool {
	return !p.run.incoming && (p.Snapshot.Live() || p.Workload.Object != nil && p.Workload.Object.GetUID() != "")
}

// systemDaemon reports whether the pod belongs to a DaemonSet of kube-system.
func (p *Pass) systemDaemon() bool {
	if p.Namespace() != metav1.NamespaceSystem {
		return false
	}
	owner := p.Workload.Owner
	return p.Kind() == "DaemonSet" || owner != nil && owner.Kind == "DaemonSet"
}

// metaPath returns where the metadata of the pods lies in the object.
func (p *Pass) metaPath() string { return strings.TrimSuffix(p.Path, "spec") + "metadata" }
