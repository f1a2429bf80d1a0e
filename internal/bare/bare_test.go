package bare

import (
	"archive/tar"
	"bytes"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"
)

func TestRead(t *testing.T) {
	var plain, packed bytes.Buffer
	w := tar.NewWriter(&plain)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "a", Size: 3, Mode: 0o644}))
	_, err := w.Write([]byte("abc"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	z := gzip.NewWriter(&packed)
	_, err = z.Write(plain.Bytes())
	require.NoError(t, err)
	require.NoError(t, z.Close())
	for _, blob := range [][]byte{plain.Bytes(), packed.Bytes()} {
		n, err := Read(bytes.NewReader(blob))
		require.NoError(t, err)
		require.EqualValues(t, plain.Len(), n)
	}
	_, err = Read(bytes.NewReader(packed.Bytes()[:packed.Len()/2]))
	require.Error(t, err)
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = Read(bytes.NewReader(b)) })
}
