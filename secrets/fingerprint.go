package secrets

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
)

// fingerprint identifies a secret to those who have the salt: the first 16
// bytes of HMAC-SHA-256 over the rule's ID, a zero byte, and the secret in its
// canonical form, which is decoded and unescaped, DER for PEM. Without the salt
// nothing can be learned from it, not even of a short password.
type fingerprint [16]byte

func (f fingerprint) String() string { return hex.EncodeToString(f[:]) }

func newMAC(salt []byte) hash.Hash { return hmac.New(sha256.New, salt) }

func (s *scan) fingerprint(r *Rule, secret []byte) (f fingerprint) {
	if s.mac == nil {
		s.mac = newMAC(s.opts.salt)
	}
	s.mac.Reset()
	io.WriteString(s.mac, r.ID+"\x00")
	s.mac.Write(secret)
	var sum [sha256.Size]byte
	copy(f[:], s.mac.Sum(sum[:0]))
	return f
}
