package document

import (
	"crypto/sha1"
	"fmt"
	"hash"
)

// UUID makes a version 5 UUID (RFC 9562, section 5.5) from what is written to
// it: the same content has the same identity.
type UUID struct{ hash.Hash }

// NewUUID starts a UUID in the name space of URLs (RFC 9562, section 6.6).
func NewUUID() UUID {
	h := sha1.New()
	h.Write([]byte{0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8})
	return UUID{h}
}

// String writes the canonical form.
func (u UUID) String() string {
	b := u.Sum(nil)
	b[6] = b[6]&0x0f | 0x50
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
