package spool

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestCopyLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	f, err := Copy(t.Context(), dir, strings.NewReader("0123456789"))
	require.NoError(t, err)
	require.EqualValues(t, 10, f.Size())
	b := make([]byte, 3)
	_, err = f.ReadAt(b, 4)
	require.NoError(t, err)
	require.Equal(t, "456", string(b))
	require.NoError(t, f.Close())
	requireEmpty(t, dir)
}

func TestCopyFails(t *testing.T) {
	dir := t.TempDir()
	broken := errors.New("broken")
	_, err := Copy(t.Context(), dir, io.MultiReader(strings.NewReader("x"), iotest.ErrReader(broken)))
	require.ErrorIs(t, err, broken)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Copy(ctx, dir, strings.NewReader("x"))
	require.ErrorIs(t, err, context.Canceled)
	requireEmpty(t, dir)
	_, err = Copy(t.Context(), dir+"/absent", strings.NewReader("x"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func requireEmpty(t *testing.T, dir string) {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}
