package secrets

import (
	"encoding/asn1"
	"strings"

	"github.com/boltseal/boltseal"
)

// Private keys in DER, wherever they stand: in files of their own, in base64 or
// hexadecimal without the armour of PEM, in programs. They are recognised by the
// bytes behind the head of their outermost SEQUENCE, and parsed from there.
const (
	// PrivateKeyInfo: a version, and the identifier of RSA, of an elliptic curve
	// key, or of X25519, X448, Ed25519, Ed448 with the head of the key (RFC 5208,
	// RFC 5480, RFC 8410).
	derPKCS8 = `"\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x04"` +
		`|"\x02\x01\x00\x30" [` + "\x0b-\x20" + `] "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06"` +
		`|"\x02\x01" [` + "\x00\x01" + `] "\x30\x05\x06\x03\x2b\x65" [` + "\x6e-\x71" + `] "\x04"`
	// RSAPrivateKey: version 0, and a modulus of 512 to 16384 bits (RFC 8017, A.1.2).
	derPKCS1 = `"\x02\x01\x00\x02\x82" [` + "\x01-\x08" + `]|"\x02\x01\x00\x02\x81" [` + "\x80-\xff" + `]|"\x02\x01\x00\x02\x41\x00"`
	// ECPrivateKey: version 1, and 32, 48 or 66 bytes (RFC 5915, 3).
	derSEC1 = `"\x02\x01\x01\x04\x20"|"\x02\x01\x01\x04\x30"|"\x02\x01\x01\x04\x42"`
)

// longestDER bounds a key.
const longestDER = 32 << 10

// derKey keeps keys that parse, and that show by their numbers, by their public
// half or by the place that a structure gives them that they are keys.
func derKey(c *Candidate) bool {
	start, end, ok := derSequence(c.Text, c.Start)
	if !ok || c.End > end {
		return false
	}
	der := c.Text[start:end]
	if !derMembers(c.Text[c.Start:end]) { // parsing costs a hundred times more
		return false
	}
	k := parseAnyKey(der)
	if k.verdict != boltseal.VerdictPass || k.encrypted {
		return false
	}
	switch k.algorithm {
	case "rsa":
	case "ec":
		if len(k.public) == 0 {
			return false // thirty-two bytes, of which nothing tells that they are a number
		}
	default:
		// The prefixes of these keys are constants in programs that write them.
		if monotone(der[len(der)-32:]) || entropy(der[len(der)-32:]) < 4 {
			return false
		}
		c.Confidence = ConfidenceMedium
	}
	c.Verdict, c.Secret = k.verdict, der
	if k.algorithm != "" {
		c.Notes = append(c.Notes, "a consistent "+k.algorithm+" key")
	}
	noteKnown(c, k.public)
	c.Parts = append(c.Parts, Part{Name: "key", Value: string(der), Secret: true, Start: start, End: end})
	return true
}

// derMembers reports whether the members of a SEQUENCE are those of a key: nine
// numbers or more; a number and bytes; a number, a SEQUENCE and bytes; and
// whether they fill it.
func derMembers(b []byte) bool {
	tags := make([]byte, 0, 16)
	for len(b) > 0 {
		size, head := 0, 2
		switch {
		case len(b) < 2 || len(tags) == cap(tags):
			return false
		case b[1] < 0x80:
			size = int(b[1])
		case b[1] == 0x81 && len(b) > 2:
			size, head = int(b[2]), 3
		case b[1] == 0x82 && len(b) > 3:
			size, head = int(b[2])<<8|int(b[3]), 4
		default:
			return false
		}
		if head+size > len(b) {
			return false
		}
		tags = append(tags, b[0])
		b = b[head+size:]
	}
	text := string(tags)
	return strings.HasPrefix(text, "\x02\x04") || strings.HasPrefix(text, "\x02\x30\x04") || strings.HasPrefix(text, strings.Repeat("\x02", 9))
}

// derSequence returns the SEQUENCE whose content begins at p.
func derSequence(text []byte, p int) (start, end int, ok bool) {
	for _, head := range [...]int{2, 3, 4} {
		if p < head || text[p-head] != asn1.TagSequence|0x20 {
			continue
		}
		size, long := 0, text[p-head+1:p]
		switch {
		case head == 2 && long[0] < 0x80:
			size = int(long[0])
		case head == 3 && long[0] == 0x81 && long[1] >= 0x80:
			size = int(long[1])
		case head == 4 && long[0] == 0x82 && long[1] > 0:
			size = int(long[1])<<8 | int(long[2])
		}
		if size >= 40 && size <= longestDER && p+size <= len(text) {
			return p - head, p + size, true
		}
	}
	return 0, 0, false
}
