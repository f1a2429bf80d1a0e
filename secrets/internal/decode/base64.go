package decode

import "bytes"

// sextet has the value of each byte of both alphabets of RFC 4648, sections 4
// and 5, and 0xff for all others.
var sextet = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = byte(i)
	}
	t['-'], t['_'] = 62, 63
	return t
}()

// printable is text: a byte that may stand in a configuration file.
func printable(c byte) bool { return c >= ' ' && c < 0x7f || c == '\n' || c == '\t' || c == '\r' }

// magics64 begin base64 of binary content that is opened further: gzip, zip,
// bzip2, zstd, xz, DER, small keys in it, and Java's keystores.
var magics64 = []string{"H4sI", "UEsD", "QlpoOT", "KLUv/", "/Td6WF", "MII", "MC4CAQAw", "MHcCAQEE", "/u3+7", "zs7Oz"}

// magicsHex begin hexadecimal digits of such content.
var magicsHex = []string{"1f8b08", "504b0304", "425a68", "28b52ffd", "fd377a58", "3082", "302e020100", "3077020101", "3078020100", "3081", "feedfeed", "cececece", "fffe"}

// long64 is from what length on a run is decoded whatever it looks like: text may
// be anywhere in it.
const long64 = 128

// Base64Probe reports whether a run of the base64 alphabet is worth decoding:
// it is long, begins like a format that is opened further, or holds text at its
// start, middle or end (of long runs, at 17 places), in any of the four alignments that something before it in the same
// alphabet may have caused.
func Base64Probe(run []byte) bool {
	if len(run) >= long64 {
		return true
	}
	if !mixedCase(run[:min(len(run), 4*minRun)]) {
		return false
	}
	_, ok := align64(run)
	return ok
}

// mixedCase reports whether there are letters in both cases. What is encoded
// has them; paths, names and digits, which are much more frequent, have not.
func mixedCase(run []byte) bool {
	lower, upper := false, false
	for _, c := range run {
		lower = lower || c >= 'a' && c <= 'z'
		upper = upper || c >= 'A' && c <= 'Z'
	}
	return lower && upper
}

// align64 returns how many characters to leave out so that text appears.
func align64(run []byte) (skip int, ok bool) {
	for _, m := range magics64 {
		if len(run) >= 24 && string(run[:len(m)]) == m {
			return 0, true
		}
	}
	const sample = 12
	if len(run) < sample {
		return 0, false
	}
	samples := 2
	if len(run) >= long64 {
		samples = 16
	}
	last := max(0, len(run)-sample-3)
	for skip := range 4 {
		for n := range samples + 1 {
			at := last*n/samples&^3 + skip
			if at+sample <= len(run) && text64(run[at:at+sample]) {
				return skip, true
			}
		}
	}
	return 0, false
}

// text64 reports whether 12 characters decode to text, or to text in UTF-16.
func text64(b []byte) bool {
	texts, zeros := 0, 0
	for i := 0; i+4 <= len(b); i += 4 {
		a, c, d, e := sextet[b[i]], sextet[b[i+1]], sextet[b[i+2]], sextet[b[i+3]]
		if a|c|d|e == 0xff {
			return false // a line break: another sample tells
		}
		for _, v := range [3]byte{a<<2 | c>>4, c<<4 | d>>2, d<<6 | e} {
			switch {
			case printable(v):
				texts++
			case v == 0:
				zeros++
			default:
				return false
			}
		}
	}
	return texts >= 4 && (zeros == 0 || zeros >= 4)
}

// Base64 decodes a run of the standard or the URL alphabet, with or without
// padding, and leaves out everything else, such as the breaks of wrapped lines.
// It returns at most limit bytes, and nil where nothing in the run is text and
// the run is not long.
func Base64(run []byte, limit int) []byte {
	skip, ok := align64(run)
	if !ok && len(run) < long64 {
		return nil
	}
	out := make([]byte, 0, min(limit, len(run)/4*3+3))
	var acc uint32
	n := 0
	for _, c := range run[skip:] {
		v := sextet[c]
		if v == 0xff {
			continue
		}
		acc = acc<<6 | uint32(v)
		if n++; n&3 == 0 {
			if len(out)+3 > limit {
				return out
			}
			out = append(out, byte(acc>>16), byte(acc>>8), byte(acc))
		}
	}
	switch n & 3 {
	case 2:
		out = append(out, byte(acc>>4))
	case 3:
		out = append(out, byte(acc>>10), byte(acc>>2))
	}
	return out[:min(len(out), limit)]
}

// longHex is from what length on digits are decoded whatever they look like.
const longHex = 512

// HexProbe reports whether a run of hexadecimal digits is worth decoding: it is
// long, or its start, its middle or its end is text. Digests are not.
func HexProbe(run []byte) bool {
	_, ok := alignHex(run)
	return ok || len(run) >= longHex
}

func alignHex(run []byte) (skip int, ok bool) {
	const sample = 24
	if len(run) < sample {
		return 0, false
	}
	for _, m := range magicsHex {
		if string(bytes.ToLower(run[:len(m)])) == m {
			return 0, true
		}
	}
	for skip := range 2 {
		for _, at := range [3]int{0, len(run) / 2 &^ 1, max(0, len(run)-sample-1) &^ 1} {
			if at += skip; at+sample <= len(run) && textHex(run[at:at+sample]) {
				return skip, true
			}
		}
	}
	return 0, false
}

func textHex(b []byte) bool {
	texts, zeros := 0, 0
	for i := 0; i+2 <= len(b); i += 2 {
		hi, lo := nibble[b[i]], nibble[b[i+1]]
		switch v := hi<<4 | lo; {
		case hi|lo == 0xff:
			return false
		case printable(v):
			texts++
		case v == 0:
			zeros++
		default:
			return false
		}
	}
	return texts >= 6 && (zeros == 0 || zeros >= 4)
}

// nibble has the value of each hexadecimal digit, and 0xff for all other bytes.
var nibble = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i := range byte(10) {
		t['0'+i] = i
	}
	for i := range byte(6) {
		t['a'+i], t['A'+i] = 10+i, 10+i
	}
	return t
}()

// Hex decodes a run of hexadecimal digits, at most limit bytes of it, and leaves
// out everything else. It returns nil where nothing in the run is text.
func Hex(run []byte, limit int) []byte {
	skip, ok := alignHex(run)
	if !ok && len(run) < longHex {
		return nil
	}
	out := make([]byte, 0, min(limit, len(run)/2))
	half := byte(0xff)
	for _, c := range run[skip:] {
		v := nibble[c]
		switch {
		case v == 0xff:
		case half == 0xff:
			half = v
		case len(out) == limit:
			return out
		default:
			out, half = append(out, half<<4|v), 0xff
		}
	}
	return out
}
