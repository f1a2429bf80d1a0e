package orchestrator

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
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

	documents int
	full      bool // the limit of documents is reached
	notes     int
}

// NewBuilder returns an empty builder.
func NewBuilder(opt *LoadOptions) *Builder {
	b := &Builder{snap: &Snapshot{coverage: map[coverageKey]Coverage{}}, byKind: kindTable(), byType: map[reflect.Type]kind{}}
	if opt != nil {
		b.opt = *opt
	}
	if b.opt.Minor == 0 {
		b.opt.Minor = DefaultMinor
	}
	if b.opt.Namespace == "" {
		b.opt.Namespace = "default"
	}
	defaultInt(&b.opt.DocumentBytes, 3<<20)
	defaultInt(&b.opt.Documents, 100_000)
	defaultInt(&b.opt.Depth, 64)
	b.snap.Minor, b.snap.complete = b.opt.Minor, b.opt.Complete
	for _, k := range b.byKind {
		b.byType[reflect.TypeOf(k.list(b.snap).newObject())] = k
	}
	return b
}

// defaultInt sets a limit that is zero, and lifts one that is Unlimited.
func defaultInt[T int | int64](limit *T, value T) {
	switch {
	case *limit == 0:
		*limit = value
	case *limit < 0:
		*limit = math.MaxInt32
	}
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
		return b.keepAt(b.byKind[schema.GroupKind{Kind: "Secret"}], shrinkSecret(s), at)
	}
	if k, ok := b.byType[reflect.TypeOf(o)]; ok {
		return b.keepAt(k, o.(metav1.Object), at)
	}
	data, err := json.Marshal(o)
	if err != nil {
		return &boltseal.Error{Op: "add object", Location: at, Err: fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)}
	}
	return errors.Join(b.addAny(data, o.GetObjectKind().GroupVersionKind(), at, 0)...)
}

func (b *Builder) keepAt(k kind, o metav1.Object, at boltseal.Location) error {
	if err := b.keep(k, k.GroupVersionKind, o, at); err != nil {
		return malformed(at, fmt.Errorf("%s: %w", k.Kind.Kind, err))
	}
	return nil
}

// AddJSON takes one object or List as JSON. The kind counts where the object
// itself names none, as those in lists of the API do.
func (b *Builder) AddJSON(data []byte, kind schema.GroupVersionKind, at boltseal.Location) error {
	return errors.Join(b.addAny(data, kind, at, 0)...)
}

// Snapshot finishes what was collected. The builder must not be used after.
func (b *Builder) Snapshot() *Snapshot {
	for _, k := range b.byKind {
		k.list(b.snap).sort(func(old, new Meta) {
			if b.snap.live {
				return // an object changed
			}
			b.note(new.Location, fmt.Sprintf("%s: given twice, also at %s: the last counts", objectString(k.Kind.Kind, new.Namespace, new.Name), old.Location))
		})
	}
	b.sortOthers()
	if b.notes > maxNotes {
		b.snap.Skipped = append(b.snap.Skipped, boltseal.Skip{Reason: fmt.Sprintf("%d further remarks", b.notes-maxNotes), Note: true})
	}
	slices.SortStableFunc(b.snap.Skipped, func(x, y boltseal.Skip) int { return compareSkips(x, y) })
	return b.snap
}

// sortOthers brings the objects of other kinds in order and drops all but the
// last of each name.
func (b *Builder) sortOthers() {
	slices.SortStableFunc(b.snap.Others, compareOthers)
	var kept []*Other
	for _, o := range b.snap.Others {
		if n := len(kept); n > 0 && o.Name != "" && compareOthers(kept[n-1], o) == 0 {
			if !b.snap.live {
				b.note(o.Location, fmt.Sprintf("%s: given twice, also at %s: the last counts", objectString(o.Kind, o.Namespace, o.Name), kept[n-1].Location))
			}
			kept[n-1] = o
			continue
		}
		kept = append(kept, o)
	}
	b.snap.Others = kept
}

func compareOthers(x, y *Other) int {
	return cmp.Or(cmp.Compare(x.Group, y.Group), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Namespace, y.Namespace), cmp.Compare(x.Name, y.Name))
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
