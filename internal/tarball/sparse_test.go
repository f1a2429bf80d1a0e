package tarball

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// TestSparseByGNUTar reads what GNU tar makes of files with holes, in each of
// its formats, by every way of reading.
func TestSparseByGNUTar(t *testing.T) {
	bin, err := exec.LookPath("tar")
	if err != nil {
		t.Skip("tar is not installed")
	}
	if out, _ := exec.CommandContext(t.Context(), bin, "--version").Output(); !bytes.Contains(out, []byte("GNU tar")) {
		t.Skip("tar is not GNU's")
	}
	dir := t.TempDir()
	want := map[string][]byte{"after": []byte("a file behind")}
	for name, at := range map[string][]int64{
		"holes":    {0, 100_000, 250_000},
		"leading":  {1 << 20},
		"many":     nil, // more fragments than a header and an extension block hold
		"trailing": {0},
		"empty":    {},
	} {
		if name == "many" {
			for i := range 60 {
				at = append(at, int64(i)*40_000)
			}
		}
		data := make([]byte, 2_500_000)
		f, err := os.Create(filepath.Join(dir, name))
		require.NoError(t, err)
		require.NoError(t, f.Truncate(int64(len(data))))
		for i, off := range at {
			n := copy(data[off:], fmt.Sprintf("fragment %d of %s", i, name))
			_, err := f.WriteAt(data[off:off+int64(n)], off)
			require.NoError(t, err)
		}
		require.NoError(t, f.Close())
		want[name] = data
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "after"), want["after"], 0o644))
	for _, format := range [][]string{{"--format=gnu"}, {"--format=posix", "--sparse-version=0.0"}, {"--format=posix", "--sparse-version=0.1"}, {"--format=posix", "--sparse-version=1.0"}} {
		t.Run(format[len(format)-1], func(t *testing.T) {
			args := append(format, "--sparse", "--hole-detection=raw", "-C", dir, "-cf", "-", "holes", "leading", "many", "trailing", "empty", "after")
			archive, err := exec.CommandContext(t.Context(), bin, args...).Output()
			require.NoError(t, err)
			require.Less(t, len(archive), 1<<20, "the holes are not stored")
			for how, read := range map[string]func(*Reader, int64) ([]byte, error){
				"Read": func(r *Reader, _ int64) ([]byte, error) { return io.ReadAll(r) },
				"Chunk": func(r *Reader, _ int64) (all []byte, err error) {
					for {
						b, err := r.Chunk()
						if err == io.EOF {
							return all, nil
						} else if err != nil {
							return nil, err
						}
						all = append(all, b...)
					}
				},
				"Peek then Read": func(r *Reader, size int64) ([]byte, error) {
					head, err := r.Peek(int(min(size, 70_000)))
					if err != nil {
						return nil, err
					}
					head = bytes.Clone(head)
					all, err := io.ReadAll(r)
					if !bytes.HasPrefix(all, head) {
						return nil, fmt.Errorf("peeked something else")
					}
					return all, err
				},
				"Skip": nil,
			} {
				r := NewReader(bytes.NewReader(archive))
				seen := 0
				for {
					h, err := r.Next()
					if err == io.EOF {
						break
					}
					require.NoError(t, err, how)
					seen++
					name := string(h.Name)
					require.Contains(t, want, name)
					require.EqualValues(t, len(want[name]), h.Size, name)
					require.Equal(t, name != "after", r.Sparse(), name)
					if read != nil {
						got, err := read(r, h.Size)
						require.NoError(t, err)
						require.True(t, bytes.Equal(want[name], got), "%s by %s", name, how)
					}
				}
				require.Equal(t, len(want), seen, how)
			}
		})
	}
}

func TestSparseMapsThatLie(t *testing.T) {
	for _, frags := range [][]fragment{
		{{-1, 1}}, {{0, -1}}, {{0, 11}}, {{5, 2}, {6, 1}}, {{5, 1}, {0, 1}}, {{9, 1 << 62}}, {{1 << 62, 1 << 62}},
	} {
		require.ErrorIs(t, checkFragments(frags, 10), boltseal.ErrMalformed, "%v", frags)
	}
	require.NoError(t, checkFragments([]fragment{{0, 5}, {5, 5}, {10, 0}}, 10))
	require.ErrorIs(t, checkFragments(nil, -1), boltseal.ErrMalformed)
}
