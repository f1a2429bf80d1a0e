package orchestrator

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func (l *List[T]) newObject() metav1.Object {
	o, _ := any(new(T)).(metav1.Object) // every listed type embeds ObjectMeta
	return o
}

func (l *List[T]) add(m Meta, o any) bool {
	t, ok := o.(*T)
	if ok {
		*l = append(*l, &Item[T]{Meta: m, Object: t})
	}
	return ok
}

func (l *List[T]) sort(replaced func(old, new Meta)) {
	slices.SortStableFunc(*l, func(a, b *Item[T]) int {
		if c := strings.Compare(a.Namespace, b.Namespace); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	kept := (*l)[:0]
	for _, it := range *l {
		if n := len(kept); n > 0 && kept[n-1].Namespace == it.Namespace && kept[n-1].Name == it.Name {
			replaced(kept[n-1].Meta, it.Meta)
			kept[n-1] = it
			continue
		}
		kept = append(kept, it)
	}
	clear((*l)[len(kept):])
	*l = slices.Clip(kept)
}

func (l *List[T]) find(namespace, name string) (Meta, any, bool) {
	if it := l.Get(namespace, name); it != nil {
		return it.Meta, it.Object, true
	}
	return Meta{}, nil, false
}

func (l *List[T]) each(yield func(Meta) bool) {
	for _, it := range *l {
		if !yield(it.Meta) {
			return
		}
	}
}
