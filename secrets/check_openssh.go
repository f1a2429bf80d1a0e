package secrets

import (
	"bytes"
	"encoding/binary"

	"github.com/boltseal/boltseal"
)

// parseOpenSSH decodes openssh-key-v1 (OpenSSH, PROTOCOL.key): cipher, key
// derivation, public keys, and the private part, which if not encrypted begins
// with the same random number twice.
func parseOpenSSH(raw []byte) key {
	raw, ok := bytes.CutPrefix(raw, []byte("openssh-key-v1\x00"))
	if !ok {
		return badKey()
	}
	cipher, raw, ok1 := sshString(raw)
	_, raw, ok2 := sshString(raw)
	_, raw, ok3 := sshString(raw)
	if !ok1 || !ok2 || !ok3 || len(raw) < 4 {
		return badKey()
	}
	count := binary.BigEndian.Uint32(raw)
	public, raw, ok1 := sshString(raw[4:])
	for i := uint32(1); i < count && ok1; i++ {
		_, raw, ok1 = sshString(raw)
	}
	private, _, ok2 := sshString(raw)
	if count == 0 || !ok1 || !ok2 {
		return badKey()
	}
	k := key{encrypted: string(cipher) != "none", verdict: boltseal.VerdictPass}
	k.algorithm, k.public = sshPublic(public)
	if !k.encrypted {
		k.verdict = hard(len(private) > 8 && bytes.Equal(private[:4], private[4:8]))
	}
	return k
}

// sshString takes a string with its length off the front (RFC 4251, section 5).
func sshString(raw []byte) (s, rest []byte, ok bool) {
	if len(raw) < 4 {
		return nil, nil, false
	}
	n := binary.BigEndian.Uint32(raw)
	if uint64(n) > uint64(len(raw)-4) {
		return nil, nil, false
	}
	return raw[4 : 4+n], raw[4+n:], true
}

// sshPublic returns the algorithm and the number of a public key in the wire
// format (RFC 4253, section 6.6; RFC 5656; RFC 8709).
func sshPublic(raw []byte) (algorithm string, number []byte) {
	name, raw, _ := sshString(raw)
	nth := func(n int) (s []byte) {
		for range n {
			s, raw, _ = sshString(raw)
		}
		return s
	}
	switch string(name) {
	case "ssh-rsa":
		return "rsa", trimZeros(nth(2))
	case "ssh-dss":
		return "dsa", trimZeros(nth(4))
	case "ssh-ed25519":
		return "ed25519", nth(1)
	case "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521":
		if point := nth(2); len(point) > 1 && point[0] == 4 {
			return "ec", trimZeros(point[1 : 1+len(point)/2])
		}
	}
	return "", nil
}

// checkPuTTY accepts a key file of PuTTY, format 2 or 3, that is not
// encrypted and has the sum of its private part.
func checkPuTTY(tok []byte) boltseal.Verdict {
	encryption, mac := "", false
	for line := range bytes.Lines(tok) {
		name, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte(": "))
		switch string(name) {
		case "Encryption":
			encryption = string(value)
		case "Private-MAC":
			mac = len(value) == 40 || len(value) == 64
		}
	}
	return hard(encryption == "none" && mac)
}
