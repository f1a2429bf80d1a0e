package cli

import (
	"bytes"
	"testing"

	"github.com/schollz/progressbar/v3"
	"github.com/stretchr/testify/require"
)

func TestProgressIsForTerminals(t *testing.T) {
	var b bytes.Buffer
	o, done := (&Console{Err: &b}).Progress("reading")
	require.Nil(t, o)
	done()
	require.Empty(t, b.String())
}

func TestProgressSums(t *testing.T) {
	p := &bar{left: map[string]int64{}, bar: progressbar.NewOptions64(1, progressbar.OptionSetWriter(&bytes.Buffer{}))}
	p.begin("a", 100)
	p.begin("b", 50)
	p.advance("a", 30)
	p.advance("b", 80) // more than was announced
	p.begin("unknown", -1)
	p.advance("unknown", 7)
	require.EqualValues(t, 150, p.bar.GetMax64())
	require.EqualValues(t, 80, p.bar.State().CurrentNum)
	p.end("a", nil)
	require.EqualValues(t, 150, p.bar.State().CurrentNum)
	p.finish()
}
