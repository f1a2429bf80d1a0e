package secrets

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"

	"github.com/boltseal/boltseal"
)

// jenkinsSecret keeps values that Jenkins encrypted, in credentials.xml and elsewhere,
// as its source has them (hudson.util.Secret, hudson.util.SecretBytes): in base64 in
// braces, a version, the lengths of vector and data, and those, AES in CBC.
func jenkinsSecret(c *Candidate) bool {
	raw := decodeBase64(bytes.TrimRight(bytes.Trim(c.Token, "{}"), "="))
	if len(raw) < 9+2*aes.BlockSize || raw[0] != 1 || binary.BigEndian.Uint32(raw[1:]) != aes.BlockSize {
		return false
	}
	size := len(raw) - 9 - aes.BlockSize
	if int64(binary.BigEndian.Uint32(raw[5:])) != int64(size) || size%aes.BlockSize != 0 {
		return false
	}
	c.Verdict = boltseal.VerdictPass
	return true
}
