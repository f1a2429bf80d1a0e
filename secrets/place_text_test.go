package secrets

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is encoded too often is told of if it would be text. Tables of bytes
// have runs of backslashes too, and mean nothing.
func TestEncodedTooOften(t *testing.T) {
	text := "the quick brown fox jumps over the lazy dog, and over much else beside it"
	for range decodeDepth + 1 {
		text = base64.StdEncoding.EncodeToString([]byte(text))
	}
	res, err := NewScanner(nil).Bytes(t.Context(), "a.txt", []byte(text))
	require.NoError(t, err)
	require.Len(t, res.Skipped, 1)
	require.Contains(t, res.Skipped[0].Reason, "encoded more than 4 times")
	require.False(t, res.Skipped[0].Note)

	escaped := `\x5c` + strings.Repeat("x5c", decodeDepth+1) + "x74" // a backslash, again and again
	res, err = NewScanner(nil).Bytes(t.Context(), "a.txt", []byte(strings.Repeat("some words "+escaped, 20)))
	require.NoError(t, err)
	require.Len(t, res.Skipped, 1)
	require.True(t, res.Skipped[0].Note, "escapes hide no more than single characters")

	// The example of a file's first bytes is no file.
	res, err = NewScanner(nil).Bytes(t.Context(), "tarfile.py", []byte(`if not s.startswith(b"\x1f\x8b\x08"): raise`))
	require.NoError(t, err)
	require.Len(t, res.Skipped, 1)
	require.True(t, res.Skipped[0].Note)

	var table bytes.Buffer
	for i := range 200 {
		table.Write([]byte{byte(0x80 + i%0x7f), 't', 0xe0, byte(0x81 + i%0x40), 't'})
		table.WriteString(escaped)
	}
	res, err = NewScanner(nil).Bytes(t.Context(), "table.bin", table.Bytes())
	require.NoError(t, err)
	require.Empty(t, res.Skipped)
}
