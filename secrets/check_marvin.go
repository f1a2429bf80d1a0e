package secrets

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"math/big"
	"math/bits"
	"strings"

	"github.com/boltseal/boltseal"
)

// marvin32 is the Marvin hash with its two halves folded by exclusive or, as
// Microsoft's key issuers use it (microsoft/security-utilities, Marvin.cs).
func marvin32(seed uint64, data []byte) uint32 {
	lo, hi := uint32(seed), uint32(seed>>32)
	mix := func(v uint32) {
		lo += v
		hi ^= lo
		lo = bits.RotateLeft32(lo, 20) + hi
		hi = bits.RotateLeft32(hi, 9) ^ lo
		lo = bits.RotateLeft32(lo, 27) + hi
		hi = bits.RotateLeft32(hi, 19)
	}
	for ; len(data) >= 4; data = data[4:] {
		mix(binary.LittleEndian.Uint32(data))
	}
	last := uint32(0x80)
	for i := len(data) - 1; i >= 0; i-- {
		last = last<<8 | uint32(data[i])
	}
	mix(last)
	mix(0)
	return lo ^ hi
}

// checkAzure returns the check of Azure's identifiable keys: the last four of
// the decoded bytes are the Marvin hash of the others under one of the seeds,
// which are eight ASCII characters read as a big-endian number.
func checkAzure(verdict func(bool) boltseal.Verdict, seeds ...string) func([]byte) boltseal.Verdict {
	return func(tok []byte) boltseal.Verdict {
		raw := decodeBase64(tok)
		n := len(raw) - 4
		if n <= 0 {
			return verdict(false)
		}
		for _, seed := range seeds {
			if marvin32(marvinSeed(seed), raw[:n]) == binary.LittleEndian.Uint32(raw[n:]) {
				return verdict(true)
			}
		}
		return verdict(false)
	}
}

// checkRedis is checkAzure for Azure Cache for Redis, which writes P for + and
// F for / in the finished key: a key with either does not satisfy the sum.
func checkRedis(tok []byte) boltseal.Verdict {
	raw := decodeBase64(tok)
	n := len(raw) - 4
	if n <= 0 {
		return boltseal.VerdictUnknown
	}
	for _, end := range [...]int{n, len(raw)} { // some are summed with the old sum in place
		var sum [4]byte
		binary.LittleEndian.PutUint32(sum[:], marvin32(marvinSeed("Access00"), raw[:end]))
		text := base64.StdEncoding.EncodeToString(append(bytes.Clone(raw[:n]), sum[:]...))
		if text == string(tok) || strings.NewReplacer("+", "P", "/", "F").Replace(text) == string(tok) {
			return boltseal.VerdictPass
		}
	}
	return boltseal.VerdictUnknown
}

func marvinSeed(name string) uint64 { return binary.BigEndian.Uint64([]byte(name)) }

// decodeBase64 decodes either alphabet, with or without padding; nil if the
// text is neither.
func decodeBase64(text []byte) []byte {
	text = bytes.TrimRight(text, "=")
	enc := base64.RawStdEncoding
	if bytes.ContainsAny(text, "-_") {
		enc = base64.RawURLEncoding
	}
	out := make([]byte, enc.DecodedLen(len(text)))
	n, err := enc.Decode(out, text)
	if err != nil {
		return nil
	}
	return out[:n]
}

// checkCASK checks Microsoft's common annotated security keys: 80 characters
// of base64, then the first four characters of the hash's base 62 or base 64.
func checkCASK(tok []byte) boltseal.Verdict {
	if len(tok) < 84 {
		return boltseal.VerdictUnknown
	}
	raw := decodeBase64(tok[:80])
	if len(raw) != 60 {
		return boltseal.VerdictUnknown
	}
	var sum [4]byte
	binary.LittleEndian.PutUint32(sum[:], marvin32(marvinSeed("Default0"), raw))
	text := []byte(new(big.Int).SetBytes(sum[:]).Text(62))
	for i, c := range text { // math/big writes 0-9a-zA-Z, the keys 0-9A-Za-z
		switch {
		case c >= 'a' && c <= 'z':
			text[i] = c - 'a' + 'A'
		case c >= 'A' && c <= 'Z':
			text[i] = c - 'A' + 'a'
		}
	}
	text = append(text, "000000"...)[:6]
	if raw := decodeBase64(text); raw != nil {
		text = []byte(base64.RawStdEncoding.EncodeToString(raw))
	}
	tail := string(tok[80:84])
	return soft(tail == string(text[:4]) || tail == base64.RawStdEncoding.EncodeToString(sum[:])[:4])
}

const entraAlphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890.-_~"

// checkEntra checks client secrets of Entra ID: the last three characters
// begin the base 66 of the hash of those before them.
func checkEntra(tok []byte) boltseal.Verdict {
	n := len(tok) - 3
	if n <= 0 {
		return boltseal.VerdictUnknown
	}
	v := marvin32(marvinSeed("AadPwd00"), tok[:n])
	var text []byte // not padded: a small value has fewer than six digits
	for ; v > 0; v /= uint32(len(entraAlphabet)) {
		text = append([]byte{entraAlphabet[v%uint32(len(entraAlphabet))]}, text...)
	}
	return soft(len(text) >= 3 && bytes.Equal(text[:3], tok[n:]))
}

// checkAzureDevOps checks the personal access tokens of before 2024: 32 bytes
// in lower-case base 32, of which bytes 22, 8, 7 and 2 are the CRC-32 of the
// others, little-endian, after an exclusive or with one of two constants.
func checkAzureDevOps(tok []byte) boltseal.Verdict {
	raw := decodeBase32(tok)
	if len(raw) != 32 {
		return boltseal.VerdictUnknown
	}
	var rest []byte
	for i, b := range raw {
		if i != 2 && i != 7 && i != 8 && i != 22 {
			rest = append(rest, b)
		}
	}
	want := binary.LittleEndian.Uint32([]byte{raw[22], raw[8], raw[7], raw[2]})
	sum := crc32.ChecksumIEEE(rest)
	return soft(sum^0xE0B9692D == want || sum^0x1019F92E == want)
}
