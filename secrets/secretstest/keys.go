package secretstest

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
)

// prime draws a prime of so many bits.
func (m *maker) prime(bits int) *big.Int {
	for {
		n := new(big.Int).SetBytes(m.bytes(bits / 8))
		n.SetBit(n, bits-1, 1).SetBit(n, bits-2, 1).SetBit(n, 0, 1)
		if n.ProbablyPrime(10) {
			return n
		}
	}
}

// rsaNumbers draws a key of 1024 bits: small, because tests make many.
func (m *maker) rsaNumbers() (n, e, d, p, q *big.Int) {
	e, one := big.NewInt(65537), big.NewInt(1)
	for {
		p, q = m.prime(512), m.prime(512)
		order := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		if d = new(big.Int).ModInverse(e, order); d != nil && p.Cmp(q) != 0 {
			return new(big.Int).Mul(p, q), e, d, p, q
		}
	}
}

func der(v any) []byte {
	out, err := asn1.Marshal(v)
	if err != nil {
		panic(err) // the types below are ASN.1
	}
	return out
}

// pkcs1 is an RSA key as RFC 8017 has it.
func (m *maker) pkcs1() []byte {
	n, e, d, p, q := m.rsaNumbers()
	one := big.NewInt(1)
	return der(struct {
		Version                  int
		N, E, D, P, Q, DP, DQ, C *big.Int
	}{0, n, e, d, p, q, new(big.Int).Mod(d, new(big.Int).Sub(p, one)), new(big.Int).Mod(d, new(big.Int).Sub(q, one)), new(big.Int).ModInverse(q, p)})
}

// sec1 is a key on P-256 as RFC 5915 has it.
func (m *maker) sec1() []byte {
	private := m.bytes(32)
	private[0] &= 0x7F
	key, err := ecdh.P256().NewPrivateKey(private)
	if err != nil {
		panic(err) // a number below the curve's order, and not zero
	}
	point := key.PublicKey().Bytes()
	return der(struct {
		Version int
		Private []byte
		Curve   asn1.ObjectIdentifier `asn1:"explicit,tag:0"`
		Public  asn1.BitString        `asn1:"explicit,tag:1"`
	}{1, private, asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}, asn1.BitString{Bytes: point, BitLength: len(point) * 8}})
}

type algorithm struct{ OID asn1.ObjectIdentifier }

// pkcs8 is an Ed25519 key as RFC 8410 has it.
func (m *maker) pkcs8() []byte {
	return der(struct {
		Version   int
		Algorithm algorithm
		Private   []byte
	}{0, algorithm{asn1.ObjectIdentifier{1, 3, 101, 112}}, der(m.bytes(32))})
}

// dsa is a key as OpenSSL writes it, in a small group.
func (m *maker) dsa() []byte {
	q, one := m.prime(160), big.NewInt(1)
	p := new(big.Int)
	for k := new(big.Int); ; {
		k.SetBytes(m.bytes(44)).SetBit(k, 351, 1).SetBit(k, 0, 0)
		if p.Add(p.Mul(k, q), one); p.ProbablyPrime(10) {
			g := new(big.Int).Exp(big.NewInt(2), new(big.Int).Div(new(big.Int).Sub(p, one), q), p)
			x := new(big.Int).SetBytes(m.bytes(19))
			return der(struct {
				Version       int
				P, Q, G, Y, X *big.Int
			}{0, p, q, g, new(big.Int).Exp(g, x, p), x})
		}
	}
}

// encrypted is the frame of an encrypted key; what it holds is noise.
func (m *maker) encrypted() []byte {
	type scheme struct {
		OID        asn1.ObjectIdentifier
		Parameters asn1.RawValue
	}
	return der(struct {
		Scheme scheme
		Data   []byte
	}{scheme{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}, asn1.RawValue{FullBytes: der(m.bytes(16))}}, m.bytes(128)})
}

// openssh is an Ed25519 key in OpenSSH's own format.
func (m *maker) openssh(cipher string) []byte {
	private := ed25519.NewKeyFromSeed(m.bytes(32))
	text := func(parts ...[]byte) (out []byte) {
		for _, p := range parts {
			out = append(binary.BigEndian.AppendUint32(out, uint32(len(p))), p...)
		}
		return out
	}
	public := text([]byte("ssh-ed25519"), private.Public().(ed25519.PublicKey))
	check := m.bytes(4)
	secret := append(append([]byte{}, check...), check...)
	secret = append(secret, text([]byte("ssh-ed25519"), private.Public().(ed25519.PublicKey), private, []byte("root@build"))...)
	for i := byte(1); len(secret)%8 != 0; i++ {
		secret = append(secret, i)
	}
	kdf, options := "none", []byte(nil)
	if cipher != "none" {
		kdf, options = "bcrypt", append(text(m.bytes(16)), 0, 0, 0, 16)
		secret = m.bytes(len(secret))
	}
	out := append([]byte("openssh-key-v1\x00"), text([]byte(cipher), []byte(kdf), options)...)
	out = append(out, 0, 0, 0, 1)
	return append(out, text(public, secret)...)
}

// pgp is an OpenPGP secret key packet: RSA, not protected, with small numbers.
func (m *maker) pgp() []byte {
	n, e, d, p, q := m.rsaNumbers()
	mpi := func(n *big.Int) []byte {
		return append([]byte{byte(n.BitLen() >> 8), byte(n.BitLen())}, n.Bytes()...)
	}
	body := append([]byte{4, 0x65, 0, 0, 0, 1}, mpi(n)...)
	body = append(append(body, mpi(e)...), 0)
	for _, v := range []*big.Int{d, p, q, new(big.Int).ModInverse(p, q)} {
		body = append(body, mpi(v)...)
	}
	body = append(body, 0, 0)
	return append([]byte{0x80 | 5<<2 | 1, byte(len(body) >> 8), byte(len(body))}, body...)
}

// sum24 is the sum of OpenPGP's armor, by long division of the whole text.
func sum24(data []byte) []byte {
	reg := 0xB704CE
	for _, c := range data {
		for bit := 7; bit >= 0; bit-- {
			top := reg>>23&1 ^ int(c)>>bit&1
			reg = reg << 1 & 0xFFFFFF
			if top == 1 {
				reg ^= 0x864CFB
			}
		}
	}
	return []byte{byte(reg >> 16), byte(reg >> 8), byte(reg)}
}

func armor(label string, der []byte) string {
	return strings.TrimSuffix(string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})), "\n")
}

func armored(label string, make func(*maker) []byte) func(*maker, string) string {
	return func(m *maker, _ string) string { return armor(label+" PRIVATE KEY", make(m)) }
}

func pgpArmor(m *maker, _ string) string {
	key := m.pgp()
	text := armor("PGP PRIVATE KEY BLOCK", key)
	text = strings.Replace(text, "-----\n", "-----\n\n", 1)
	return strings.Replace(text, "\n-----END", "\n="+base64.StdEncoding.EncodeToString(sum24(key))+"\n-----END", 1)
}

// oldEncrypted has the headers of OpenSSL's first encrypted format.
func oldEncrypted(m *maker, _ string) string {
	return strings.TrimSuffix(string(pem.EncodeToMemory(&pem.Block{
		Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": fmt.Sprintf("AES-128-CBC,%X", m.bytes(16))}, Bytes: m.bytes(608),
	})), "\n")
}

func putty(m *maker, _ string) string {
	lines := func(n int) string {
		text, out := base64.StdEncoding.EncodeToString(m.bytes(n)), ""
		for len(text) > 64 {
			out, text = out+text[:64]+"\n", text[64:]
		}
		return out + text
	}
	return "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: build\nPublic-Lines: 2\n" + lines(51) +
		"\nPrivate-Lines: 1\n" + lines(36) + "\nPrivate-MAC: " + fmt.Sprintf("%x", m.bytes(32))
}

func kubeconfigKey(m *maker, _ string) string {
	return std(armor("EC PRIVATE KEY", m.sec1()) + "\n")
}

// escaped is a text as JSON strings hold it.
func escaped(s string) string { return strings.ReplaceAll(s, "\n", `\n`) }

func serviceAccount(m *maker, _ string) string {
	key := armor("PRIVATE KEY", der(struct {
		Version   int
		Algorithm struct {
			OID  asn1.ObjectIdentifier
			Null asn1.RawValue
		}
		Private []byte
	}{0, struct {
		OID  asn1.ObjectIdentifier
		Null asn1.RawValue
	}{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}, asn1.RawValue{FullBytes: []byte{5, 0}}}, m.pkcs1()}))
	return fmt.Sprintf(`{
  "type": "service_account",
  "project_id": "shop",
  "private_key_id": "%s",
  "private_key": "%s\n",
  "client_email": "build@shop.iam.gserviceaccount.com",
  "client_id": "%s"
}`, m.run(alphabet('x'), 40), escaped(key), m.run(digits, 21))
}

func userCredentials(m *maker, _ string) string {
	return fmt.Sprintf(`{
  "client_id": "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com",
  "client_secret": "%s",
  "refresh_token": "1//0%s",
  "type": "authorized_user"
}`, m.run(alphabet('w'), 24), m.run(alphabet('w'), 99))
}

func coinbase(m *maker, _ string) string {
	return fmt.Sprintf(`{"name": "organizations/%s/apiKeys/%s", "privateKey": "%s\n"}`, m.uuid(), m.uuid(), escaped(armor("EC PRIVATE KEY", m.sec1())))
}

func (m *maker) uuid() string {
	x := alphabet('x')
	return m.run(x, 8) + "-" + m.run(x, 4) + "-" + m.run(x, 4) + "-" + m.run(x, 4) + "-" + m.run(x, 12)
}

func jwk(m *maker, _ string) string {
	part := func() string { return base64.RawURLEncoding.EncodeToString(m.bytes(32)) }
	return fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","kid":"build","x":"%s","d":"%s"}`, part(), part())
}

func runnerKey(m *maker, _ string) string {
	n, e, d, p, q := m.rsaNumbers()
	text := func(n *big.Int) string { return base64.StdEncoding.EncodeToString(n.Bytes()) }
	return fmt.Sprintf(`{"d":"%s","dp":"%s","dq":"%s","exponent":"%s","inverseQ":"%s","modulus":"%s","p":"%s","q":"%s"}`,
		text(d), text(d), text(d), text(e), text(new(big.Int).ModInverse(q, p)), text(n), text(p), text(q))
}

func tokenCache(m *maker, _ string) string {
	return fmt.Sprintf(`[{"tokenType": "Bearer", "resource": "https://management.core.windows.net/", "userId": "build@shop.example", "_authority": "https://login.microsoftonline.com/common", "refreshToken": "0.A%s"}]`, m.run(alphabet('u'), 300))
}

func keyRecipes() []recipe {
	block := func(family string, make func(*maker, string) string, path string) recipe {
		return recipe{family: family, sum: make, path: path, block: true, around: "$1"}
	}
	return []recipe{
		block("private-key-rsa", armored("RSA", (*maker).pkcs1), ""),
		block("private-key-ec", armored("EC", (*maker).sec1), ""),
		block("private-key-dsa", armored("DSA", (*maker).dsa), ""),
		{family: "private-key-der", name: "signer", sum: func(m *maker, _ string) string { return base64.StdEncoding.EncodeToString(m.pkcs8()) }},
		{family: "private-key-der", name: "signer", sum: func(m *maker, _ string) string { return base64.StdEncoding.EncodeToString(m.pkcs1()) }},
		{family: "private-key-der", name: "signer", sum: func(m *maker, _ string) string { return hex.EncodeToString(m.sec1()) }},
		block("private-key-pkcs8", func(m *maker, _ string) string { return armor("PRIVATE KEY", m.pkcs8()) }, ""),
		block("private-key-encrypted", armored("ENCRYPTED", (*maker).encrypted), ""),
		block("private-key-encrypted", oldEncrypted, ""),
		block("openssh-key", armored("OPENSSH", func(m *maker) []byte { return m.openssh("none") }), ""),
		block("openssh-encrypted", armored("OPENSSH", func(m *maker) []byte { return m.openssh("aes256-ctr") }), ""),
		block("ssh-host-key", armored("OPENSSH", func(m *maker) []byte { return m.openssh("none") }), "etc/ssh/ssh_host_ed25519_key"),
		block("cosign-key", armored("ENCRYPTED SIGSTORE", (*maker).encrypted), ""),
		block("putty-key", putty, ""),
		block("pgp-private", pgpArmor, ""),
		block("gcp-service-account", serviceAccount, "app/key.json"),
		block("gcp-adc-user", userCredentials, "root/.config/gcloud/application_default_credentials.json"),
		block("coinbase-cdp", coinbase, "app/cdp.json"),
		block("jwk-private", jwk, "app/keys.json"),
		block("github-runner-key", runnerKey, "runner/.credentials_rsaparams"),
		block("azure-profile", tokenCache, "root/.azure/accessTokens.json"),
	}
}
