package imagetest_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/image"
	"github.com/boltseal/boltseal/image/imagetest"
)

func list(ctx context.Context, ref string, o *image.AnalyzeOptions) ([]string, error) {
	img, err := image.Open(ctx, ref, nil)
	if err != nil {
		return nil, err
	}
	defer img.Close()
	return imagetest.Tree(ctx, img, o)
}

func TestAnalyze(t *testing.T) {
	imagetest.Check(t, func(ctx context.Context, archive string) ([]string, error) {
		return list(ctx, "oci-archive:"+archive, nil)
	})
}

// TestCached reads every image, then again from the records of its layers and
// from its own.
func TestCached(t *testing.T) {
	o := &image.AnalyzeOptions{Cache: &image.DirCache{Dir: t.TempDir()}}
	imagetest.Check(t, func(ctx context.Context, archive string) ([]string, error) {
		first, err := list(ctx, "oci-archive:"+archive, o)
		if err != nil {
			return nil, err
		}
		squashed, err := list(ctx, "oci-archive:"+archive, &image.AnalyzeOptions{Cache: layersOnly{o.Cache}})
		require.Equal(t, first, squashed)
		return squashed, err
	})
}

type layersOnly struct{ image.Cache }

func (c layersOnly) Get(ctx context.Context, key string) ([]byte, error) {
	if key[:5] == "image" {
		return nil, nil
	}
	return c.Cache.Get(ctx, key)
}

func TestDockerArchive(t *testing.T) {
	cases := imagetest.Cases()
	require.GreaterOrEqual(t, len(cases), 60)
	names := map[string]bool{}
	for _, c := range cases {
		require.False(t, names[c.Name], c.Name)
		names[c.Name] = true
		t.Run(c.Name, func(t *testing.T) {
			data, err := imagetest.DockerArchive(c.Layers...)
			require.NoError(t, err)
			name := filepath.Join(t.TempDir(), "image.tar")
			require.NoError(t, os.WriteFile(name, data, 0o600))
			got, err := list(t.Context(), "docker-archive:"+name, nil)
			require.NoError(t, err)
			require.Equal(t, c.Lines(), got)
		})
	}
}
