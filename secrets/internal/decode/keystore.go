package decode

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"hash"
	"unicode/utf16"
)

// Keystore is what a file of keys says without its password.
type Keystore struct {
	Format  string   // "jks", "jceks", "bks", "pkcs12"
	Aliases []string // of private and secret keys, where they are in the clear
	Keys    bool     // it holds private or secret keys, not trust alone
	// Iterations is what trying a password costs, in rounds of a hash; 0 is one
	// pass over the file.
	Iterations int
	check      func(password string) bool
}

// Opens reports whether the password is the store's: its sum over the whole fits.
func (k *Keystore) Opens(password string) bool { return k.check(password) }

// Magics of Java's keystores.
const (
	magicJKS   = "\xfe\xed\xfe\xed"
	magicJCEKS = "\xce\xce\xce\xce"
)

// KeystoreHead reports whether content begins as a keystore does.
func KeystoreHead(head []byte) bool {
	if len(head) < 16 {
		return false
	}
	if m := string(head[:4]); m == magicJKS || m == magicJCEKS || bksHead(head) {
		return true
	}
	// PFX ::= SEQUENCE { version INTEGER 3, authSafe ContentInfo, … }, RFC 7292, 4.
	for _, n := range []int{2, 3, 4, 5, 6} { // bytes of tag and length
		if head[0] == 0x30 && len(head) > n+5 && string(head[n:n+3]) == "\x02\x01\x03" && head[n+3] == 0x30 {
			return true
		}
	}
	return false
}

// ParseKeystore reads a keystore. One that costs more than the iterations for a
// password, or derives its key in a way that is not known here, opens with none.
func ParseKeystore(data []byte, iterations int) (*Keystore, error) {
	if len(data) < 32 {
		return nil, malformed("keystore of %d bytes", len(data))
	}
	switch string(data[:4]) {
	case magicJKS, magicJCEKS:
		return parseJKS(data)
	}
	if bksHead(data) {
		return parseBKS(data, iterations)
	}
	return parsePFX(data, iterations)
}

// parseJKS reads Java's own format, as the source of OpenJDK has it
// (sun.security.provider.JavaKeyStore, com.sun.crypto.provider.JceKeyStore): the
// sum at the end is SHA-1 of the password in UTF-16, a fixed phrase, and all before.
func parseJKS(data []byte) (*Keystore, error) {
	k := &Keystore{Format: "jks"}
	if string(data[:4]) == magicJCEKS {
		k.Format = "jceks"
	}
	body, sum := data[:len(data)-sha1.Size], data[len(data)-sha1.Size:]
	k.check = func(password string) bool {
		h := sha1.New()
		h.Write(utf16be(password))
		h.Write([]byte("Mighty Aphrodite"))
		h.Write(body)
		return hmac.Equal(h.Sum(nil), sum)
	}
	r := &jksReader{b: body[4:]}
	version, count := r.u32(), r.u32()
	if version != 1 && version != 2 {
		return nil, malformed("%s of version %d", k.Format, version)
	}
	for range min(count, 10_000) {
		tag := r.u32()
		alias := r.text()
		r.skip(8) // time
		switch tag {
		case 1: // a private key and its certificates
			r.skip(int(r.u32()))
			for range min(r.u32(), 100) {
				r.certificate(version)
			}
		case 2:
			r.certificate(version)
		case 3: // a secret key: a serialised Java object, whose length is not told
			k.Keys = true
			k.Aliases = append(k.Aliases, alias)
			return k, nil
		default:
			return nil, malformed("%s entry of kind %d", k.Format, tag)
		}
		if r.bad {
			return nil, malformed("%s is cut off", k.Format)
		}
		if tag == 1 {
			k.Keys = true
			k.Aliases = append(k.Aliases, alias)
		}
	}
	return k, nil
}

type jksReader struct {
	b   []byte
	bad bool
}

func (r *jksReader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.bad, r.b = true, nil
		return make([]byte, min(max(n, 0), 8))
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *jksReader) skip(n int)  { r.take(n) }
func (r *jksReader) u32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }
func (r *jksReader) text() string {
	n := int(binary.BigEndian.Uint16(r.take(2)))
	return string(r.take(n))
}

func (r *jksReader) certificate(version uint32) {
	if version == 2 {
		r.text()
	}
	r.skip(int(r.u32()))
}

func utf16be(s string) (out []byte) {
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u>>8), byte(u))
	}
	return out
}

// Structures of RFC 7292, 4.
type pfx struct {
	Version  int
	AuthSafe contentInfo
	MacData  macData `asn1:"optional"`
}

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"tag:0,explicit,optional"`
}

type macData struct {
	Mac struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
	Salt       []byte
	Iterations int `asn1:"optional,default:1"`
}

// Identifiers of bags, 1.2.840.113549.1.12.10.1.1 and 2.
var (
	oidKeyBag         = []byte{0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x01}
	oidShroudedKeyBag = []byte{0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x02}
)

var (
	oidData   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSHA1   = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
)

func parsePFX(data []byte, iterations int) (*Keystore, error) {
	var p pfx
	if _, err := asn1.Unmarshal(data, &p); err != nil {
		return nil, malformed("pkcs12: %v", err)
	}
	if p.Version != 3 || !p.AuthSafe.Type.Equal(oidData) {
		return nil, malformed("pkcs12 of version %d, content %v", p.Version, p.AuthSafe.Type)
	}
	var safe []byte
	if _, err := asn1.Unmarshal(p.AuthSafe.Content.Bytes, &safe); err != nil {
		return nil, malformed("pkcs12: %v", err)
	}
	// Keys are in bags in the clear, encrypted one by one; certificates may be
	// in an encrypted one. A store without a key bag holds trust, not secrets.
	k := &Keystore{Format: "pkcs12", Keys: bytes.Contains(safe, oidKeyBag) || bytes.Contains(safe, oidShroudedKeyBag)}
	m := &p.MacData
	if len(m.Mac.Digest) == 0 {
		k.check = func(string) bool { return false }
		return k, nil
	}
	k.Iterations = m.Iterations
	if m.Iterations > iterations {
		k.check = func(string) bool { return false }
		return k, nil
	}
	var sum func() hash.Hash
	switch alg := m.Mac.Algorithm.Algorithm; {
	case alg.Equal(oidSHA1):
		sum = sha1.New
	case alg.Equal(oidSHA256):
		sum = sha256.New
	case alg.Equal(oidSHA384):
		sum = sha512.New384
	case alg.Equal(oidSHA512):
		sum = sha512.New
	default:
		k.check = func(string) bool { return false } // by a derivation that is not tried
		return k, nil
	}
	k.check = func(password string) bool {
		for _, text := range [][]byte{append(utf16be(password), 0, 0), nil} { // an empty one is written in two ways
			mac := hmac.New(sum, pkcs12Key(sum, text, m.Salt, 3, m.Iterations))
			mac.Write(safe)
			if hmac.Equal(mac.Sum(nil), m.Mac.Digest) {
				return true
			}
			if password != "" {
				break
			}
		}
		return false
	}
	return k, nil
}

// pkcs12Key derives a key, RFC 7292, B.2, as long as the hash.
func pkcs12Key(sum func() hash.Hash, password, salt []byte, id byte, iterations int) []byte {
	h := sum()
	v := h.BlockSize()
	fill := func(b []byte) (out []byte) {
		for len(b) > 0 && len(out) < (len(b)+v-1)/v*v {
			out = append(out, b[len(out)%len(b)])
		}
		return out
	}
	d := make([]byte, v)
	for i := range d {
		d[i] = id
	}
	h.Write(d)
	h.Write(fill(salt))
	h.Write(fill(password))
	key := h.Sum(nil)
	for range iterations - 1 {
		h.Reset()
		h.Write(key)
		key = h.Sum(key[:0])
	}
	return key
}
