package orchestrator

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/boltseal/boltseal"
)

// keep puts a decoded object into its list.
func (b *Builder) keep(k kind, gvk schema.GroupVersionKind, o metav1.Object, at boltseal.Location) error {
	m, err := b.meta(gvk, k.Namespaced, o, at)
	if err != nil {
		return err
	}
	if t, ok := o.(interface {
		SetGroupVersionKind(schema.GroupVersionKind)
	}); ok {
		t.SetGroupVersionKind(gvk)
	}
	if b.snap.live && m.Location.Path == "" {
		m.Location.Path = apiPath(gvk, k.Resource, m)
	}
	k.list(b.snap).add(m, o)
	return nil
}

// apiPath returns the path of an object in the API, without leading slash.
func apiPath(gvk schema.GroupVersionKind, resource string, m Meta) string {
	path := "api/" + gvk.Version
	if gvk.Group != "" {
		path = "apis/" + gvk.Group + "/" + gvk.Version
	}
	if m.Namespace != "" {
		path += "/namespaces/" + m.Namespace
	}
	return path + "/" + resource + "/" + m.Name
}

// meta names an object, and drops from it what nobody reads.
func (b *Builder) meta(gvk schema.GroupVersionKind, namespaced bool, o metav1.Object, at boltseal.Location) (Meta, error) {
	m := Meta{Namespace: o.GetNamespace(), Name: o.GetName(), Location: at}
	if m.Name == "" {
		m.Name = o.GetGenerateName()
	}
	if m.Name == "" {
		return m, errors.New("metadata.name is missing")
	}
	if strings.Contains(m.Name, "{{") || strings.Contains(m.Namespace, "{{") {
		return m, fmt.Errorf("name %q is a template: render it first (helm template, kustomize build)", shorten(m.Name))
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

// addOther takes up an object of a kind that has no list.
func (b *Builder) addOther(gvk schema.GroupVersionKind, data []byte, at boltseal.Location) error {
	var content map[string]any
	var h struct {
		metav1.TypeMeta
		Metadata metav1.ObjectMeta `json:"metadata"`
	}
	if err := decodeJSON(data, &h); err != nil {
		b.unread("an object was malformed")
		return malformed(at, fmt.Errorf("%s: %w", shorten(gvk.Kind), err))
	}
	o := &Other{GroupVersionKind: gvk, Labels: h.Metadata.Labels}
	o.Meta = Meta{Namespace: h.Metadata.Namespace, Name: h.Metadata.Name, Location: at, Hook: h.Metadata.Annotations["helm.sh/hook"]}
	keep := gvk.Group == "gateway.networking.k8s.io" || gvk.Group == "kubelet.config.k8s.io" || b.opt.Keep != nil && b.opt.Keep(gvk)
	if keep || b.opt.PodTemplateOf != nil {
		if err := decodeJSON(data, &content); err != nil {
			b.unread("an object was malformed")
			return malformed(at, fmt.Errorf("%s: %w", shorten(gvk.Kind), err))
		}
	}
	if b.opt.PodTemplateOf != nil {
		o.Template = b.opt.PodTemplateOf((&unstructured.Unstructured{Object: content}).DeepCopy())
	}
	if keep {
		o.Content = content
	}
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
	for k, v := range s.StringData { // wins over data
		sizes[k] = len(v)
	}
	for k, n := range sizes {
		out.Keys = append(out.Keys, SecretKey{Name: k, Bytes: n})
	}
	slices.SortFunc(out.Keys, func(a, b SecretKey) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// skip reports something that was not looked at.
func (b *Builder) skip(at boltseal.Location, why string) {
	b.snap.Skipped = append(b.snap.Skipped, boltseal.Skip{Path: at.String(), Reason: why})
}

// maxNotes bounds the remarks that are kept one by one.
const maxNotes = 10_000

// note reports a remark that leaves nothing unread.
func (b *Builder) note(at boltseal.Location, text string) {
	if b.notes++; b.notes > maxNotes {
		return
	}
	b.snap.Skipped = append(b.snap.Skipped, boltseal.Skip{Path: at.String(), Reason: text, Note: true})
}

func compareSkips(a, b boltseal.Skip) int {
	return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Reason, b.Reason))
}
