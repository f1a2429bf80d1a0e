package secrets

import (
	"encoding/base64"
)

// parsePGP decodes the first packet of an armored secret key (RFC 9580,
// section 5.5.3): it is encrypted if its usage octet is 253, 254 or 255, or
// names a cipher. A sum behind the armor must be right.
func parsePGP(b pemBlock) key {
	if b.sum != nil {
		sum, err := base64.StdEncoding.DecodeString(string(b.sum))
		if err != nil || len(sum) != 3 || crc24(b.der) != uint32(sum[0])<<16|uint32(sum[1])<<8|uint32(sum[2]) {
			return badKey()
		}
	}
	tag, body, ok := pgpPacket(b.der)
	if !ok || tag != 5 && tag != 7 {
		return badKey()
	}
	usage, ok := pgpUsage(body)
	return key{encrypted: usage != 0, verdict: hard(ok)}
}

// crc24 is the sum of OpenPGP's armor (RFC 9580, section 6.1).
func crc24(data []byte) uint32 {
	crc := uint32(0xB704CE)
	for _, c := range data {
		crc ^= uint32(c) << 16
		for range 8 {
			if crc <<= 1; crc&0x1000000 != 0 {
				crc ^= 0x1864CFB
			}
		}
	}
	return crc & 0xFFFFFF
}

// pgpPacket returns the tag and body of the first packet (section 4.2). The
// body of a partial length is what the first part holds.
func pgpPacket(raw []byte) (tag byte, body []byte, ok bool) {
	if len(raw) < 2 || raw[0]&0x80 == 0 {
		return 0, nil, false
	}
	header, size := 0, 0
	be := func(at, n int) int {
		v := 0
		for i := at; i < at+n && i < len(raw); i++ {
			v = v<<8 | int(raw[i])
		}
		return v
	}
	if raw[0]&0x40 != 0 {
		tag = raw[0] & 0x3F
		switch l := int(raw[1]); {
		case l < 192:
			header, size = 2, l
		case l < 224:
			header, size = 3, (l-192)<<8+be(2, 1)+192
		case l == 255:
			header, size = 6, be(2, 4)
		default:
			header, size = 2, 1<<(l&31)
		}
	} else {
		tag = raw[0] >> 2 & 15
		switch n := 1 << (raw[0] & 3); n {
		case 8:
			header, size = 1, len(raw)-1
		default:
			header, size = 1+n, be(1, n)
		}
	}
	if header > len(raw) || size > len(raw)-header {
		return 0, nil, false
	}
	return tag, raw[header : header+size], true
}

// pgpUsage finds the octet that says how the secret part is protected, behind
// the public part.
func pgpUsage(body []byte) (usage byte, ok bool) {
	if len(body) < 6 {
		return 0, false
	}
	at := 6
	if body[0] == 6 || body[0] == 5 { // a count of the public part stands before it
		if len(body) < 10 {
			return 0, false
		}
		size := uint64(body[6])<<24 | uint64(body[7])<<16 | uint64(body[8])<<8 | uint64(body[9])
		if size >= uint64(len(body)-10) {
			return 0, false
		}
		return body[10+size], true
	}
	if body[0] != 4 {
		return 0, false
	}
	mpis, oid := 0, false
	switch body[5] {
	case 1, 2, 3:
		mpis = 2
	case 16, 20:
		mpis = 3
	case 17:
		mpis = 4
	case 18, 19, 22:
		mpis, oid = 1, true
	case 25, 27: // X25519, Ed25519
		at += 32
	case 26:
		at += 56
	case 28:
		at += 57
	default:
		return 0, false
	}
	if oid {
		if at >= len(body) {
			return 0, false
		}
		at += 1 + int(body[at])
	}
	for range mpis {
		if at+2 > len(body) {
			return 0, false
		}
		bits := int(body[at])<<8 | int(body[at+1])
		at += 2 + (bits+7)/8
	}
	if body[5] == 18 { // the parameters of the key's derivation
		if at >= len(body) {
			return 0, false
		}
		at += 1 + int(body[at])
	}
	if at >= len(body) {
		return 0, false
	}
	return body[at], true
}
