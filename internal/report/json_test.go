package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestJSON(t *testing.T) {
	const text = "a\x7f\u0085\u009b31m \u202egpj\u2066\u200f\u061c ü 漢 🦀 \ufffd"
	const want = `"a\u007f\u0085\u009b31m \u202egpj\u2066\u200f\u061c ü 漢 🦀 ` + "\ufffd\"\n"
	for _, split := range []bool{false, true} {
		var b bytes.Buffer
		w := JSON(&b)
		if split {
			for _, c := range []byte(`"` + text + "\"\n") {
				n, err := w.Write([]byte{c})
				require.NoError(t, err)
				require.Equal(t, 1, n)
			}
		} else {
			require.NoError(t, json.NewEncoder(w).Encode(text))
		}
		require.Equal(t, want, b.String())
		var back string
		require.NoError(t, json.Unmarshal(b.Bytes(), &back))
		require.Equal(t, text, back)
	}
	_, err := JSON(&failing{}).Write([]byte("{}"))
	require.Error(t, err)
	var b strings.Builder
	_, err = JSON(&b).Write([]byte("\xff{}"))
	require.NoError(t, err)
	require.Equal(t, "\xff{}", b.String(), "what is no UTF-8 stays")
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, iotest.ErrTimeout }
