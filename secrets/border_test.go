package secrets

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBordersOfBlocks moves a text with secrets as they stand and in every inline
// encoding, under the built-in rules, over the border between two blocks of a
// stream. With BOLTSEAL_LONG the border falls on every offset of the text.
func TestBordersOfBlocks(t *testing.T) {
	step := 211
	if os.Getenv("BOLTSEAL_LONG") != "" {
		step = 1
	}
	pat := func(seed int64) string { return "glpat-" + token(seed, 20, word) }
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	quoted, err := json.Marshal("PORT=8080\nDB_PASSWORD=" + token(9, 18, word) + "\n")
	require.NoError(t, err)
	pem := "-----BEGIN EC PRIVATE KEY-----\n" + base64.StdEncoding.EncodeToString(der) + "\n-----END EC PRIVATE KEY-----\n"
	wide := ""
	for _, c := range pat(5) {
		wide += string(c) + "\x00"
	}
	text := strings.Join([]string{
		pat(1), "api_secret: " + token(2, 32, word), pem, string(quoted), "postgres://app:" + token(3, 16, word) + "@db.shop.internal/x",
		"data: " + base64.StdEncoding.EncodeToString([]byte("token = "+pat(4))), "blob: " + hex.EncodeToString([]byte("token = "+pat(6))), "\x00\x00" + wide + "\x00",
		"form: " + url.QueryEscape("a=1\ntoken = "+pat(7)), `json: "token\u003d` + pat(8) + `"`, "yaml: |\n  " + pat(10) + "\nnext: 1", "&quot;" + pat(11) + "&quot;",
		"Authorization: Bearer " + token(12, 40, word), "plain words to the end",
	}, "\n")
	s := scannerFor(t)
	for pad := 2*reach + stride + block - len(text) - 8; pad <= 2*reach+stride+block; pad += step {
		data := append(bytes.Repeat([]byte("pad "), pad/4+1)[:pad], "\n"+text...)
		whole, err := s.Bytes(t.Context(), "f", data)
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(whole.Matches), 13)
		stream, err := s.Reader(t.Context(), "f", bytes.NewReader(data))
		require.NoError(t, err)
		require.Equal(t, summary(whole.Matches), summary(stream.Matches), "behind %d bytes", pad)
	}
}
