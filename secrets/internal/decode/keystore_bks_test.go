package decode

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// bks writes a store of Bouncy Castle's with a sealed key in it, by its layout and
// with a key that openssl derives.
func bks(t *testing.T, kind byte, iterations int, password string) []byte {
	salt := bytes.Repeat([]byte{0x5a, 0xa5, 7, 9}, 5)
	var entry []byte
	text := func(s string) { entry = append(binary.BigEndian.AppendUint16(entry, uint16(len(s))), s...) }
	entry = append(entry, kind)
	text("mine")
	entry = append(entry, make([]byte, 8)...)
	entry = binary.BigEndian.AppendUint32(entry, 1) // a chain of one
	text("X.509")
	entry = append(binary.BigEndian.AppendUint32(entry, 3), "crt"...)
	if kind == 1 {
		text("X.509")
	}
	entry = append(binary.BigEndian.AppendUint32(entry, 6), "sealed"...)
	entry = append(entry, 0)
	out := shell(t, "openssl", fmt.Sprintf("openssl kdf -binary -keylen 20 -kdfopt digest:SHA1 -kdfopt hexpass:%x -kdfopt hexsalt:%x -kdfopt iter:%d -kdfopt id:3 -out o PKCS12KDF", append(utf16be(password), 0, 0), salt, iterations), "o")
	mac := hmac.New(sha1.New, out)
	mac.Write(entry)
	data := append([]byte{0, 0, 0, 2, 0, 0, 0, 20}, salt...)
	data = binary.BigEndian.AppendUint32(data, uint32(iterations))
	return append(append(data, entry...), mac.Sum(nil)...)
}

func TestBouncyCastle(t *testing.T) {
	data := bks(t, 4, 1319, "changeit")
	require.True(t, KeystoreHead(data))
	k, err := ParseKeystore(data, 100_000)
	require.NoError(t, err)
	require.Equal(t, []string{"mine"}, k.Aliases)
	require.True(t, k.Keys)
	require.True(t, k.Opens("changeit"))
	require.False(t, k.Opens("changeme"))
	require.False(t, k.Opens(""))

	k, err = ParseKeystore(data, 100) // a password would cost more
	require.NoError(t, err)
	require.False(t, k.Opens("changeit"))

	k, err = ParseKeystore(bks(t, 1, 10, "changeit"), 100)
	require.NoError(t, err)
	require.False(t, k.Keys) // trust alone

	for cut := range len(data) {
		_, err := ParseKeystore(data[:cut], 100)
		require.ErrorIs(t, err, boltseal.ErrMalformed, cut)
	}
	_, err = ParseKeystore(bks(t, 9, 10, "changeit"), 100)
	require.ErrorIs(t, err, boltseal.ErrMalformed)
	require.False(t, KeystoreHead([]byte("\x00\x00\x00\x02\x00\x00\x00\x15"+strings.Repeat("x", 40))))
}
