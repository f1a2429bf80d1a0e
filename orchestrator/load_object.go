package orchestrator

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	sigsjson "sigs.k8s.io/json"

	"github.com/boltseal/boltseal"
)

// header is what every object begins with.
type header struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   metav1.ObjectMeta `json:"metadata"`
}

// addJSON decodes one object that is no List, the way the API server reads
// JSON: field names with their case, unknown fields dropped.
func (b *Builder) addJSON(data []byte, at boltseal.Location) error {
	var h struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := sigsjson.UnmarshalCaseSensitivePreserveInts(data, &h); err != nil {
		return malformed(at, err)
	}
	gv, err := schema.ParseGroupVersion(h.APIVersion)
	if err != nil || h.APIVersion == "" || h.Kind == "" {
		return malformed(at, fmt.Errorf("no object of Kubernetes: apiVersion %q, kind %q", h.APIVersion, h.Kind))
	}
	return b.addKind(gv.WithKind(h.Kind), data, at)
}

func (b *Builder) addKind(gvk schema.GroupVersionKind, data []byte, at boltseal.Location) error {
	k, ok := b.byKind[gvk.GroupKind()]
	if !ok {
		return b.addOther(gvk, data, at)
	}
	if gvk.Kind == "Secret" {
		var s corev1.Secret
		if err := sigsjson.UnmarshalCaseSensitivePreserveInts(data, &s); err != nil {
			return malformed(at, redactDecode(err))
		}
		return b.keep(k, shrinkSecret(&s), at)
	}
	o := k.list(b.snap).newObject()
	if err := sigsjson.UnmarshalCaseSensitivePreserveInts(data, o); err != nil {
		return malformed(at, err)
	}
	return b.keep(k, o, at)
}

func malformed(at boltseal.Location, err error) error {
	return &boltseal.Error{Op: "load", Location: at, Err: fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)}
}

// keep puts a decoded object into its list.
func (b *Builder) keep(k kind, o metav1.Object, at boltseal.Location) error {
	m, err := b.meta(k.GroupVersionKind, k.Namespaced, o, at)
	if err != nil {
		return err
	}
	k.list(b.snap).add(m, o)
	return nil
}

// meta names an object, and drops from it what nobody reads.
func (b *Builder) meta(gvk schema.GroupVersionKind, namespaced bool, o metav1.Object, at boltseal.Location) (Meta, error) {
	m := Meta{Namespace: o.GetNamespace(), Name: o.GetName(), Location: at}
	if m.Name == "" {
		m.Name = o.GetGenerateName()
	}
	if m.Name == "" {
		return m, malformed(at, fmt.Errorf("%s without metadata.name", gvk.Kind))
	}
	switch {
	case !namespaced:
		m.Namespace = ""
	case m.Namespace == "":
		m.Namespace, m.AssumedNamespace = b.opt.Namespace, true
	}
	o.SetNamespace(m.Namespace)
	o.SetManagedFields(nil)
	if a := o.GetAnnotations(); a != nil {
		m.Hook = a["helm.sh/hook"]
		if v, ok := a[corev1.LastAppliedConfigAnnotation]; ok {
			if b.opt.LastApplied != nil {
				b.opt.LastApplied(gvk, m, v)
			}
			delete(a, corev1.LastAppliedConfigAnnotation)
		}
	}
	return m, nil
}

func (b *Builder) addOther(gvk schema.GroupVersionKind, data []byte, at boltseal.Location) error {
	var h header
	if err := sigsjson.UnmarshalCaseSensitivePreserveInts(data, &h); err != nil {
		return malformed(at, err)
	}
	o := &Other{GroupVersionKind: gvk, Labels: h.Metadata.Labels}
	o.Meta = Meta{Namespace: h.Metadata.Namespace, Name: h.Metadata.Name, Location: at}
	b.snap.Others = append(b.snap.Others, o)
	return nil
}

// shrinkSecret keeps the names and the lengths of a Secret's values.
func shrinkSecret(s *corev1.Secret) *Secret {
	out := &Secret{ObjectMeta: s.ObjectMeta, Type: s.Type, Immutable: s.Immutable != nil && *s.Immutable}
	sizes := map[string]int{}
	for k, v := range s.Data {
		sizes[k] = len(v)
	}
	for k, v := range s.StringData {
		sizes[k] = len(v)
	}
	for k, n := range sizes {
		out.Keys = append(out.Keys, SecretKey{Name: k, Bytes: n})
	}
	slices.SortFunc(out.Keys, func(a, b SecretKey) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// redactDecode keeps the place of a decoding error and leaves out the value.
func redactDecode(err error) error {
	if strings.Contains(err.Error(), "base64") {
		return fmt.Errorf("a value of data is not base64")
	}
	return fmt.Errorf("a field has the wrong type")
}

var _ = base64.StdEncoding

func (b *Builder) note(at boltseal.Location, text string) {
	b.snap.Skipped = append(b.snap.Skipped, boltseal.Skip{Path: at.String(), Reason: text, Note: true})
}

func compareSkips(a, b boltseal.Skip) int {
	return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Reason, b.Reason))
}
