package secrets

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// pemBlock is a block as it stands in files, code and JSON: its label, what
// its headers say, and the decoded bytes.
type pemBlock struct {
	label   string
	headers []string
	der     []byte
	sum     []byte // the four characters behind "=" in OpenPGP's armor
}

// parsePEM decodes a block that begins with its BEGIN line. It bears what
// surrounds a block in source code: indentation, carriage returns, escaped
// line ends, quotes and concatenation at the end of lines.
func parsePEM(text []byte) (b pemBlock, ok bool) {
	text, ok = bytes.CutPrefix(bytes.TrimLeft(text, "- \t"), []byte("BEGIN "))
	if !ok || len(text) > 1<<20 {
		return b, false
	}
	label, body, ok := bytes.Cut(text, []byte("----"))
	if !ok || len(label) > 64 {
		return b, false
	}
	b.label = strings.TrimRight(string(label), "- ")
	body, _, ok = bytes.Cut(body, []byte("----END "))
	if !ok {
		return b, false
	}
	body = bytes.TrimLeft(bytes.TrimRight(body, "-"), "-")
	encoded := make([]byte, 0, len(body))
	for line := range strings.Lines(unescapeLines(string(body))) {
		line = trimCode(line)
		switch {
		case line == "":
		case strings.Contains(line, ": ") || strings.HasSuffix(line, ":"):
			b.headers = append(b.headers, line)
		case len(line) == 5 && line[0] == '=' && len(encoded) > 0:
			b.sum = []byte(line[1:])
		default:
			encoded = append(encoded, line...)
		}
	}
	encoded = bytes.TrimRight(encoded, "=")
	b.der = make([]byte, base64.RawStdEncoding.DecodedLen(len(encoded)))
	n, err := base64.RawStdEncoding.Decode(b.der, encoded)
	b.der = b.der[:n]
	return b, err == nil && n > 0
}

// unescapeLines turns the escaped line ends of string literals, however often
// escaped, into line ends.
func unescapeLines(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		for i+1 < len(s) && s[i+1] == '\\' {
			i++
		}
		if i+1 == len(s) {
			break
		}
		switch i++; s[i] {
		case 'n', 'r', '\n', '\r':
			b.WriteByte('\n')
		case 't':
			b.WriteByte(' ')
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// trimCode strips what code puts round a line of a literal: quotes, and the
// operators outside of them. Within the quotes, and in a line without any, a
// plus sign is a digit of base 64.
func trimCode(line string) string {
	const code = "+,;.()& \t`"
	line = strings.TrimSpace(line)
	first := strings.IndexAny(line, `"'`)
	if first < 0 {
		return strings.Trim(line, "`")
	}
	if last := strings.LastIndexByte(line, line[first]); last > first {
		return strings.Trim(line[first+1:last], "`")
	}
	if strings.Trim(line, code+`"'`) == "" { // between two literals
		return ""
	}
	if strings.Trim(line[:first], code) == "" { // it opens, and closes on another line
		return line[first+1:]
	}
	return line[:first]
}

// parseKey decodes a private key in PEM, whatever its label; the verdict is
// Fail for a block that holds none, or one that needs a passphrase.
func parseKey(text []byte) key {
	b, ok := parsePEM(text)
	if !ok {
		return badKey()
	}
	parsers := map[string]func([]byte) key{
		"RSA PRIVATE KEY": parseRSA, "EC PRIVATE KEY": parseNamedEC, "DSA PRIVATE KEY": parseDSA, "PRIVATE KEY": parseAnyKey, "OPENSSH PRIVATE KEY": parseOpenSSH,
	}
	parse := parsers[b.label]
	if parse == nil {
		return badKey()
	}
	k := parse(b.der)
	if k.encrypted {
		return badKey()
	}
	k.der = b.der
	return k
}
