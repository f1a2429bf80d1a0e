package decode

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
)

// bksHead reports whether content begins as Bouncy Castle's key store does, of
// version 1 or 2: its version, and a salt of 20 bytes.
func bksHead(head []byte) bool {
	return len(head) > 32 && (bytes.HasPrefix(head, []byte("\x00\x00\x00\x02\x00\x00\x00\x14")) || bytes.HasPrefix(head, []byte("\x00\x00\x00\x01\x00\x00\x00\x14")))
}

// parseBKS reads Bouncy Castle's format, as its source has it (BcKeyStoreSpi): a
// salt, a count of iterations, entries up to a zero byte, and their HMAC-SHA-1, whose
// key is derived as in PKCS #12. Passwords of version 1 are not tried.
func parseBKS(data []byte, iterations int) (*Keystore, error) {
	k := &Keystore{Format: "bks"}
	r := &jksReader{b: data}
	version := r.u32()
	salt := r.take(int(r.u32()))
	k.Iterations = int(r.u32())
	entries := r.b
	for range 10_000 {
		kind := r.take(1)[0]
		if r.bad || kind == 0 {
			break
		}
		alias := r.text()
		r.skip(8) // time
		for range min(r.u32(), 100) {
			r.certificate(2)
		}
		switch kind {
		case 1:
			r.certificate(2)
		case 2: // in the clear: a kind, a format, an algorithm
			r.skip(1)
			r.text()
			r.certificate(2)
		case 3, 4: // secret, or sealed with a password
			r.skip(int(r.u32()))
		default:
			return nil, malformed("bks entry of kind %d", kind)
		}
		if kind != 1 && !r.bad {
			k.Keys = true
			k.Aliases = append(k.Aliases, alias)
		}
	}
	if r.bad || len(r.b) != sha1.Size {
		return nil, malformed("bks is cut off")
	}
	entries, sum := entries[:len(entries)-sha1.Size], r.b
	k.check = func(password string) bool {
		if version != 2 || k.Iterations > iterations {
			return false
		}
		text := append(utf16be(password), 0, 0)
		if password == "" {
			text = nil
		}
		key := pkcs12Key(sha1.New, text, salt, 3, k.Iterations)
		mac := hmac.New(sha1.New, key)
		mac.Write(entries)
		return hmac.Equal(mac.Sum(nil), sum)
	}
	return k, nil
}
