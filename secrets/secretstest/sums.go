package secretstest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// crc computes a reflected CRC-32 bit by bit; 0xEDB88320 is IEEE's polynomial.
func crc(data string, polynomial uint32) uint32 {
	sum := ^uint32(0)
	for i := range len(data) {
		sum ^= uint32(data[i])
		for range 8 {
			low := sum & 1
			sum >>= 1
			if low == 1 {
				sum ^= polynomial
			}
		}
	}
	return ^sum
}

func ieee(data string) uint32 { return crc(data, 0xEDB88320) }

// digitsOf writes n in a base, padded with the alphabet's first character.
func digitsOf(n uint32, width int, alphabet string) string {
	out := ""
	for v := int64(n); v > 0; v /= int64(len(alphabet)) {
		out = alphabet[v%int64(len(alphabet)):][:1] + out
	}
	return strings.Repeat(alphabet[:1], max(0, width-len(out))) + out
}

func after(s, sep string) string { return s[strings.LastIndex(s, sep)+1:] }

func sumGitHub(_ *maker, s string) string {
	return s + digitsOf(ieee(after(s, "_")), 6, digits+uppers+lowers)
}

func sumHex(_ *maker, s string) string { return s + fmt.Sprintf("%08x", ieee(after(s, "_"))) }

func sumUpper(_ *maker, s string) string { return s + fmt.Sprintf("%08X", ieee(s)) }

func sumGrafana(_ *maker, s string) string {
	v := ieee(s)
	return s + fmt.Sprintf("_%02x%02x%02x%02x", byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
}

func sumConfluent(_ *maker, s string) string {
	v := ieee(s[4:])
	return s + base64.StdEncoding.EncodeToString([]byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24)})[:6]
}

func sumGitLab(_ *maker, s string) string {
	payload := len(after(s, "-"))
	size := strconv.FormatInt(int64(payload), 36)
	s += "." + strings.Repeat("0", 2-len(size)) + size
	return s + digitsOf(ieee(s), 7, digits+lowers)
}

func sumZuplo(_ *maker, s string) string {
	return s + "_" + fmt.Sprintf("%08x", ieee(after(s, "_")))
}

// marvin is the Marvin hash, written from its definition: four bytes a round,
// the rest of the input with 0x80 behind it, and a round of nothing.
func marvin(seed string, data []byte) [4]byte {
	k := new(big.Int).SetBytes([]byte(seed)).Uint64()
	a, b := uint32(k), uint32(k>>32)
	padded := append(bytes.Clone(data), 0x80)
	for len(padded)%4 != 0 {
		padded = append(padded, 0)
	}
	padded = append(padded, 0, 0, 0, 0)
	turn := func(v uint32, n uint) uint32 { return v<<n | v>>(32-n) }
	for i := 0; i < len(padded); i += 4 {
		a += uint32(padded[i]) | uint32(padded[i+1])<<8 | uint32(padded[i+2])<<16 | uint32(padded[i+3])<<24
		b ^= a
		a = turn(a, 20)
		a += b
		b = turn(b, 9)
		b ^= a
		a = turn(a, 27)
		a += b
		b = turn(b, 19)
	}
	v := a ^ b
	return [4]byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24)}
}

// azure makes a key of size bytes with the mark before its last seven: the
// mark is base 64 text, and stands where the last four bytes and the three
// before them begin.
func azure(mark, seed string, size int, url bool) func(*maker, string) string {
	return func(m *maker, _ string) string {
		for {
			raw := m.bytes(size)
			enc := base64.StdEncoding
			if url {
				enc = base64.URLEncoding
			}
			text := enc.EncodeToString(raw)
			at := map[int]int{64: 76, 32: 33, 40: 44, 39: 42}[size]
			fixed, err := enc.DecodeString(text[:at] + mark + text[at+4:])
			if err != nil {
				panic(err) // the mark is base 64
			}
			switch size { // the mark ends inside a byte, and zero bits fill it up
			case 32:
				fixed[27] &= 0xFC
			case 39:
				fixed[34] &= 0xF0
			}
			sum := marvin(seed, fixed[:size-4])
			copy(fixed[size-4:], sum[:])
			out := enc.EncodeToString(fixed)
			if out[at:at+4] == mark && !strings.ContainsAny(out[:4], "+/-_") && plausible(out, at, mark) {
				return out
			}
		}
	}
}

// plausible leaves out what the issuers of some keys do not hand out.
func plausible(s string, at int, mark string) bool {
	switch mark {
	case "AzSe":
		return s[at+4] >= 'A' && s[at+4] <= 'D' && !strings.ContainsAny(s, "+/")
	case "+ACR":
		return s[at+4] >= 'A' && s[at+4] <= 'D'
	}
	return true
}

// cask makes a common annotated security key for a provider's mark.
func cask(mark string) func(*maker, string) string {
	return func(m *maker, _ string) string {
		s := m.run(digits+letters, 52) + "JQQJ99" + m.run(uppers, 1) + m.run(uppers[:12], 1) + m.run(digits+letters, 16) + mark
		raw, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			panic(err) // 80 characters of base 64
		}
		sum := marvin("Default0", raw)
		tail := new(big.Int).SetBytes(sum[:])
		out := ""
		for base := big.NewInt(62); tail.Sign() > 0; {
			rest := new(big.Int)
			tail.DivMod(tail, base, rest)
			out = (digits + uppers + lowers)[rest.Int64():][:1] + out
		}
		return s + (out + "000000")[:4]
	}
}

// entra ends a client secret with the first digits of its sum in base 66.
func entra(_ *maker, s string) string {
	sum := marvin("AadPwd00", []byte(s))
	v := binary.LittleEndian.Uint32(sum[:])
	return s + digitsOf(v, 0, lowers+uppers+digits[1:]+"0.-_~")[:3]
}

// devops makes a token of Azure DevOps as it was before 2024.
func devops(m *maker, _ string) string {
	raw := m.bytes(32)
	var rest []byte
	for i := range raw {
		switch i {
		case 2, 7, 8, 22:
		default:
			rest = append(rest, raw[i])
		}
	}
	v := ieee(string(rest)) ^ 0xE0B9692D
	raw[22], raw[8], raw[7], raw[2] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw))
}

func sumCrates(_ *maker, s string) string {
	x := 0
	for _, c := range after(s, "_") {
		x ^= int(c)
	}
	return s + (uppers + lowers + digits)[x%62:][:1]
}

// xata is base 62 of 20 bytes and their sum.
func xata(m *maker, s string) string {
	raw := m.bytes(20)
	raw = binary.LittleEndian.AppendUint32(raw, ieee(string(raw)))
	n, out := new(big.Int).SetBytes(raw), ""
	for n.Sign() > 0 {
		rest := new(big.Int)
		n.DivMod(n, big.NewInt(62), rest)
		out = (digits + uppers + lowers)[rest.Int64():][:1] + out
	}
	return s + strings.Repeat("0", max(0, 33-len(out))) + out
}

// nkey makes a NATS seed of a user.
func nkey(m *maker, _ string) string {
	raw := append([]byte{18<<3 | 20>>2, 0}, m.bytes(32)...)
	sum := 0
	for _, c := range raw { // CRC-16, polynomial x^16 + x^12 + x^5 + 1
		for bit := 7; bit >= 0; bit-- {
			top := sum>>15&1 ^ int(c)>>bit&1
			sum = sum << 1 & 0xFFFF
			if top == 1 {
				sum ^= 0x1021
			}
		}
	}
	raw = append(raw, byte(sum), byte(sum>>8))
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw)
}

// wif makes a Bitcoin private key in wallet import format.
func wif(m *maker, _ string) string {
	raw := append([]byte{0x80}, m.bytes(32)...)
	one := sha256.Sum256(raw)
	two := sha256.Sum256(one[:])
	n, out := new(big.Int).SetBytes(append(raw, two[:4]...)), ""
	for n.Sign() > 0 {
		rest := new(big.Int)
		n.DivMod(n, big.NewInt(58), rest)
		out = alphabet58[rest.Int64():][:1] + out
	}
	return out
}

const alphabet58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// bech32 ends a text in upper case with the six characters of BIP 173's sum.
func bech32(m *maker, s string) string {
	prefix := strings.ToLower(s[:strings.LastIndexByte(s, '1')])
	const alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	var values []int
	for _, c := range prefix {
		values = append(values, int(c)>>5)
	}
	values = append(values, 0)
	for _, c := range prefix {
		values = append(values, int(c)&31)
	}
	for _, c := range strings.ToLower(s[len(prefix)+1:]) {
		values = append(values, strings.IndexRune(alphabet, c))
	}
	polymod := func(values []int) int {
		generator := []int{0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3}
		chk := 1
		for _, v := range values {
			top := chk >> 25
			chk = (chk&0x1FFFFFF)<<5 ^ v
			for i, g := range generator {
				if top>>i&1 != 0 {
					chk ^= g
				}
			}
		}
		return chk
	}
	sum := polymod(append(values, 0, 0, 0, 0, 0, 0)) ^ 1
	for i := range 6 {
		s += strings.ToUpper(alphabet[sum>>(5*(5-i))&31:][:1])
	}
	return s
}
