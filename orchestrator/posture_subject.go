package orchestrator

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/boltseal/boltseal"
)

// ObjectRef names an object.
type ObjectRef struct {
	Group     string `json:"group,omitempty"` // API group, empty for the core
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	// Location is the file, or the API request, that the object came from.
	Location boltseal.Location `json:"location,omitzero"`
}

// String writes kind namespace/name.
func (o ObjectRef) String() string { return objectString(o.Kind, o.Namespace, o.Name) }

func refOf(group, kind string, m *Meta) ObjectRef {
	return ObjectRef{Group: group, Kind: kind, Namespace: m.Namespace, Name: m.Name, Location: m.Location}
}

// subject is one object on its way through the checks.
type subject struct {
	ref      ObjectRef
	resource *schema.GroupResource // of an object on its way in
	meta     *Meta
	object   any
	workload *Workload
	path     string // of the pod's spec in the object
}

// snapshotSubjects lists the objects of a snapshot by kind. Of pods there are
// those that no template stands for.
func snapshotSubjects(s *Snapshot, workloads []*Workload) map[schema.GroupResource][]subject {
	out := map[schema.GroupResource][]subject{}
	for _, w := range workloads {
		r := workloadResource(w)
		out[r] = append(out[r], workloadSubject(w))
	}
	known := map[schema.GroupResource]bool{}
	for _, r := range workloadResources() {
		known[r] = true
	}
	for _, k := range kinds() {
		r := k.GroupResource()
		if known[r] {
			continue
		}
		known[r] = true
		list, ok := k.list(s).(interface{ visit(func(*Meta, any)) })
		if !ok {
			continue
		}
		var subjects []subject
		list.visit(func(m *Meta, o any) {
			subjects = append(subjects, subject{ref: refOf(k.Group, k.Kind.Kind, m), meta: m, object: o})
		})
		out[r] = subjects
	}
	for _, o := range s.Others {
		r := schema.GroupResource{Group: o.Group, Resource: plural(o.Kind)}
		if known[r] {
			continue // POd is no Pod, and no server has it
		}
		out[r] = append(out[r], subject{ref: refOf(o.Group, o.Kind, &o.Meta), meta: &o.Meta, object: o})
	}
	return out
}

func (l *List[T]) visit(f func(*Meta, any)) {
	for _, it := range *l {
		f(&it.Meta, it.Object)
	}
}

func workloadSubject(w *Workload) subject {
	s := subject{ref: refOf(w.Group, w.Kind, &w.Meta), meta: &w.Meta, workload: w}
	if w.Object != nil {
		s.object = w.Object
	}
	switch w.Kind {
	case "Pod":
		s.path = "spec"
	case "CronJob":
		s.path = "spec.jobTemplate.spec.template.spec"
	default:
		s.path = "spec.template.spec"
	}
	return s
}

// workloadResource returns the resource of a workload. Kinds of which only the
// caller knows that they hold a template are judged with the pods.
func workloadResource(w *Workload) schema.GroupResource {
	r := schema.GroupResource{Group: w.Group, Resource: plural(w.Kind)}
	for _, known := range workloadResources() {
		if r == known {
			return r
		}
	}
	return schema.GroupResource{Resource: "pods"}
}

// plural returns the resource of a kind as Kubernetes' own kinds spell it.
func plural(kind string) string {
	name := strings.ToLower(kind)
	switch {
	case strings.HasSuffix(name, "s"), strings.HasSuffix(name, "x"), strings.HasSuffix(name, "ch"):
		return name + "es"
	case strings.HasSuffix(name, "y") && !strings.HasSuffix(name, "ay") && !strings.HasSuffix(name, "ey"):
		return strings.TrimSuffix(name, "y") + "ies"
	}
	return name + "s"
}

// manifests lists every object once, workloads by the object that holds them.
func (r *postureRun) manifests(subjects map[schema.GroupResource][]subject) (lists [][]subject) {
	for _, k := range kinds() {
		lists = append(lists, subjects[k.GroupResource()])
	}
	others := make([]subject, 0, len(r.snap.Others))
	for _, o := range r.snap.Others {
		others = append(others, subject{ref: refOf(o.Group, o.Kind, &o.Meta), meta: &o.Meta, object: o})
	}
	return append(lists, others)
}
