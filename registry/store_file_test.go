package registry_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/registry"
)

// TestOtherFiles opens what is no store, or only a part of one.
func TestOtherFiles(t *testing.T) {
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole")
	s, err := registry.OpenStore(t.Context(), whole)
	require.NoError(t, err)
	g := &world{Name: "1"}
	for i := range 40 {
		put(t, s, g, fmt.Sprint(i), pkg(fmt.Sprint("p", i), 1))
	}
	require.NoError(t, s.Close())
	raw, err := os.ReadFile(whole)
	require.NoError(t, err)
	open := func(content string) error {
		path := filepath.Join(dir, "x")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		s, err := registry.OpenStore(context.Background(), path)
		if err == nil {
			require.NoError(t, s.Close())
		}
		return err
	}
	for _, content := range []string{"x", "This is no store.", strings.Repeat("x", 4096), strings.Repeat("\x00", 1<<20), strings.Repeat("SQLite format 3\x00", 1000)} {
		require.ErrorIs(t, open(content), boltseal.ErrMalformed)
	}
	for _, n := range []int{1, 15, 16, 80, 4096, 8192, 3 * 4096, 4 * 4096} {
		require.ErrorIs(t, open(string(raw[:n])), boltseal.ErrMalformed, "%d bytes", n)
	}
	require.NoError(t, open(string(raw)))
	require.NoError(t, open(""), "an empty file becomes a store")
	torn := []byte(string(raw))
	copy(torn[16:80], make([]byte, 64))
	require.NoError(t, open(string(torn)), "one of the two pages was being written when the power went")
	require.Error(t, func() error { _, err := registry.OpenStore(context.Background(), dir); return err }())
}
