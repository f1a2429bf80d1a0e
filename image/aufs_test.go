package image

import (
	"archive/tar"
	"testing"

	"github.com/stretchr/testify/require"
)

// AUFS stores a file of several names under none of them. No tool that is still
// about writes such layers, so that this one is made by hand.
func TestAUFSHardLinks(t *testing.T) {
	low := layerTar(t, &tar.Header{Name: ".wh..wh.plnk/", Typeflag: tar.TypeDir}, fileNamed(".wh..wh.plnk/12.34"), fileNamed(".wh..wh.plnk/alone"),
		&tar.Header{Name: "etc/a", Typeflag: tar.TypeLink, Linkname: "/.wh..wh.plnk/12.34"}, &tar.Header{Name: "b", Typeflag: tar.TypeLink, Linkname: ".wh..wh.plnk/12.34"})
	high := layerTar(t, fileNamed("etc/.wh.a"))
	inv, err := Analyze(t.Context(), &Image{Layers: []Layer{blobLayer(low, low), blobLayer(high, high)}}, nil, finder{}, verbose{}, &lister{})
	require.NoError(t, err)
	require.True(t, inv.Complete, "%v", inv.Skipped)
	for _, p := range inv.Packages {
		require.Equal(t, "b", p.Locations[0].Path, "etc/a is gone, b stays")
	}
	require.Len(t, inv.Packages, 2)
	require.Equal(t, 3, inv.Layers[0].Stats.Added, "etc, etc/a, b")
	hidden := map[string]bool{}
	for _, f := range inv.Findings {
		hidden[f.Title] = f.Locations[0].HiddenBy != ""
	}
	require.Equal(t, map[string]bool{".wh..wh.plnk/12.34": false, ".wh..wh.plnk/alone": true}, hidden)
}
