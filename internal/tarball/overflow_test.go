package tarball

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// A size whose padding takes it past 63 bits must not make the content that
// follows pass for entries.
func TestSizeOfAllBits(t *testing.T) {
	header := func(name string, size []byte) []byte {
		b := make([]byte, block)
		copy(b, name)
		copy(b[offMode:], "0000644\x00")
		copy(b[offUID:], "0000000\x00")
		copy(b[offGID:], "0000000\x00")
		copy(b[offSize:], size)
		copy(b[offMtime:], "00000000000\x00")
		copy(b[offSum:], "        ")
		b[offType] = TypeRegular
		copy(b[offMagic:], "ustar\x0000")
		sum := 0
		for _, c := range b {
			sum += int(c)
		}
		copy(b[offSum:], fmt.Sprintf("%06o\x00 ", sum))
		return b
	}
	huge := append([]byte{0x80, 0, 0, 0, 0x7f}, bytes.Repeat([]byte{0xff}, 7)...)
	r := NewReader(bytes.NewReader(append(header("huge", huge), header("inside", []byte("00000000000\x00"))...)))
	h, err := r.Next()
	require.NoError(t, err)
	require.EqualValues(t, 1<<63-1, h.Size)
	_, err = r.Next()
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}
