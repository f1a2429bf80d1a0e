package kube

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/orchestrator"
)

// Dirty is what changes may have made wrong.
type Dirty struct {
	// Objects are those that came, changed or went.
	Objects []Object
	// Subjects have other rights than before: those of bindings that changed, or
	// whose role did.
	Subjects []orchestrator.Subject
	// Namespaces hold something that changed, or have other labels than before,
	// which selectors and admission look at.
	Namespaces []string
	// Coverage are resources that are known now and were not, or the other way.
	Coverage []schema.GroupResource
}

// Object names an object.
type Object struct {
	schema.GroupKind
	Namespace, Name string
}

func (d *Dirty) empty() bool { return len(d.Objects) == 0 && len(d.Coverage) == 0 }

// apply makes a snapshot of an older one and what happened since. The first one
// has no delta.
func apply(old *orchestrator.Snapshot, batch []event, load *orchestrator.LoadOptions, first bool) (next *orchestrator.Snapshot, d Dirty, errs []error) {
	b := old.Edit(load)
	touched := map[Object]bool{}
	for _, e := range batch {
		gk := e.kind.GroupKind()
		if e.list != nil {
			if before := old.Coverage(e.kind.GroupResource(), e.namespace); before.State != e.list.coverage.State {
				d.Coverage = append(d.Coverage, e.kind.GroupResource())
			}
			for m := range old.Names(gk) {
				if e.namespace == "" || m.Namespace == e.namespace {
					touched[Object{gk, m.Namespace, m.Name}] = true
				}
			}
			b.Clear(gk, e.namespace)
			for _, item := range e.list.items {
				if !first {
					touched[nameOf(gk, item)] = true
				}
			}
			for _, err := range take(b, e.kind, e.namespace, e.list) {
				if err != e.list.err { // that was given when the list came
					errs = append(errs, err)
				}
			}
			continue
		}
		o := nameOf(gk, e.object)
		touched[o] = true
		if e.deleted {
			b.Remove(gk, o.Namespace, o.Name)
		} else if err := b.AddJSON(e.object, e.gvk, boltseal.Location{}); err != nil {
			errs = append(errs, err)
		}
	}
	next = b.Snapshot()
	if first {
		return next, Dirty{}, errs
	}
	subjects, namespaces := map[orchestrator.Subject]bool{}, map[string]bool{}
	for o := range touched {
		_, was, had := old.Find(o.GroupKind, o.Namespace, o.Name)
		_, is, has := next.Find(o.GroupKind, o.Namespace, o.Name)
		if had == has && (!has || same(was, is)) {
			continue
		}
		d.Objects = append(d.Objects, o)
		if o.Namespace != "" {
			namespaces[o.Namespace] = true
		}
		if o.GroupKind == (schema.GroupKind{Kind: "Namespace"}) {
			namespaces[o.Name] = true
		}
		for _, s := range []*orchestrator.Snapshot{old, next} {
			affected(s, o, subjects)
		}
	}
	slices.SortFunc(d.Objects, func(x, y Object) int { return compare(x.String(), y.String()) })
	d.Subjects = slices.SortedFunc(maps.Keys(subjects), func(x, y orchestrator.Subject) int { return compare(x.String(), y.String()) })
	d.Namespaces = slices.Sorted(maps.Keys(namespaces))
	return next, d, errs
}

// affected adds the subjects whose rights an object is a part of.
func affected(s *orchestrator.Snapshot, o Object, to map[orchestrator.Subject]bool) {
	if o.Group != rbacv1.GroupName {
		return
	}
	add := func(namespace, name string, ref rbacv1.RoleRef, subjects []rbacv1.Subject) {
		switch {
		case o.Kind == "RoleBinding" && namespace != "" || o.Kind == "ClusterRoleBinding" && namespace == "":
			if namespace != o.Namespace || name != o.Name {
				return
			}
		case o.Kind == ref.Kind && o.Name == ref.Name && (o.Namespace == "" || o.Namespace == namespace):
		default:
			return
		}
		for _, x := range subjects {
			if who, ok := orchestrator.BoundSubject(x, namespace); ok {
				to[who] = true
			}
		}
	}
	for _, it := range s.ClusterRoleBindings {
		add("", it.Name, it.Object.RoleRef, it.Object.Subjects)
	}
	for _, it := range s.RoleBindings {
		add(it.Namespace, it.Name, it.Object.RoleRef, it.Object.Subjects)
	}
}

// String writes kind.group namespace/name.
func (o Object) String() string { return o.GroupKind.String() + " " + o.Namespace + "/" + o.Name }

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func nameOf(gk schema.GroupKind, data json.RawMessage) Object {
	var o struct {
		Metadata struct{ Namespace, Name string } `json:"metadata"`
	}
	if json.Unmarshal(data, &o) != nil {
		return Object{GroupKind: gk} // taking it up says what is wrong
	}
	return Object{gk, o.Metadata.Namespace, o.Metadata.Name}
}

// same reports whether two versions of an object differ in nothing but the
// bookkeeping of the API server.
func same(a, b any) bool {
	x, ok := a.(metav1.Object)
	y, ok2 := b.(metav1.Object)
	if ok && ok2 && x.GetResourceVersion() == y.GetResourceVersion() {
		return true
	}
	return reflect.DeepEqual(a, b)
}
