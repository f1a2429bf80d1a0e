package kubetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

// Apply creates objects from YAML as the administrator, in their order. Ones
// that exist are replaced.
func (c *Cluster) Apply(t testing.TB, manifests string) {
	t.Helper()
	for _, doc := range Documents(t, manifests) {
		if err := Create(c.Config, doc); err != nil {
			t.Fatalf("%s %s: %v", doc.GetKind(), doc.GetName(), err)
		}
	}
}

// Documents decodes a YAML stream.
func Documents(t testing.TB, manifests string) []*unstructured.Unstructured {
	t.Helper()
	list, err := Decode(manifests)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Decode decodes a YAML stream.
func Decode(manifests string) (list []*unstructured.Unstructured, err error) {
	for _, doc := range strings.Split("\n"+manifests, "\n---") {
		data, err := yaml.YAMLToJSON([]byte(doc))
		if err != nil {
			return nil, fmt.Errorf("%w in\n%s", err, doc)
		}
		if bytes.Equal(data, []byte("null")) {
			continue
		}
		u := &unstructured.Unstructured{}
		if err := json.Unmarshal(data, &u.Object); err != nil {
			return nil, err
		}
		list = append(list, u)
	}
	return list, nil
}

// Create creates one object with somebody's configuration, or replaces it where
// it exists. The error is the API server's own.
func Create(conf *rest.Config, u *unstructured.Unstructured) error {
	r, err := resource(conf, u)
	if err != nil {
		return err
	}
	ctx := context.Background()
	_, err = r.Create(ctx, u, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		var old *unstructured.Unstructured
		if old, err = r.Get(ctx, u.GetName(), metav1.GetOptions{}); err != nil {
			return err
		}
		u.SetResourceVersion(old.GetResourceVersion())
		_, err = r.Update(ctx, u, metav1.UpdateOptions{})
	}
	return err
}

// DryRun has the API server admit an object without storing it.
func DryRun(conf *rest.Config, u *unstructured.Unstructured) error {
	r, err := resource(conf, u)
	if err != nil {
		return err
	}
	_, err = r.Create(context.Background(), u, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	return err
}

// resource returns the client of an object's kind.
func resource(conf *rest.Config, u *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	gvk := u.GroupVersionKind()
	admin := rest.CopyConfig(conf)
	admin.BearerToken = "token-of-admin"
	mapping, err := mappings.of(admin, gvk.GroupKind(), gvk.Version)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", gvk, err)
	}
	d, err := dynamic.NewForConfig(conf)
	if err != nil {
		return nil, err
	}
	if mapping.Scope.Name() == "namespace" {
		ns := u.GetNamespace()
		if ns == "" {
			ns = "default"
		}
		return d.Resource(mapping.Resource).Namespace(ns), nil
	}
	return d.Resource(mapping.Resource), nil
}
