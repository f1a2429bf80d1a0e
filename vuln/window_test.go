package vuln

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// TestWindow reads at random and compares with the bytes themselves.
func TestWindow(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	data := make([]byte, 3*windowSize+17)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	from := bytes.NewReader(data)
	w := &window{from: from}
	for range 20_000 {
		n := rng.IntN(100)
		if rng.IntN(50) == 0 {
			n = rng.IntN(2 * windowSize)
		}
		off := rng.Int64N(int64(len(data) + 50))
		got, want := make([]byte, n), make([]byte, n)
		i, err := w.ReadAt(got, off)
		j, wantErr := from.ReadAt(want, off)
		require.Equal(t, j, i)
		require.Equal(t, want[:j], got[:i])
		if j < n {
			require.ErrorIs(t, err, io.EOF)
			require.ErrorIs(t, wantErr, io.EOF)
		} else {
			require.NoError(t, err)
		}
	}
	_, err := w.ReadAt(make([]byte, 1), -1)
	require.Error(t, err)

	broken := &window{from: failing{}}
	for range 2 { // an error is not taken for content the second time
		_, err := broken.ReadAt(make([]byte, 3), 0)
		require.ErrorIs(t, err, iotest.ErrTimeout)
	}
}

type failing struct{}

func (failing) ReadAt(p []byte, _ int64) (int, error) { return len(p) / 2, iotest.ErrTimeout }
