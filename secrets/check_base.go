package secrets

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"math/big"
	"strings"

	"github.com/boltseal/boltseal"
)

// decodeBase32 decodes the alphabet of RFC 4648 in either case, without
// padding and whatever the bits left over; nil if the text is not base 32.
func decodeBase32(text []byte) []byte {
	text = bytes.ToUpper(bytes.TrimRight(text, "="))
	out := make([]byte, base32.StdEncoding.DecodedLen(len(text)+7))
	n, err := base32.StdEncoding.WithPadding(base32.NoPadding).Decode(out, text)
	if err != nil {
		return nil
	}
	return out[:n]
}

// longestNumber bounds the digits that are turned into a number: conversion
// takes time quadratic in them.
const longestNumber = 256

const base58Alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// base58Decode decodes Bitcoin's base 58; nil if the text is not that.
func base58Decode(text []byte) []byte {
	n := fromDigits(text, base58Alphabet)
	if n == nil {
		return nil
	}
	zeros := len(text) - len(bytes.TrimLeft(text, base58Alphabet[:1]))
	return append(make([]byte, zeros), n.Bytes()...)
}

// decode58Like decodes a number in the alphabet's base into exactly size
// bytes; nil if it does not fit.
func decode58Like(text []byte, alphabet string, size int) []byte {
	n := fromDigits(text, alphabet)
	if n == nil || n.BitLen() > size*8 {
		return nil
	}
	return n.FillBytes(make([]byte, size))
}

func fromDigits(text []byte, alphabet string) *big.Int {
	if len(text) == 0 || len(text) > longestNumber {
		return nil
	}
	n, base := new(big.Int), big.NewInt(int64(len(alphabet)))
	for _, c := range text {
		d := strings.IndexByte(alphabet, c)
		if d < 0 {
			return nil
		}
		n.Add(n.Mul(n, base), big.NewInt(int64(d)))
	}
	return n
}

// checkWIF checks a Bitcoin private key in wallet import format: version 0x80
// (0xEF on test networks), 32 bytes, 0x01 if the public key is compressed, and
// four bytes of a double SHA-256.
func checkWIF(tok []byte) boltseal.Verdict {
	raw := base58Decode(tok)
	n := len(raw) - 4
	if n != 33 && !(n == 34 && raw[33] == 1) || raw[0] != 0x80 && raw[0] != 0xEF {
		return boltseal.VerdictFail
	}
	sum := sha256.Sum256(raw[:n])
	sum = sha256.Sum256(sum[:])
	return hard(bytes.Equal(sum[:4], raw[n:]))
}

// checkBech32 checks the sum of BIP 173 over an upper- or lower-case text; age
// keys ignore its limit of 90 characters.
func checkBech32(tok []byte) boltseal.Verdict {
	if len(tok) > 4096 {
		return boltseal.VerdictUnknown
	}
	if bytes.ContainsFunc(tok, func(r rune) bool { return r >= 'a' && r <= 'z' }) &&
		bytes.ContainsFunc(tok, func(r rune) bool { return r >= 'A' && r <= 'Z' }) {
		return boltseal.VerdictFail
	}
	tok = bytes.ToLower(tok)
	sep := bytes.LastIndexByte(tok, '1')
	if sep < 1 || len(tok)-sep < 7 {
		return boltseal.VerdictFail
	}
	sum := uint32(1)
	step := func(v byte) {
		top := sum >> 25
		sum = sum&0x1FFFFFF<<5 ^ uint32(v)
		for i, g := range [...]uint32{0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3} {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	for _, c := range tok[:sep] {
		step(c >> 5)
	}
	step(0)
	for _, c := range tok[:sep] {
		step(c & 31)
	}
	for _, c := range tok[sep+1:] {
		v := strings.IndexByte("qpzry9x8gf2tvdw0s3jn54khce6mua7l", c)
		if v < 0 {
			return boltseal.VerdictFail
		}
		step(byte(v))
	}
	return hard(sum == 1)
}

// checkNKey checks a NATS seed: base 32 of two bytes that hold the types, 32
// bytes of seed and their CRC-16 (XMODEM) in little-endian order (nats-io/nkeys).
func checkNKey(tok []byte) boltseal.Verdict {
	raw := decodeBase32(tok)
	if len(raw) != 36 || raw[0]&0xF8 != 18<<3 {
		return boltseal.VerdictFail
	}
	switch raw[0]<<5 | raw[1]>>3 {
	case 0, ('C' - 'A') << 3, ('N' - 'A') << 3, ('O' - 'A') << 3, ('U' - 'A') << 3, ('X' - 'A') << 3:
	default: // account, cluster, server, operator, user and curve are all there is
		return boltseal.VerdictFail
	}
	var crc uint16
	for _, b := range raw[:34] {
		crc ^= uint16(b) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return hard(crc == binary.LittleEndian.Uint16(raw[34:]))
}

// checkCratesIO checks cio_tp_ tokens: the last of 32 characters is the
// exclusive or of the codes of the others, modulo 62, in A-Za-z0-9.
func checkCratesIO(tok []byte) boltseal.Verdict {
	body := bytes.TrimPrefix(tok, []byte("cio_tp_"))
	if len(body) != 32 {
		return boltseal.VerdictUnknown
	}
	var sum byte
	for _, c := range body[:31] {
		sum ^= c
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	return soft(alphabet[sum%62] == body[31])
}
