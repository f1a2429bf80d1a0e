package decode

import (
	"encoding/binary"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOutsideMarksBytes has every byte in every place, between bytes that are in
// the alphabets and such that are not.
func TestOutsideMarksBytes(t *testing.T) {
	const kept = "[]\\^`" // told apart later
	for c := range 256 {
		out := sextet[c] == 0xff
		for _, k := range kept {
			out = out && c != int(k)
		}
		for place := range 8 {
			for _, beside := range []byte{'a', ' ', 0, 0xff} {
				var b [8]byte
				for i := range b {
					b[i] = beside
				}
				b[place] = byte(c)
				require.Equal(t, out, outside(binary.LittleEndian.Uint64(b[:]))>>(8*place+7)&1 != 0, "byte %#x at %d beside %#x", c, place, beside)
			}
		}
	}
}

// TestNextRunFindsWhatALoopFinds compares with a count of characters in a row.
func TestNextRunFindsWhatALoopFinds(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for range 2000 {
		data := make([]byte, 20+r.Intn(200))
		for i := range data {
			data[i] = "aZ9+/-_"[r.Intn(7)]
			if r.Intn(24) == 0 {
				data[i] = " .;[`\x00\xff\n"[r.Intn(8)]
			}
		}
		from, to := r.Intn(len(data)/2), len(data)-r.Intn(10)
		want, stop, n := -1, 0, 0
		for i := from; i <= len(data) && want < 0; i++ {
			if i < len(data) && sextet[data[i]] != 0xff {
				n++
				continue
			}
			if n >= minRun && i-n < to {
				want, stop = i-n, i
			}
			n = 0
		}
		start, end, cases := nextRun(data, from, to)
		require.Equal(t, want, start, "%q from %d to %d", data, from, to)
		if start >= 0 {
			require.Equal(t, stop, end)
			require.Equal(t, mixedCase(data[start:end]), cases == lowerCase|upperCase)
		}
	}
}
