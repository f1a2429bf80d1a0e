package image

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// A file system takes the place of a layer.
func TestLayerFS(t *testing.T) {
	fsys := fstest.MapFS{"etc/a": {Data: []byte("1")}, "usr/b": {Data: make([]byte, 1<<20)}}
	inv, err := Analyze(t.Context(), &Image{Layers: []Layer{{FS: fsys, Size: -1}}}, nil, finder{}, picker{})
	require.NoError(t, err)
	require.True(t, inv.Complete, "%v", inv.Skipped)
	require.Len(t, inv.Packages, 2)
	require.Equal(t, "etc/a", inv.Packages[0].Locations[0].Path)
	require.Equal(t, 2, inv.Layers[0].Stats.Files)
}
