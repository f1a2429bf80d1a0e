//go:build unix

package image

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A pipe would block whoever opens it.
func TestPipesAreNotOpened(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644))
	pipe := filepath.Join(dir, "index.json")
	require.NoError(t, syscall.Mkfifo(pipe, 0o644))
	for _, ref := range []string{"oci:" + dir, "oci-archive:" + pipe} {
		_, err := Open(t.Context(), ref, nil)
		require.ErrorIs(t, err, errors.ErrUnsupported)
	}
}
