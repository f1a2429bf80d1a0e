package secrets

import (
	"bytes"
	//lint:ignore SA1019 such keys are found, not made
	"crypto/dsa"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

const pass, fail, unknown = boltseal.VerdictPass, boltseal.VerdictFail, boltseal.VerdictUnknown

// The vectors of .NET's own tests of Marvin (dotnet/runtime, MarvinTests.cs)
// are 64 bits: the two halves that the 32-bit form folds.
func TestMarvin(t *testing.T) {
	const one, two, three = 0x004FB61A001BDBCC, 0x804FB61A001BDBCC, 0x804FB61A801BDBCC
	for _, v := range []struct {
		seed uint64
		data string
		want uint64
	}{
		{one, "", 0x30ED35C100CD3C7D},
		{one, "af", 0x48E73FC77D75DDC1},
		{one, "e70f", 0xB5F6E1FC485DBFF8},
		{one, "37f495", 0xF0B07C789B8CF7E8},
		{one, "8642dc59", 0x7008F2E87E9CF556},
		{one, "153fb79826", 0xE6C08C6DA2AFA997},
		{one, "0932e6246c47", 0x6F04BF1A5EA24060},
		{one, "ab427ea8d10fc7", 0xE11847E4F0678C41},
		{two, "", 0x10A9D5D3996FD65D},
		{two, "e70f", 0x64B581631F6AB378},
		{three, "00", 0xA37FB0DA2ECAE06C},
		{three, "00ff", 0xA638E75700048880},
	} {
		data, err := hex.DecodeString(v.data)
		require.NoError(t, err)
		require.Equal(t, uint32(v.want>>32)^uint32(v.want), marvin32(v.seed, data), v.data)
	}
}

func TestBech32(t *testing.T) {
	// Valid and invalid texts of BIP 173.
	for _, s := range []string{"A12UEL5L", "a12uel5l", "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
		"abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", "?1ezyfcl"} {
		require.Equal(t, pass, checkBech32([]byte(s)), s)
	}
	for _, s := range []string{"", "1", "pzry9x0s0muk", "1pzry9x0s0muk", "x1b4n0q5v", "li1dgmt3", "A1G7SGD8", "10a06t8", "1qzzfhee", "a12UEL5L", "a12uel5m"} {
		require.Equal(t, fail, checkBech32([]byte(s)), s)
	}
}

func TestWIF(t *testing.T) {
	// The example of Bitcoin's own wiki, of which everybody has the key.
	key := "5HueCGU8rMjxEXxiPuD5BDku4Mk" + "FqeZyd4dZ1jvhTVqvbTLvyTJ"
	require.Equal(t, pass, checkWIF([]byte(key)))
	require.Equal(t, fail, checkWIF([]byte(key[:len(key)-1]+"K")))
	require.Equal(t, fail, checkWIF(nil))
	require.Equal(t, fail, checkWIF(bytes.Repeat([]byte("z"), 5000)))
}

// readmeSeed is the user seed of nkeys' own README.
const readmeSeed = "SUAGMJH5XLGZKQQWAWKRZJIGMOU4H" + "PFUYLXJMXOO5NLFEO2OOQJ5LPRDPM"

func TestNKey(t *testing.T) {
	seed := readmeSeed
	require.Equal(t, pass, checkNKey([]byte(seed)))
	require.Equal(t, fail, checkNKey([]byte(seed[:57]+"A")))
	require.Equal(t, fail, checkNKey([]byte("SB"+seed[2:])))
	require.Equal(t, fail, checkNKey(nil))
}

func TestAWSAccount(t *testing.T) {
	// Published with the method: "A short note on AWS KEY ID", 2023.
	account, ok := awsAccount([]byte("ASIAQNZGKIQY" + "56JQ7WML"))
	require.True(t, ok)
	require.Equal(t, "029608264753", account)
	_, ok = awsAccount([]byte("AKIAIOSFODNN7" + "EXAMPLE"))
	require.False(t, ok)
	_, ok = awsAccount([]byte("AKIA"))
	require.False(t, ok)
}

func TestCRC24(t *testing.T) {
	require.EqualValues(t, 0xB704CE, crc24(nil))
	require.EqualValues(t, 0x21CF02, crc24([]byte("123456789"))) // the check value of CRC-24/OPENPGP
}

func TestDecodersBearAnything(t *testing.T) {
	for _, check := range allChecks() {
		for _, in := range []string{"", "_", ".", "..", "=", "a_b", "ghp_", "glpat-.", strings.Repeat("A", 84), strings.Repeat("=", 100), "\x00\xff"} {
			check([]byte(in))
		}
	}
}

// allChecks are those of the rules and what they are made of.
func allChecks() []func([]byte) boltseal.Verdict {
	out := []func([]byte) boltseal.Verdict{checkPyPI, checkJWT, checkJWTNone, checkJWE, checkServiceRole, checkServiceAccount, checkAnonymous, checkBech32, checkNKey, checkWIF, checkPuTTY,
		checkTrailingJWT('_'), checkMembers(4, '_', "a"), checkAzureDevOps,
		func(b []byte) boltseal.Verdict { return parseKey(b).verdict }}
	for _, parse := range []func([]byte) key{parseRSA, parseNamedEC, parseDSA, parsePKCS8, parseAnyKey, parseOpenSSH, parseEncryptedPKCS8, func(b []byte) key { return parsePGP(pemBlock{der: b}) }} {
		out = append(out, func(b []byte) boltseal.Verdict { return parse(b).verdict })
	}
	for _, r := range Families() {
		if r.Check != nil {
			out = append(out, r.Check)
		}
	}
	return out
}

func pemText(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label + " PRIVATE KEY", Bytes: der}))
}

// Keys made by Go's own packages parse, and no longer do with a bit flipped in
// a number that depends on the others.
func TestKeysOfGo(t *testing.T) {
	r, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	e224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	require.NoError(t, err)
	public, d, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	sec1, err := x509.MarshalECPrivateKey(e)
	require.NoError(t, err)

	k := parseRSA(x509.MarshalPKCS1PrivateKey(r))
	require.Equal(t, pass, k.verdict)
	require.Equal(t, r.N.Bytes(), k.public)
	k = parseNamedEC(sec1)
	require.Equal(t, pass, k.verdict)
	require.Equal(t, trimZeros(e.X.Bytes()), k.public)
	for _, any := range []any{r, e, e224, d} {
		der, err := x509.MarshalPKCS8PrivateKey(any)
		require.NoError(t, err)
		require.Equal(t, pass, parsePKCS8(der).verdict)
	}
	der, err := x509.MarshalPKCS8PrivateKey(d)
	require.NoError(t, err)
	require.Equal(t, []byte(public), parsePKCS8(der).public)

	broken := *r
	broken.D = new(big.Int).Add(r.D, big.NewInt(2))
	der, err = asn1.Marshal(struct {
		Version                  int
		N, E, D, P, Q, DP, DQ, C *big.Int
	}{0, r.N, big.NewInt(int64(r.E)), broken.D, r.Primes[0], r.Primes[1], r.Precomputed.Dp, r.Precomputed.Dq, r.Precomputed.Qinv})
	require.NoError(t, err)
	require.Equal(t, fail, parseRSA(der).verdict)
	i := bytes.Index(sec1, e.X.Bytes())
	require.Positive(t, i)
	sec1[i+5] ^= 1
	require.Equal(t, fail, parseNamedEC(sec1).verdict)
}

func TestDSA(t *testing.T) {
	var p dsa.Parameters
	require.NoError(t, dsa.GenerateParameters(&p, rand.Reader, dsa.L1024N160))
	k := dsa.PrivateKey{PublicKey: dsa.PublicKey{Parameters: p}}
	require.NoError(t, dsa.GenerateKey(&k, rand.Reader))
	type numbers struct {
		Version       int
		P, Q, G, Y, X *big.Int
	}
	der, err := asn1.Marshal(numbers{0, p.P, p.Q, p.G, k.Y, k.X})
	require.NoError(t, err)
	got := parseDSA(der)
	require.Equal(t, pass, got.verdict)
	require.Equal(t, k.Y.Bytes(), got.public)
	der, err = asn1.Marshal(numbers{0, p.P, p.Q, p.G, k.Y, new(big.Int).Add(k.X, p.Q)})
	require.NoError(t, err)
	require.Equal(t, fail, parseDSA(der).verdict)
}

// ssh-keygen's and openssl's keys, with and without a passphrase.
func TestKeysOfTools(t *testing.T) {
	dir := t.TempDir()
	run := func(name string, args ...string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("%s: %v: %s", name, err, out)
		}
	}
	read := func(name string) pemBlock {
		data, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		b, ok := parsePEM(data)
		require.True(t, ok, name)
		return b
	}
	for _, kind := range []string{"ecdsa", "ed25519"} {
		run("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", kind)
		k := parseOpenSSH(read(kind).der)
		require.Equal(t, pass, k.verdict, kind)
		require.False(t, k.encrypted)
		require.NotEmpty(t, k.public)
		run("ssh-keygen", "-q", "-t", kind, "-a", "1", "-N", "passphrase", "-f", kind+"-locked")
		k = parseOpenSSH(read(kind + "-locked").der)
		require.Equal(t, pass, k.verdict, kind)
		require.True(t, k.encrypted)
	}
	run("openssl", "genpkey", "-algorithm", "X25519", "-aes256", "-pass", "pass:passphrase", "-out", "locked.pem")
	require.Equal(t, pass, parseEncryptedPKCS8(read("locked.pem").der).verdict)
	run("openssl", "ecparam", "-name", "secp256k1", "-genkey", "-noout", "-out", "koblitz.pem")
	require.Equal(t, pass, parseNamedEC(read("koblitz.pem").der).verdict)
	for _, algorithm := range []string{"X25519", "ED448"} {
		run("openssl", "genpkey", "-algorithm", algorithm, "-out", algorithm)
		require.Equal(t, pass, parsePKCS8(read(algorithm).der).verdict)
	}
}

// gpg's keys, with and without a passphrase.
func TestKeysOfGPG(t *testing.T) {
	if os.Getenv("BOLTSEAL_LONG") == "" {
		t.Skip("BOLTSEAL_LONG is not set: gpg takes seconds to start")
	}
	home := t.TempDir()
	gpg := func(args ...string) []byte {
		t.Helper()
		cmd := exec.Command("gpg", append([]string{"--homedir", home, "--batch", "--yes", "--pinentry-mode", "loopback"}, args...)...)
		out, err := cmd.Output()
		if err != nil {
			t.Skipf("gpg %v: %v", args, err)
		}
		return out
	}
	t.Cleanup(func() { exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run() })
	for _, phrase := range []string{"", "passphrase"} {
		user := "user" + phrase + "@example.com"
		gpg("--passphrase", phrase, "--quick-generate-key", user, "ed25519", "sign")
		b, ok := parsePEM(gpg("--passphrase", phrase, "--armor", "--export-secret-keys", user))
		require.True(t, ok)
		k := parsePGP(b)
		require.Equal(t, pass, k.verdict, user)
		require.Equal(t, phrase != "", k.encrypted, user)
		if b.sum != nil {
			b.der[len(b.der)-1] ^= 1
			require.Equal(t, fail, parsePGP(b).verdict)
		}
	}
}

func TestParsePEMInCode(t *testing.T) {
	_, d, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(d)
	require.NoError(t, err)
	text := strings.TrimSuffix(pemText("", der), "\n")
	text = strings.ReplaceAll(text, "BEGIN  ", "BEGIN ")
	text = strings.ReplaceAll(text, "END  ", "END ")
	lines := strings.Split(text, "\n")
	for name, in := range map[string]string{
		"plain":         text,
		"crlf":          strings.Join(lines, "\r\n"),
		"indented":      strings.Join(lines, "\n    "),
		"escaped":       strings.Join(lines, `\n`),
		"escaped twice": strings.Join(lines, `\\n`),
		"concatenated":  strings.Join(lines, "\\n\" +\n\t\""),
		"array":         strings.Join(lines, "\",\n  \""),
	} {
		b, ok := parsePEM([]byte(in))
		require.True(t, ok, name)
		require.Equal(t, "PRIVATE KEY", b.label, name)
		require.Equal(t, der, b.der, name)
	}
}

func TestJWT(t *testing.T) {
	enc := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	token := func(header, claims, signature string) []byte {
		return []byte(enc(header) + "." + enc(claims) + "." + signature)
	}
	signed := token(`{"alg":"HS256"}`, `{"exp":1516239022,"sub":"system:serviceaccount:a:b","role":"service_role"}`, "c2ln")
	require.Equal(t, pass, checkJWT(signed))
	require.Equal(t, pass, checkServiceRole(signed))
	require.Equal(t, pass, checkServiceAccount(signed))
	j, ok := parseJWT(signed)
	require.True(t, ok)
	require.EqualValues(t, 1516239022, j.expiry().Unix())
	require.Equal(t, fail, checkJWT(token(`{"alg":"none"}`, `{}`, "")))
	require.Equal(t, pass, checkJWTNone(token(`{"alg":"none"}`, `{}`, "")))
	require.Equal(t, fail, checkJWT(token(`{"typ":"JWT"}`, `{}`, "c2ln")))
	require.Equal(t, fail, checkJWT(token(`{"alg":"HS256"}`, `not an object`, "c2ln")))
	require.Equal(t, fail, checkJWT([]byte("a.b.c")))
	require.Equal(t, fail, checkJWE(signed))
}

func FuzzChecks(f *testing.F) {
	f.Add([]byte(readmeSeed))
	f.Add([]byte("-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----"))
	f.Add([]byte("openssh-key-v1\x00\x00\x00\x00\x04none\x00\x00\x00\x04none\x00\x00\x00\x00\x00\x00\x00\x01"))
	f.Add([]byte{0x95, 3, 0xBE, 4, 0, 0, 0, 0, 1})
	f.Add([]byte("eyJhbGciOiJub25lIn0.e30."))
	f.Add([]byte("\x02\x01\x08pypi.org\x02\x01a\x00\x00\x06\x20"))
	f.Add([]byte("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-MAC: 00"))
	checks := allChecks()
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 1<<16 {
			return
		}
		kept := bytes.Clone(in)
		for _, check := range checks {
			check(in)
		}
		require.Equal(t, kept, in, "a check changed its token")
	})
}
