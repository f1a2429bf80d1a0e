package orchestrator

import (
	"iter"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Edit returns a builder that begins with what the snapshot holds: objects
// added to it replace those of the same name. The snapshot itself stays as it
// is.
func (s *Snapshot) Edit(opt *LoadOptions) *Builder {
	b := NewBuilder(opt)
	copied := *s
	copied.coverage = maps.Clone(s.coverage)
	copied.Others = slices.Clone(s.Others)
	copied.Skipped = slices.Clone(s.Skipped)
	for _, k := range kindTable() {
		k.list(&copied).clone()
	}
	b.snap = &copied
	return b
}

// Remove takes an object out; the kind is in any version.
func (b *Builder) Remove(kind schema.GroupKind, namespace, name string) {
	if k, ok := b.byKind[kind]; ok {
		k.list(b.snap).remove(namespace, name)
		return
	}
	b.snap.Others = slices.DeleteFunc(b.snap.Others, func(o *Other) bool {
		return o.GroupKind() == kind && o.Namespace == namespace && o.Name == name
	})
}

// Clear takes all objects of a kind out, those of one namespace or, if it is
// empty, of all.
func (b *Builder) Clear(kind schema.GroupKind, namespace string) {
	if k, ok := b.byKind[kind]; ok {
		k.list(b.snap).clear(namespace)
		return
	}
	b.snap.Others = slices.DeleteFunc(b.snap.Others, func(o *Other) bool {
		return o.GroupKind() == kind && (namespace == "" || o.Namespace == namespace)
	})
}

// Find returns an object by its kind, in any version, and name: a pointer to the
// type that the kind's list holds, or an [*Other].
func (s *Snapshot) Find(kind schema.GroupKind, namespace, name string) (m Meta, object any, ok bool) {
	if k, ok := kindTable()[kind]; ok {
		return k.list(s).find(namespace, name)
	}
	at := &Other{GroupVersionKind: kind.WithVersion(""), Meta: Meta{Namespace: namespace, Name: name}}
	i, ok := slices.BinarySearchFunc(s.Others, at, compareOthers)
	if !ok {
		return Meta{}, nil, false
	}
	return s.Others[i].Meta, s.Others[i], true
}

// Names yields where the objects of a kind are.
func (s *Snapshot) Names(kind schema.GroupKind) iter.Seq[Meta] {
	if k, ok := kindTable()[kind]; ok {
		return k.list(s).each
	}
	return func(yield func(Meta) bool) {
		for _, o := range s.Others {
			if o.GroupKind() == kind && !yield(o.Meta) {
				return
			}
		}
	}
}

func (l *List[T]) clone() { *l = slices.Clone(*l) }

func (l *List[T]) remove(namespace, name string) {
	*l = slices.DeleteFunc(*l, func(it *Item[T]) bool { return it.Namespace == namespace && it.Name == name })
}

func (l *List[T]) clear(namespace string) {
	*l = slices.DeleteFunc(*l, func(it *Item[T]) bool { return namespace == "" || it.Namespace == namespace })
}
