package secrets

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"strconv"

	"github.com/boltseal/boltseal"
)

// hard is the verdict of a check that issuers are known to satisfy: a token
// that fails it was never issued.
func hard(ok bool) boltseal.Verdict {
	if ok {
		return boltseal.VerdictPass
	}
	return boltseal.VerdictFail
}

// soft is the verdict of a check that is known at second hand: passing it is
// evidence, failing it is none.
func soft(ok bool) boltseal.Verdict {
	if ok {
		return boltseal.VerdictPass
	}
	return boltseal.VerdictUnknown
}

const (
	base62Upper = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	base36Lower = "0123456789abcdefghijklmnopqrstuvwxyz"
)

// baseN writes v in the alphabet's base, most significant digit first, padded
// on the left with the alphabet's zero to the length of out.
func baseN(out []byte, v uint32, alphabet string) []byte {
	n := uint32(len(alphabet))
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = alphabet[v%n]
		v /= n
	}
	return out
}

// checkCRC62 checks the tokens of GitHub and npm: after the first underscore a
// body, whose last six characters are the CRC-32 of the rest in base 62
// (github.blog, "Behind GitHub's new authentication token formats").
func checkCRC62(tok []byte) boltseal.Verdict {
	return hard(crc62(tok[bytes.IndexByte(tok, '_')+1:]))
}

// checkPolar checks polar_oat_ and its like: the same sum as GitHub's over what
// follows the last underscore.
func checkPolar(tok []byte) boltseal.Verdict {
	return soft(crc62(tok[bytes.LastIndexByte(tok, '_')+1:]))
}

func crc62(body []byte) bool {
	n := len(body) - 6
	if n <= 0 {
		return false
	}
	var sum [6]byte
	return bytes.Equal(body[n:], baseN(sum[:], crc32.ChecksumIEEE(body[:n]), base62Upper))
}

// checkCRCHex checks Cloudflare's tokens: after the underscore 40 characters
// and their CRC-32 in eight lower-case hex digits.
func checkCRCHex(tok []byte) boltseal.Verdict {
	body := tok[bytes.IndexByte(tok, '_')+1:]
	n := len(body) - 8
	return hard(n > 0 && hexEqual(body[n:], crc32.ChecksumIEEE(body[:n]), false))
}

// checkZuplo checks zpka_ keys: 32 characters, an underscore, eight hex digits
// of a CRC-32 over either the 32 characters or all before the last underscore.
func checkZuplo(tok []byte) boltseal.Verdict {
	n := len(tok) - 8
	if n < 33 {
		return boltseal.VerdictUnknown
	}
	return soft(hexEqual(tok[n:], crc32.ChecksumIEEE(tok[n-33:n-1]), false) ||
		hexEqual(tok[n:], crc32.ChecksumIEEE(tok[:n-1]), false))
}

// checkCRCUpper checks Atlassian's tokens: the last eight characters are the
// CRC-32 of all before them in upper-case hex.
func checkCRCUpper(tok []byte) boltseal.Verdict {
	n := len(tok) - 8
	return hard(n > 0 && hexEqual(tok[n:], crc32.ChecksumIEEE(tok[:n]), true))
}

// checkCRCUpperSoft is checkCRCUpper for Bitbucket's access tokens, of which
// one in ten known samples does not satisfy it.
func checkCRCUpperSoft(tok []byte) boltseal.Verdict {
	return soft(checkCRCUpper(tok) == boltseal.VerdictPass)
}

// hexEqual reports whether text is sum in eight hex digits of one case.
func hexEqual(text []byte, sum uint32, upper bool) bool {
	var out [8]byte
	binary.BigEndian.PutUint32(out[4:], sum)
	hex.Encode(out[:], out[4:])
	if upper {
		copy(out[:], bytes.ToUpper(out[:]))
	}
	return bytes.Equal(text, out[:])
}

// checkGrafana checks glsa_ tokens: what follows the last underscore is the
// CRC-32 of all before it, prefix included, its bytes in little-endian order
// and in hex (grafana, pkg/components/satokengen).
func checkGrafana(tok []byte) boltseal.Verdict {
	n := bytes.LastIndexByte(tok, '_')
	if n < 0 {
		return boltseal.VerdictFail
	}
	var sum [4]byte
	binary.LittleEndian.PutUint32(sum[:], crc32.ChecksumIEEE(tok[:n]))
	return hard(string(tok[n+1:]) == hex.EncodeToString(sum[:]))
}

// checkConfluent checks cflt keys: 54 characters, then the first six of the
// base64 of their CRC-32 in little-endian order.
func checkConfluent(tok []byte) boltseal.Verdict {
	if len(tok) != 64 {
		return boltseal.VerdictUnknown
	}
	var sum [4]byte
	binary.LittleEndian.PutUint32(sum[:], crc32.ChecksumIEEE(tok[4:58]))
	return soft(base64.StdEncoding.EncodeToString(sum[:])[:6] == string(tok[58:]))
}

// checkGitLab checks routable tokens: prefix, payload in base64, optional
// version, two base-36 digits of the payload's length and seven of the CRC-32
// over all before them (gitlab, Authn::TokenField::Generator::RoutableToken).
func checkGitLab(tok []byte) boltseal.Verdict {
	dot := bytes.LastIndexByte(tok, '.')
	if dot < 0 || len(tok)-dot != 10 {
		return boltseal.VerdictUnknown
	}
	var sum [7]byte
	if !bytes.Equal(tok[len(tok)-7:], baseN(sum[:], crc32.ChecksumIEEE(tok[:len(tok)-7]), base36Lower)) {
		return boltseal.VerdictUnknown
	}
	size, err := strconv.ParseUint(string(tok[dot+1:dot+3]), 36, 16)
	payload, _, _ := bytes.Cut(tok, []byte{'.'})
	return soft(err == nil && size <= uint64(len(payload)))
}

// checkXata checks xau_ and xao_ keys: base 62 of 20 bytes and their CRC-32 in
// little-endian order.
func checkXata(tok []byte) boltseal.Verdict {
	raw := decode58Like(tok[min(4, len(tok)):], base62Upper, 24)
	return soft(raw != nil && crc32.ChecksumIEEE(raw[:20]) == binary.LittleEndian.Uint32(raw[20:]))
}
