package image

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// FuzzLayer reads any bytes as a layer whose digests fit.
func FuzzLayer(f *testing.F) {
	good := layerTar(f, fileNamed("a"), fileNamed(".wh.b"))
	f.Add(good)
	f.Add(gz(f, good))
	f.Add(zst(f, good))
	f.Fuzz(func(t *testing.T, b []byte) {
		l := blobLayer(b, b)
		if sniff(b) != encodingPlain {
			l.DiffID = "" // not known without inflating
		}
		inv, err := Analyze(t.Context(), &Image{Layers: []Layer{l}}, &AnalyzeOptions{Limits: boltseal.Limits{LayerBytes: 1 << 20}}, finder{})
		require.NotNil(t, inv)
		require.False(t, err != nil && inv.Complete, "an error leaves the inventory incomplete")
	})
}
