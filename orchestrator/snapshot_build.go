package orchestrator

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/boltseal/boltseal"
)

// Builder collects objects into a [Snapshot]. It is not safe for concurrent
// use.
type Builder struct {
	opt    LoadOptions
	snap   *Snapshot
	byKind map[schema.GroupKind]kind
	byType map[reflect.Type]kind
}

// NewBuilder returns an empty builder.
func NewBuilder(opt *LoadOptions) *Builder {
	b := &Builder{snap: &Snapshot{coverage: map[coverageKey]Coverage{}}, byKind: map[schema.GroupKind]kind{}, byType: map[reflect.Type]kind{}}
	if opt != nil {
		b.opt = *opt
	}
	if b.opt.Minor == 0 {
		b.opt.Minor = DefaultMinor
	}
	if b.opt.Namespace == "" {
		b.opt.Namespace = "default"
	}
	b.snap.Minor, b.snap.complete = b.opt.Minor, b.opt.Complete
	for _, k := range kinds() {
		b.byKind[k.GroupKind()] = k
		b.byType[reflect.TypeOf(k.list(b.snap).newObject())] = k
	}
	return b
}

// Live says that the objects come from a running cluster: roles that it does
// not show do not exist, and aggregated ones are as they are stored.
func (b *Builder) Live() { b.snap.live = true }

// Cover records what is known of a resource in a namespace; empty is the whole
// cluster.
func (b *Builder) Cover(r schema.GroupResource, namespace string, c Coverage) {
	b.snap.coverage[coverageKey{r, namespace}] = c
}

// Add takes an object. Its type may be any that [Snapshot] lists, core's
// Secret, an unstructured object, or another one with its kind set. The object
// belongs to the builder from then on.
func (b *Builder) Add(o runtime.Object, at boltseal.Location) error {
	if s, ok := o.(*corev1.Secret); ok {
		return b.keep(b.byKind[schema.GroupKind{Kind: "Secret"}], shrinkSecret(s), at)
	}
	if k, ok := b.byType[reflect.TypeOf(o)]; ok {
		return b.keep(k, o.(metav1.Object), at)
	}
	data, err := json.Marshal(o)
	if err != nil {
		return &boltseal.Error{Op: "add object", Location: at, Err: fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)}
	}
	return b.addJSON(data, at)
}

// Snapshot finishes what was collected. The builder must not be used after.
func (b *Builder) Snapshot() *Snapshot {
	for _, k := range b.byKind {
		k.list(b.snap).sort(func(old, new Meta) {
			b.note(new.Location, fmt.Sprintf("%s: given twice, also at %s: the last counts", objectString(k.Kind.Kind, new.Namespace, new.Name), old.Location))
		})
	}
	slices.SortStableFunc(b.snap.Skipped, func(x, y boltseal.Skip) int { return compareSkips(x, y) })
	return b.snap
}

// FromObjects makes a snapshot of objects that are at hand, such as those of
// informers. What it could not take is in the error; the rest is in the
// snapshot.
func FromObjects(objects iter.Seq[runtime.Object], opt *LoadOptions) (*Snapshot, error) {
	b := NewBuilder(opt)
	var errs []error
	for o := range objects {
		if err := b.Add(o, boltseal.Location{}); err != nil {
			errs = append(errs, err)
		}
	}
	return b.Snapshot(), errors.Join(errs...)
}
