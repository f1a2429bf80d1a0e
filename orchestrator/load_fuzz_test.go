package orchestrator

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"sigs.k8s.io/yaml"
)

// FuzzLoad feeds arbitrary streams: no panic, no hang, and every object it
// yields has a name and a place.
func FuzzLoad(f *testing.F) {
	for _, s := range []string{
		pod("x"), "---\n# Source: a/b.yaml\n" + pod("x") + "---\n" + pod("z"),
		"apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: x}\nkind: List\n",
		"apiVersion: v1\nitems:\n  - metadata: {name: x}\nkind: PodList\n",
		`{"kind":"List","apiVersion":"v1","items":[{"apiVersion":"v1","kind":"Secret","metadata":{"name":"x"},"data":{"a":"aGk="}}]}`,
		`{"items":[{"metadata":{"name":"x"}},1,"]",[]],"kind":"PodList","apiVersion":"v1"}{"a":"\"{"}` + "\n---\n",
		"a: &a [*a, *a]\nb: {<<: *a}\n", "? [a]\n: b\n", "%YAML 1.1\n---\na: !!binary aGk=\n", "\xff\xfe", "{{- if x }}\n", "a: 'b\nitems:\n- c'\n",
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {generateName: x}\nspec: {replicas: 1e3, template: {spec: {containers: [{resources: {limits: {cpu: 1e9999999}}}]}}}\n",
		"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a, labels: {x: y}}\naggregationRule: {clusterRoleSelectors: [{matchLabels: {x: y}}]}\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		s, _ := Read(context.Background(), bytes.NewReader(data), "f", &LoadOptions{DocumentBytes: 4096, Documents: 100})
		for _, it := range s.Pods {
			if it.Name == "" || it.Namespace == "" || it.Location.Line == 0 {
				t.Fatalf("%+v", it.Meta)
			}
		}
		for w := range s.Workloads() {
			if w.Spec == nil {
				t.Fatalf("%v without spec", w)
			}
		}
		NewAccess(s)
	})
}

// FuzzYAML compares with the library beneath kubectl: what both accept is the
// same value.
func FuzzYAML(f *testing.F) {
	for _, s := range []string{"a: yes\nb: 0644\nc: [1, 2.5, ~]\nd: &x {e: f}\ng: *x\n", "a: |\n  b\n  c\nd: >-\n  e\n", "- a\n- 'b'\n- \"c\\n\"\n", "1: a\nyes: b\n", "a: {<<: {b: c}, d: e}\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 || bytes.Contains(data, []byte("<<")) || bytes.Contains(append(data[:len(data):len(data)], '\n'), []byte("!\n")) || bytes.Contains(data, []byte("! ")) {
			return // that library lets "<<" win over the mapping's own keys, and ours drops the tag "!"
		}
		ours, err := yamlToJSON(context.Background(), data, 64, 1<<16)
		if err != nil || ours == nil {
			return
		}
		if !json.Valid(ours) {
			t.Fatalf("%q is no JSON, from %q", ours, data)
		}
		theirs, err := yaml.YAMLToJSON(data)
		if err != nil {
			return
		}
		var a, b any
		if json.Unmarshal(ours, &a) != nil || json.Unmarshal(theirs, &b) != nil {
			t.Fatalf("%s, %s", ours, theirs)
		}
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		if !bytes.Equal(x, y) {
			t.Fatalf("%q: %s, want %s", data, x, y)
		}
	})
}
