package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/boltseal/boltseal"
)

func read(t *testing.T, text string, opt *LoadOptions) (*Snapshot, error) {
	t.Helper()
	return Read(context.Background(), strings.NewReader(text), "f.yaml", opt)
}

// problems returns the errors of a load one by one.
func problems(err error) []error {
	if err == nil {
		return nil
	}
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		return j.Unwrap()
	}
	return []error{err}
}

func names[T any](l List[T]) (out []string) {
	for _, it := range l {
		out = append(out, fmt.Sprintf("%s/%s %s", it.Namespace, it.Name, it.Location))
	}
	return out
}

func pod(name string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: " + name + "\n  namespace: a\nspec:\n  containers:\n  - name: c\n    image: i\n"
}

func TestLoadFindsDocuments(t *testing.T) {
	jsonPod := func(name string) string {
		return `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"` + name + `","namespace":"a"}}`
	}
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"one":                  {pod("x"), []string{"a/x f.yaml:1"}},
		"separators":           {"---\n" + pod("x") + "---\n# only a comment\n---\n\n--- # said\n" + pod("xx") + "...\n" + pod("z"), []string{"a/x f.yaml:2", "a/xx f.yaml:16", "a/z f.yaml:26"}},
		"helm":                 {"---\n# Source: chart/templates/x.yaml\n" + pod("x") + "---\n" + pod("xx"), []string{"a/x f.yaml!chart/templates/x.yaml:3", "a/xx f.yaml:13"}},
		"windows":              {"\ufeff---\r\n" + strings.ReplaceAll(pod("x"), "\n", "\r\n"), []string{"a/x f.yaml:2"}},
		"list":                 {"apiVersion: v1\nitems:\n- " + strings.ReplaceAll(strings.TrimSpace(pod("x")), "\n", "\n  ") + "\n- " + strings.ReplaceAll(strings.TrimSpace(pod("xx")), "\n", "\n  ") + "\nkind: List\nmetadata: {}\n---\n" + pod("z"), []string{"a/x f.yaml:3", "a/xx f.yaml:12", "a/z f.yaml:24"}},
		"list, indented":       {"kind: List\napiVersion: v1\nitems:\n  # first\n  - " + strings.ReplaceAll(strings.TrimSpace(pod("x")), "\n", "\n    ") + "\n", []string{"a/x f.yaml:5"}},
		"list, kind after":     {"apiVersion: v1\nitems:\n- metadata: {name: x, namespace: a}\n- metadata: {name: xx, namespace: a}\nkind: PodList\n", []string{"a/x f.yaml:3", "a/xx f.yaml:4"}},
		"list, flow":           {"{apiVersion: v1, kind: PodList, items: [{metadata: {name: x, namespace: a}}]}", []string{"a/x f.yaml:1"}},
		"list of lists":        {"kind: List\napiVersion: v1\nitems:\n- apiVersion: v1\n  kind: PodList\n  items: [{metadata: {name: x, namespace: a}}]\n", []string{"a/x f.yaml:4"}},
		"json stream":          {jsonPod("x") + "\n" + jsonPod("xx") + jsonPod("z") + "\n---\n" + jsonPod("zz"), []string{"a/x f.yaml:1", "a/xx f.yaml:2", "a/z f.yaml:2", "a/zz f.yaml:4"}},
		"json list":            {`{"kind":"List","apiVersion":"v1","items":[` + jsonPod("x") + ",\n" + jsonPod("xx") + "]}\n" + jsonPod("z"), []string{"a/x f.yaml:1", "a/xx f.yaml:2", "a/z f.yaml:3"}},
		"json list, kind last": {`{"items":[{"metadata":{"name":"x","namespace":"a"}}],"kind":"PodList","apiVersion":"v1"}`, []string{"a/x f.yaml:1"}},
		"json in a yaml":       {"---\n" + jsonPod("x") + "\n---\n" + jsonPod("xx"), []string{"a/x f.yaml:2", "a/xx f.yaml:4"}},
		"empty list":           {"apiVersion: v1\nkind: List\nitems: []\n---\napiVersion: v1\nkind: PodList\nitems:\n---\n" + pod("x"), []string{"a/x f.yaml:9"}},
		"items in a string":    {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  f: |\n    items:\n    - a\n    ---\n    - b\n---\n" + pod("x"), []string{"a/x f.yaml:11"}},
		"last wins":            {pod("x") + "---\n" + pod("x"), []string{"a/x f.yaml:11"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := read(t, c.text, nil)
			require.NoError(t, err)
			require.Equal(t, c.want, names(s.Pods))
		})
	}
}

func TestLoadGoesOn(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'm'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	for name, c := range map[string]struct {
		bad  string
		is   error
		text string // of the error
	}{
		"syntax":            {"apiVersion: v1\nkind: Pod\nmetadata:\n\tname: x\n", boltseal.ErrMalformed, "f.yaml:14: malformed: YAML: found character that cannot start any token"},
		"duplicate key":     {"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nmetadata: {name: y}\n", boltseal.ErrMalformed, `f.yaml:14: malformed: key "metadata" is given twice`},
		"duplicate in json": {`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x","name":"y"}}`, boltseal.ErrMalformed, `f.yaml:11: malformed: key "name" is given twice`},
		"template":          {"apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n{{- if .a }}\n", boltseal.ErrMalformed, "render it first"},
		"template value":    {"apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .name }}\n", boltseal.ErrMalformed, "render it first"},
		"template name":     {"apiVersion: v1\nkind: Pod\nmetadata:\n  name: '{{ .name }}'\n", boltseal.ErrMalformed, "render it first"},
		"no name":           {"apiVersion: v1\nkind: Pod\nmetadata: {}\n", boltseal.ErrMalformed, "f.yaml:11: malformed: Pod: metadata.name is missing"},
		"no kind":           {"apiVersion: v1\nmetadata: {name: x}\n", boltseal.ErrMalformed, "both are needed"},
		"wrong type":        {"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {hostNetwork: maybe}\n", boltseal.ErrMalformed, "cannot unmarshal string"},
		"wrong type, list":  {"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: {}}\n", boltseal.ErrMalformed, "cannot unmarshal object"},
		"no object":         {"- a\n- b\n", boltseal.ErrMalformed, "no object"},
		"alias bomb":        {bomb, boltseal.ErrLimit, "f.yaml:11: aliases expand beyond the limit"},
		"alias cycle":       {"a: &a [*a, *a]\n", boltseal.ErrLimit, "limit"},
		"merge cycle":       {"a: &a\n  <<: *a\n", boltseal.ErrLimit, "limit"},
		"deep":              {"apiVersion: v1\nkind: Foo\nmetadata: {name: x}\nspec: " + deep(70) + "\n", boltseal.ErrLimit, "nest deeper"},
		"very deep":         {"spec: " + deep(50_000) + "\n", boltseal.ErrMalformed, "exceeded max depth"},
		"huge scalar":       {"apiVersion: v1\nkind: Foo\nmetadata: {name: x}\nspec: " + strings.Repeat("x", 5<<20) + "\n", boltseal.ErrLimit, "f.yaml:11: document: limit exceeded of 3145728 bytes"},
		"old version":       {"apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: x}\n", errors.ErrUnsupported, "f.yaml:11: Deployment of extensions/v1beta1: unsupported operation: convert it to apps/v1"},
		"old shape":         {"apiVersion: networking.k8s.io/v1beta1\nkind: Ingress\nmetadata: {name: x}\n", errors.ErrUnsupported, "convert it to networking.k8s.io/v1"},
		"infinite number":   {"apiVersion: v1\nkind: Foo\nmetadata: {name: x}\nspec: .inf\n", boltseal.ErrMalformed, "infinite"},
		"map key":           {"apiVersion: v1\nkind: Foo\n{a: b}: c\n", boltseal.ErrMalformed, "key is no scalar"},
		"unknown anchor":    {"apiVersion: v1\nkind: Foo\na: *b\n", boltseal.ErrMalformed, "unknown anchor"},
		"foreign list":      {"apiVersion: v1\nkind: Foo\nitems:\n- a: b\n", boltseal.ErrMalformed, "has items and is no List"},
		"version":           {"apiVersion: a/b/c\nkind: Foo\nmetadata: {name: x}\n", boltseal.ErrMalformed, "apiVersion"},
		"secret value":      {"apiVersion: v1\nkind: Secret\nmetadata: {name: x}\ndata: {p: hunter2!}\n", boltseal.ErrMalformed, "a value of data is not base64"},
		"secret type":       {"apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData: {p: 123456}\n", boltseal.ErrMalformed, "a field has the wrong type"},
		"bad item":          {"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: [x]}\n", boltseal.ErrMalformed, "f.yaml:14: malformed: Pod"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := read(t, pod("before")+"---\n"+c.bad+"\n---\n"+pod("after"), &LoadOptions{Complete: true})
			require.Len(t, problems(err), 1, "%v", err)
			require.ErrorIs(t, err, c.is)
			require.ErrorContains(t, err, c.text)
			require.NotContains(t, err.Error(), "hunter2")
			require.NotContains(t, err.Error(), "123456")
			var where *boltseal.Error
			require.ErrorAs(t, err, &where)
			require.Equal(t, "f.yaml", where.Location.Path)
			require.Len(t, s.Pods, 2, "what is around it is kept")
			// Whatever it was, its absence is not known any more.
			known := true
			for _, k := range Kinds() {
				known = known && s.Coverage(k.GroupResource(), "").Known()
			}
			require.False(t, known)
		})
	}
}

func TestLoadBrokenStreams(t *testing.T) {
	for name, text := range map[string]string{
		"json ends":        `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x","namespace":"a"}}{"a":[`,
		"json list ends":   `{"kind":"List","apiVersion":"v1","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"}},`,
		"json string ends": `{"kind":"List","apiVersion":"v1","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"}},{"a":"`,
		"json then text":   `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"}}` + "\n--x",
		"comma between":    `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"}} , ,`,
		"utf-16":           "\xff\xfea\x00",
		"json twice":       `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"}}{"apiVersion":"v1","kind":"Pod","metadata":{"name":"w","name":"v"}}`,
		"commas":           `{"kind":"List","apiVersion":"v1","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"}}` + strings.Repeat(",", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			s, err := read(t, text, &LoadOptions{Complete: true})
			require.Error(t, err)
			require.False(t, s.Coverage(schema.GroupResource{Resource: "pods"}, "").Known())
			if name != "utf-16" {
				require.Len(t, s.Pods, 1)
			}
		})
	}
}

// An object that is too large does not take its neighbours with it, in JSON
// either, and an item of a List is an object of its own.
func TestLoadLimits(t *testing.T) {
	small := `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"%d","namespace":"a","annotations":{"a":"%s"}}}`
	items := []string{fmt.Sprintf(small, 1, ""), fmt.Sprintf(small, 2, strings.Repeat(`\"`, 2000)), fmt.Sprintf(small, 3, "")}
	opt := &LoadOptions{DocumentBytes: 2000}
	for name, text := range map[string]string{
		"stream": strings.Join(items, "\n"),
		"list":   `{"apiVersion":"v1","kind":"List","items":[` + "\n" + strings.Join(items, ",\n") + `]}`,
		"yaml":   "---\n" + strings.Join(items, "\n---\n"),
	} {
		t.Run(name, func(t *testing.T) {
			s, err := read(t, text, opt)
			require.Len(t, problems(err), 1)
			require.ErrorIs(t, err, boltseal.ErrLimit)
			require.Len(t, s.Pods, 2)
		})
	}

	var many strings.Builder
	for i := range 20 {
		fmt.Fprintf(&many, small+"\n", i, "")
	}
	s, err := read(t, many.String(), &LoadOptions{Documents: 5, Complete: true})
	require.ErrorIs(t, err, boltseal.ErrLimit)
	require.Len(t, s.Pods, 5)
	require.Equal(t, Truncated, s.Coverage(schema.GroupResource{Resource: "pods"}, "").State)

	// Those in a List that comes as one document count too, and remarks end.
	s, err = read(t, "{kind: List, apiVersion: v1, items: ["+strings.Repeat("{},", 50_000)+"{}]}", &LoadOptions{Documents: 20_000, Complete: true})
	require.Len(t, problems(err), 1)
	require.ErrorIs(t, err, boltseal.ErrLimit)
	require.Len(t, s.Skipped, maxNotes+1)

	// A hundred thousand broken documents are a thousand errors.
	_, err = read(t, strings.Repeat("---\n- a\n", 5000), nil)
	require.Len(t, problems(err), 1000)
	require.ErrorContains(t, problems(err)[999], "4001 further documents")
}

func TestLoadKeepsNoSecrets(t *testing.T) {
	var seen []string
	s, err := read(t, `apiVersion: v1
kind: Secret
metadata:
  name: db
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"data":{"password":"aHVudGVyMg=="}}'
    team: shop
  managedFields: [{manager: kubectl}]
type: Opaque
data: {password: aHVudGVyMg==, empty: ""}
stringData: {user: admin}
`, &LoadOptions{Namespace: "shop", LastApplied: func(k schema.GroupVersionKind, m Meta, v string) {
		seen = append(seen, k.Kind, m.Namespace, m.Name, v)
	}})
	require.NoError(t, err)
	it := s.Secrets.Get("shop", "db")
	require.True(t, it.AssumedNamespace)
	require.Equal(t, []SecretKey{{"empty", 0}, {"password", 7}, {"user", 5}}, it.Object.Keys)
	require.Equal(t, corev1.SecretTypeOpaque, it.Object.Type)
	require.Equal(t, map[string]string{"team": "shop"}, it.Object.Annotations)
	require.Empty(t, it.Object.ManagedFields)
	require.Equal(t, []string{"Secret", "shop", "db", `{"data":{"password":"aHVudGVyMg=="}}`}, seen)
}

func TestLoadOtherKinds(t *testing.T) {
	s, err := read(t, `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: x, namespace: argo, labels: {a: b}}
spec: {project: default}
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: true}}
---
apiVersion: batch/v1beta1
kind: CronJob
metadata: {name: c}
---
image: {tag: latest} # values of a chart
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: c, namespace: ignored, annotations: {helm.sh/hook: pre-install}}
`, nil)
	require.NoError(t, err)
	require.Len(t, s.Others, 2)
	require.Equal(t, "Application", s.Others[0].Kind)
	require.Equal(t, map[string]string{"a": "b"}, s.Others[0].Labels)
	require.Nil(t, s.Others[0].Content)
	require.Equal(t, map[string]any{"anonymous": map[string]any{"enabled": true}}, s.Others[1].Content["authentication"])
	require.Equal(t, "batch/v1beta1", s.CronJobs.Get("default", "c").Object.APIVersion)
	require.Len(t, s.Skipped, 1)
	require.True(t, s.Skipped[0].Note)
	require.Equal(t, "f.yaml:14", s.Skipped[0].Path)
	role := s.ClusterRoles.Get("", "c")
	require.Equal(t, "pre-install", role.Hook)
}

func TestLoadTree(t *testing.T) {
	s, err := Load(context.Background(), fstest.MapFS{
		"a/x.yaml":  {Data: []byte(pod("x"))},
		"a/w.YML":   {Data: []byte(pod("w"))},
		"a/z.json":  {Data: []byte(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"z","namespace":"a"}}`)},
		"a/bad.yml": {Data: []byte("a: b\n\tc: d\n")},
		"README.md": {Data: []byte("# no manifest")},
	}, &LoadOptions{Complete: true})
	require.Equal(t, []string{"a/w a/w.YML:1", "a/x a/x.yaml:1", "a/z a/z.json:1"}, names(s.Pods))
	require.ErrorContains(t, err, "a/bad.yml:2")
	require.Equal(t, []boltseal.Skip{{Reason: "1 files are not named .yaml, .yml or .json", Note: true}}, s.Skipped)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s, err = Load(ctx, fstest.MapFS{"x.yaml": {Data: []byte(pod("x"))}}, &LoadOptions{Complete: true})
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, s.Coverage(schema.GroupResource{Resource: "pods"}, "").Known())
}

// The types of YAML 1.1, as kubectl reads them: derived by hand from the rules
// of sigs.k8s.io/yaml, and checked against it.
func TestYAMLScalars(t *testing.T) {
	for in, want := range map[string]string{
		"yes": "true", "No": "false", "on": "true", "off": "false", "y": "true", "n": "false", "true": "true", "tRue": `"tRue"`,
		"~": "null", "null": "null", "NULL": "null", "nil": `"nil"`,
		"1": "1", "-1": "-1", "+1": "1", "0644": "420", "0o17": "15", "0x10": "16", "0b11": "3", "1_000": "1000",
		"18446744073709551615": "18446744073709551615", "1.5": "1.5", ".5": "0.5", "1e3": "1000", "1.": "1", "1e21": "1e+21",
		"2001-01-01": `"2001-01-01"`, "1.2.3": `"1.2.3"`, "100m": `"100m"`, "0.5Gi": `"0.5Gi"`, "12:30": `"12:30"`,
		`"yes"`: `"yes"`, "'1'": `"1"`, "!!str 1": `"1"`, "!!int 3": "3", "!!float 3": "3", "!!binary aGk=": `"hi"`,
		"é\U0001F600": `"é😀"`, `"\u2028"`: `"\u2028"`, "[a, {b: c}]": `["a",{"b":"c"}]`, "{1: a, yes: b, 1.5: c}": `{"1":"a","true":"b","1.5":"c"}`,
	} {
		out, err := yamlToJSON(context.Background(), []byte("v: "+in+"\n"), 64, 1000)
		require.NoError(t, err, in)
		require.JSONEq(t, `{"v":`+want+`}`, string(out), in)
		kubectl, err := yaml.YAMLToJSON([]byte("v: " + in + "\n"))
		require.NoError(t, err, in)
		require.JSONEq(t, string(kubectl), string(out), in)
	}
}
