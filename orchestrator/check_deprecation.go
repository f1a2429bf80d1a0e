package orchestrator

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/boltseal/boltseal"
)

// deprecationChecks is the family D: versions of the API that go, or are gone.
func deprecationChecks() []*Check {
	return []*Check{{
		ID: "D01", Title: "API version removed", Severity: boltseal.SeverityHigh, Source: "Kubernetes deprecated API migration guide", of: "manifest",
		Doc: "A cluster of the target version refuses the manifest.",
		Fix: "Write the manifest in the version that the evidence names.",
		Judge: func(p *Pass) {
			gvk, life, ok := p.lifecycle()
			if ok && p.target() >= life.removed && life.removed > 0 {
				p.Fail(Evidence{Path: "apiVersion", Value: gvk.GroupVersion().String(), Detail: life.String()})
			}
		},
	}, {
		ID: "D02", Title: "API version deprecated", Severity: boltseal.SeverityLow, Source: "Kubernetes deprecated API migration guide", of: "manifest",
		Doc: "The version still works and will be removed.",
		Fix: "Write the manifest in the version that the evidence names.",
		Judge: func(p *Pass) {
			gvk, life, ok := p.lifecycle()
			if ok && p.target() >= life.deprecated && (life.removed == 0 || p.target() < life.removed) {
				p.Fail(Evidence{Path: "apiVersion", Value: gvk.GroupVersion().String(), Detail: life.String()})
			}
		},
	}}
}

// target returns the minor version that D01 and D02 look to.
func (p *Pass) target() int {
	if p.Options.TargetMinor > 0 {
		return p.Options.TargetMinor
	}
	return p.Snapshot.Minor
}

// lifecycle returns what is known of the version in which the object was
// written. A cluster converts on reading: only manifests tell. An object whose
// manifest does not say its version is in the one that the list keeps.
func (p *Pass) lifecycle() (schema.GroupVersionKind, lifecycle, bool) {
	if p.Snapshot.Live() {
		p.NotApplicable("a cluster shows every object in the version that it was asked for")
		return schema.GroupVersionKind{}, lifecycle{}, false
	}
	var gvk schema.GroupVersionKind
	switch o := p.Object.(type) {
	case *Other:
		gvk = o.GroupVersionKind
	case runtime.Object:
		gvk = o.GetObjectKind().GroupVersionKind()
	}
	if gvk.Empty() {
		p.NotApplicable("the object does not say its version")
		return gvk, lifecycle{}, false
	}
	life, ok := lifecycles(gvk)
	return gvk, life, ok
}

// lifecycle says in which minor versions of Kubernetes 1 a version of a kind
// was deprecated and removed, and what stands in its place.
type lifecycle struct {
	deprecated, removed int
	instead             string
}

// String writes the life of a version in words.
func (l lifecycle) String() string {
	s := fmt.Sprintf("deprecated in 1.%d", l.deprecated)
	if l.removed > 0 {
		s += fmt.Sprintf(", removed in 1.%d", l.removed)
	}
	if l.instead != "" {
		s += "; use " + l.instead
	}
	return s
}
