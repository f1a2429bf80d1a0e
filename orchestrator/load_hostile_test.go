package orchestrator

import (
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/boltseal/boltseal"
)

// repeated reads the same text again and again, n bytes of it.
type repeated struct {
	text string
	n    int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.n == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), r.n)], r.text)
	r.n -= n
	return n, nil
}

// TestHugeScalars reads a scalar of 100 MB between two pods, in each form: it
// is a located error, its neighbours stay, and no memory grows with it.
func TestHugeScalars(t *testing.T) {
	const size = 100 << 20
	pod := func(name string) string {
		return `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "` + name + `", "namespace": "a"}}`
	}
	for name, c := range map[string]struct{ before, text, after string }{
		"plain, one line": {"---\n" + pod("a") + "\n---\napiVersion: v1\nkind: Foo\nmetadata: {name: x}\nspec: ", "x", "\n---\n" + pod("b")},
		"block, lines":    {"---\n" + pod("a") + "\n---\napiVersion: v1\nkind: Foo\nmetadata: {name: x}\nspec: |\n", "  some text\n", "\n---\n" + pod("b")},
		"json stream":     {pod("a") + "\n" + `{"apiVersion":"v1","kind":"Foo","metadata":{"name":"x"},"spec":"`, "x", "\"}\n" + pod("b")},
		"json list":       {`{"apiVersion":"v1","kind":"List","items":[` + pod("a") + `,{"apiVersion":"v1","kind":"Foo","metadata":{"name":"x"},"spec":"`, "x", `"},` + pod("b") + "]}"},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			s, err := Read(t.Context(), io.MultiReader(strings.NewReader(c.before), &repeated{strings.Repeat(c.text, 1<<14), size / len(c.text) * len(c.text)}, strings.NewReader(c.after)), "f", nil)
			runtime.ReadMemStats(&after)
			require.Len(t, problems(err), 1)
			require.ErrorIs(t, err, boltseal.ErrLimit)
			require.ErrorContains(t, err, "f:")
			require.Len(t, s.Pods, 2, "what is around it is kept")
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(48<<20), "bytes allocated in all")
		})
	}
}

// TestNothingHides reads pods that are written in ways in which a reader may
// overlook them: each is taken up, or is an error and makes absence unknown.
func TestNothingHides(t *testing.T) {
	const rest = `"metadata":{"name":"hid","namespace":"a"}}`
	flow := `{apiVersion: v1, kind: Pod, metadata: {name: hid, namespace: a}}`
	for name, c := range map[string]struct{ text, err string }{
		"escaped keys":   {`{"\u0061piVersion":"v1","k\u0069nd":"Pod",` + rest, ""},
		"escaped values": {`{"apiVersion":"v\u0031","kind":"P\u006fd",` + rest, ""},
		"kind twice":     {`{"apiVersion":"v1","kind":"Foo","kind":"Pod",` + rest, `duplicate field "kind"`},
		"items twice":    {`{"apiVersion":"v1","kind":"List","items":[],"items":[{"apiVersion":"v1","kind":"Pod",` + rest + `]}`, `duplicate field "items"`},
		"items, yaml":    {"{apiVersion: v1, kind: List, items: [], items: [" + flow + "]}", "given twice"},
		"CR":             {"a: b\r---\r" + flow + "\n", "f:2: malformed: another document follows"},
		"NEL":            {"a: b\u0085---\u0085" + flow + "\n", "another document follows"},
		"LS after none":  {"# none\u2028--- ~\u2028---\u2028" + flow + "\n", "another document follows"},
		"CR in an item":  {"apiVersion: v1\nkind: List\nitems:\n- a: b\r...\r--- " + flow + "\n", "another document follows"},
		"comment":        {"# x\r" + flow + "\n", ""},
		"long comment":   {"# " + strings.Repeat("x", 1<<17) + "\r" + flow, ""},
		"directive":      {"%YAML 1.1\u2028--- " + flow + "\n", ""},
		"separator":      {"--- # x\u0085" + flow + "\n", ""},
		"before items":   {"apiVersion: v1\nkind: List\nitems:\n# x\r- " + flow + "\n- " + strings.Replace(flow, "hid", "b", 1) + "\n", ""},
		"among items":    {"apiVersion: v1\nkind: List\nitems:\n- " + strings.Replace(flow, "hid", "b", 1) + "\n# x\r- " + flow + "\n", "items stand apart"},
		"text behind":    {"{a: b} ]\n", "YAML"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Read(t.Context(), strings.NewReader(c.text), "f", &LoadOptions{Complete: true})
			if c.err == "" {
				require.NoError(t, err)
				require.NotNil(t, s.Pods.Get("a", "hid"))
				return
			}
			require.ErrorIs(t, err, boltseal.ErrMalformed)
			require.ErrorContains(t, err, c.err)
			require.False(t, s.Coverage(schema.GroupResource{Resource: "pods"}, "").Known())
		})
	}
}

// A mapping that is merged costs something even if it is empty: this would be
// merged four thousand million times.
func TestMergesOfNothing(t *testing.T) {
	many := func(name string) string { return strings.TrimSuffix(strings.Repeat("*"+name+",", 1<<16), ",") }
	_, err := yamlToJSON(t.Context(), []byte("a: &a {}\nb: &b {<<: ["+many("a")+"]}\nc: {<<: ["+many("b")+"]}\n"), 64, 3<<20)
	require.ErrorIs(t, err, boltseal.ErrLimit)
}
