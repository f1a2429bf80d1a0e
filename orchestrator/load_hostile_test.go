package orchestrator

import (
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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
