package secrets

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// derKeys makes a key of each kind, in each form that crypto/x509 writes.
func derKeys(t *testing.T) map[string][]byte {
	out := map[string][]byte{}
	pkcs8 := func(name string, key any) {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		require.NoError(t, err)
		out[name+" PKCS8"] = der
	}
	for bits, name := range map[int]string{1024: "RSA 1024", 2048: "RSA 2048"} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		require.NoError(t, err)
		out[name+" PKCS1"] = x509.MarshalPKCS1PrivateKey(key)
		pkcs8(name, key)
	}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		require.NoError(t, err)
		out[curve.Params().Name+" SEC1"], err = x509.MarshalECPrivateKey(key)
		require.NoError(t, err)
		pkcs8(curve.Params().Name, key)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	pkcs8("Ed25519", ed)
	x, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	pkcs8("X25519", x)
	return out
}

func TestKeysInDER(t *testing.T) {
	ways := map[string]func([]byte) []byte{
		"file": func(b []byte) []byte { return b },
		"program": func(b []byte) []byte {
			return bytes.Join([][]byte{[]byte("\x7fELF\x02\x01\x01"), make([]byte, 601), b, []byte("\x00\x30\x82")}, nil)
		},
		"hex":        func(b []byte) []byte { return []byte("var key = `" + hex.EncodeToString(b) + "`\n") },
		"base64":     func(b []byte) []byte { return []byte("key: " + base64.StdEncoding.EncodeToString(b) + "\n") },
		"base64 url": func(b []byte) []byte { return []byte("key=" + base64.RawURLEncoding.EncodeToString(b) + "&") },
	}
	for kind, der := range derKeys(t) {
		var prints []string
		for way, write := range ways {
			res, err := scannerFor(t).Bytes(t.Context(), "a", write(der))
			require.NoError(t, err)
			got := ofRule(res, "private-key-der")
			require.Len(t, got, 1, "%s in %s", kind, way)
			require.Equal(t, len(der), got[0].Secret.length, "%s in %s", kind, way)
			prints = append(prints, got[0].Fingerprint)
		}
		for _, p := range prints {
			require.Equal(t, prints[0], p, kind)
		}
		// The same bytes in PEM are one finding, that of the armour.
		res, err := scannerFor(t).Bytes(t.Context(), "a", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		require.NoError(t, err)
		require.Len(t, res.Matches, 1, kind)
		require.Equal(t, "private-key-pkcs8", res.Matches[0].Rule)
	}
}

func TestWhatIsNoKeyInDER(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	pkcs1 := x509.MarshalPKCS1PrivateKey(rsaKey)
	public, err := x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)
	require.NoError(t, err)
	other := bytes.Clone(pkcs1)
	other[60] ^= 1 // of the modulus
	prefix, err := hex.DecodeString("302e020100300506032b657004220420")
	require.NoError(t, err)
	bare, err := hex.DecodeString("302502010104" + "20" + strings.Repeat("a7", 32))
	require.NoError(t, err)
	for name, b := range map[string][]byte{
		"public key":                public,
		"public key in PKCS1":       x509.MarshalPKCS1PublicKey(&rsaKey.PublicKey),
		"numbers that do not fit":   other,
		"cut off":                   pkcs1[:len(pkcs1)-1],
		"prefix in a program":       append(prefix, make([]byte, 64)...),
		"prefix before other code":  append(prefix, strings.Repeat("\x00\x01", 32)...),
		"a number without a curve":  bare,
		"prefix at the very end":    prefix,
		"SEQUENCE of another size":  append([]byte{0x30, 0x81, 0x10}, pkcs1[4:]...),
		"inside out: no SEQUENCE":   pkcs1[4:],
		"a length that never comes": append([]byte{0x30, 0x82, 0xff, 0xff}, pkcs1[4:]...),
	} {
		res, err := scannerFor(t).Bytes(t.Context(), "a", b)
		require.NoError(t, err)
		require.Empty(t, res.Matches, name)
	}
}

func FuzzKeyInDER(f *testing.F) {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(f, err)
	f.Add(x509.MarshalPKCS1PrivateKey(key))
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(f, err)
	sec1, err := x509.MarshalECPrivateKey(curve)
	require.NoError(f, err)
	f.Add(sec1)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(f, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(ed)
	require.NoError(f, err)
	f.Add(pkcs8)
	f.Fuzz(func(t *testing.T, b []byte) {
		for at := range b {
			c := &Candidate{Text: b, Start: at, End: at}
			if derKey(c) {
				require.LessOrEqual(t, len(c.Secret), len(b))
				require.NotEqual(t, boltseal.VerdictUnknown, c.Verdict)
			}
		}
	})
}
