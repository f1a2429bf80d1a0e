package main

import (
	"archive/tar"
	"bytes"
	"io"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/secrets/secretstest"
)

// writeImage writes an OCI layout of two layers and returns its folder.
func writeImage(t *testing.T, dir string) string {
	token := func(seed uint64) string {
		s, err := secretstest.New("github-pat", seed)
		require.NoError(t, err)
		return s.Token
	}
	layer := func(name, content string) v1.Layer {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}))
		_, err := io.WriteString(w, content)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
		require.NoError(t, err)
		return l
	}
	img, err := mutate.Append(empty.Image,
		mutate.Addendum{Layer: layer("srv/deleted.txt", "key "+token(1)+"\n"), History: v1.History{CreatedBy: "RUN |1 BUILD_TOKEN=" + token(2) + " /bin/sh -c make # buildkit"}},
		mutate.Addendum{Layer: layer("srv/.wh.deleted.txt", ""), History: v1.History{CreatedBy: "RUN /bin/sh -c rm /srv/deleted.txt # buildkit"}},
	)
	require.NoError(t, err)
	img, err = mutate.Config(img, v1.Config{Env: []string{"TOKEN=" + token(3)}})
	require.NoError(t, err)
	path := filepath.Join(dir, "image")
	l, err := layout.Write(path, empty.Index)
	require.NoError(t, err)
	require.NoError(t, l.AppendImage(img))
	return path
}
