package secrets

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/asn1"
	"math/big"

	"github.com/boltseal/boltseal"
)

// key is what a private key's encoding says of it.
type key struct {
	algorithm string // "rsa", "ec", "dsa", "ed25519", "x25519"; empty if it is another
	// public is the number the list of known keys goes by: an RSA modulus, the
	// x of a point, the y of a DSA key, an Edwards public key. Empty if the
	// encoding does not hold or yield it.
	public    []byte
	encrypted bool
	der       []byte // what was decoded, if it came in PEM
	verdict   boltseal.Verdict
}

func badKey() key { return key{verdict: boltseal.VerdictFail} }

var (
	oidRSA     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidRSAPSS  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidEC      = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidDSA     = asn1.ObjectIdentifier{1, 2, 840, 10040, 4, 1}
	oidX25519  = asn1.ObjectIdentifier{1, 3, 101, 110}
	oidEd25519 = asn1.ObjectIdentifier{1, 3, 101, 112}
	oidP256    = asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}
	oidP384    = asn1.ObjectIdentifier{1, 3, 132, 0, 34}
	oidP521    = asn1.ObjectIdentifier{1, 3, 132, 0, 35}
)

// unmarshal decodes DER that is followed by nothing.
func unmarshal(der []byte, out any) bool {
	rest, err := asn1.Unmarshal(der, out)
	return err == nil && len(rest) == 0
}

// mostBits is the largest RSA or DSA number that is computed with.
const mostBits = 16384

// parseRSA decodes an RSAPrivateKey of RFC 8017, A.1.2, and checks that the
// modulus is the product of the primes and that the exponents belong together.
func parseRSA(der []byte) key {
	var k struct {
		Version                            int
		N, E, D, P, Q, DP, DQ, Coefficient *big.Int
		More                               []asn1.RawValue `asn1:"optional"`
	}
	if !unmarshal(der, &k) || k.Version < 0 || k.Version > 1 {
		return badKey()
	}
	for _, n := range []*big.Int{k.N, k.E, k.D, k.P, k.Q} {
		if n.Sign() <= 0 || n.BitLen() > mostBits {
			return badKey()
		}
	}
	if k.Version == 0 && !consistentRSA(k.N, k.E, k.D, k.P, k.Q) {
		return badKey()
	}
	return key{algorithm: "rsa", public: k.N.Bytes(), verdict: boltseal.VerdictPass}
}

func consistentRSA(n, e, d, p, q *big.Int) bool {
	one, t := big.NewInt(1), new(big.Int)
	if t.Mul(p, q).Cmp(n) != 0 {
		return false
	}
	for _, prime := range []*big.Int{p, q} {
		order := new(big.Int).Sub(prime, one)
		if order.Cmp(one) <= 0 || t.Mul(e, d).Mod(t, order).Cmp(one) != 0 {
			return false
		}
	}
	return true
}

// parseEC decodes an ECPrivateKey of RFC 5915. On the curves of NIST a public
// key beside it lies on the curve; other curves are only decoded. The curve may
// be named outside, in PKCS #8.
func parseEC(der []byte, curve asn1.ObjectIdentifier) key {
	var k struct {
		Version    int
		PrivateKey []byte
		Curve      asn1.RawValue  `asn1:"optional,explicit,tag:0"`
		PublicKey  asn1.BitString `asn1:"optional,explicit,tag:1"`
	}
	if !unmarshal(der, &k) || k.Version != 1 || len(k.PrivateKey) < 16 || len(k.PrivateKey) > 128 {
		return badKey()
	}
	if named := (asn1.ObjectIdentifier{}); unmarshal(k.Curve.Bytes, &named) {
		curve = named
	}
	point := k.PublicKey.Bytes
	if c, size := nistCurve(curve); c != nil {
		d := new(big.Int).SetBytes(k.PrivateKey)
		if d.Sign() == 0 || d.BitLen() > size*8 {
			return badKey()
		}
		switch {
		case len(point) > 0 && point[0] == 4:
			if _, err := c.NewPublicKey(point); err != nil { // it is not on the curve
				return badKey()
			}
		case len(point) == 0 && c == ecdh.P256(): // on the larger curves it takes too long
			private, err := c.NewPrivateKey(d.FillBytes(make([]byte, size)))
			if err != nil {
				return badKey()
			}
			point = private.PublicKey().Bytes()
		}
	}
	out := key{algorithm: "ec", verdict: boltseal.VerdictPass}
	switch {
	case len(point) > 1 && point[0] == 4:
		out.public = trimZeros(point[1 : 1+len(point)/2])
	case len(point) > 1 && (point[0] == 2 || point[0] == 3):
		out.public = trimZeros(point[1:])
	}
	return out
}

func nistCurve(oid asn1.ObjectIdentifier) (curve ecdh.Curve, size int) {
	switch {
	case oid.Equal(oidP256):
		return ecdh.P256(), 32
	case oid.Equal(oidP384):
		return ecdh.P384(), 48
	case oid.Equal(oidP521):
		return ecdh.P521(), 66
	}
	return nil, 0
}

func trimZeros(n []byte) []byte { return bytes.TrimLeft(n, "\x00") }

// parseDSA decodes the form OpenSSL writes: version, p, q, g, y, x.
func parseDSA(der []byte) key {
	var k struct {
		Version       int
		P, Q, G, Y, X *big.Int
	}
	if !unmarshal(der, &k) || k.Version != 0 {
		return badKey()
	}
	for _, n := range []*big.Int{k.P, k.Q, k.G, k.Y, k.X} {
		if n.Sign() <= 0 || n.BitLen() > mostBits {
			return badKey()
		}
	}
	if k.Y.Cmp(k.P) >= 0 || k.X.Cmp(k.Q) >= 0 {
		return badKey()
	}
	return key{algorithm: "dsa", public: k.Y.Bytes(), verdict: boltseal.VerdictPass}
}

// parsePKCS8 decodes PrivateKeyInfo of RFC 5208 and OneAsymmetricKey of RFC
// 5958, for a key of any algorithm.
func parsePKCS8(der []byte) key {
	var k struct {
		Version   int
		Algorithm struct {
			OID        asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		PrivateKey []byte
		Attributes asn1.RawValue `asn1:"optional,tag:0"`
		PublicKey  asn1.RawValue `asn1:"optional,tag:1"`
	}
	if !unmarshal(der, &k) || k.Version < 0 || k.Version > 1 || len(k.PrivateKey) == 0 {
		return badKey()
	}
	switch oid := k.Algorithm.OID; {
	case oid.Equal(oidRSA), oid.Equal(oidRSAPSS):
		return parseRSA(k.PrivateKey)
	case oid.Equal(oidEC):
		var curve asn1.ObjectIdentifier
		unmarshal(k.Algorithm.Parameters.FullBytes, &curve)
		return parseEC(k.PrivateKey, curve)
	case oid.Equal(oidEd25519):
		var seed []byte
		if !unmarshal(k.PrivateKey, &seed) || len(seed) != ed25519.SeedSize {
			return badKey()
		}
		public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
		return key{algorithm: "ed25519", public: public, verdict: boltseal.VerdictPass}
	case oid.Equal(oidX25519):
		var number []byte
		if !unmarshal(k.PrivateKey, &number) {
			return badKey()
		}
		private, err := ecdh.X25519().NewPrivateKey(number)
		if err != nil {
			return badKey()
		}
		return key{algorithm: "x25519", public: private.PublicKey().Bytes(), verdict: boltseal.VerdictPass}
	case oid.Equal(oidDSA):
		return pkcs8DSA(k.Algorithm.Parameters.FullBytes, k.PrivateKey)
	}
	return key{verdict: boltseal.VerdictPass}
}

// pkcs8DSA computes the public key, which PKCS #8 leaves out, where that is
// quick.
func pkcs8DSA(parameters, private []byte) key {
	var group struct{ P, Q, G *big.Int }
	x := new(big.Int)
	if !unmarshal(parameters, &group) || !unmarshal(private, &x) || x.Sign() <= 0 || group.P.Sign() <= 0 || group.Q.Sign() <= 0 || x.Cmp(group.Q) >= 0 {
		return badKey()
	}
	k := key{algorithm: "dsa", verdict: boltseal.VerdictPass}
	if group.P.BitLen() <= 2048 && group.G.Cmp(group.P) < 0 && x.BitLen() <= 256 {
		k.public = new(big.Int).Exp(group.G, x, group.P).Bytes()
	}
	return k
}

// parseEncryptedPKCS8 decodes the frame of EncryptedPrivateKeyInfo, RFC 5208.
func parseEncryptedPKCS8(der []byte) key {
	var k struct {
		Algorithm struct {
			OID        asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Data []byte
	}
	if !unmarshal(der, &k) || len(k.Data) < 8 {
		return badKey()
	}
	return key{encrypted: true, verdict: boltseal.VerdictPass}
}
