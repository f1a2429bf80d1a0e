package secrets

import (
	"bytes"
	"strings"
)

// templated reports whether a value is a name that a tool replaces: @DB_PASSWORD,
// @DB_PASSWORD@. Passwords that begin with @ are not all in capitals.
func templated(s string) bool {
	name := strings.TrimSuffix(strings.TrimPrefix(s, "@"), "@")
	return strings.HasPrefix(s, "@") && strings.Contains(name, "_") && screaming(name)
}

// screaming reports whether a name is in capitals, digits and underscores.
func screaming(name string) bool {
	for i := range len(name) {
		if c := name[i]; c != '_' && (c < 'A' || c > 'Z') && !digit(c) {
			return false
		}
	}
	return name != "" && !digit(name[0])
}

// subscripted reports whether a value begins with an element of a variable:
// $cfg['Servers'].
func subscripted(s string) bool {
	name, _, ok := strings.Cut(strings.TrimPrefix(s, "$"), "[")
	return ok && strings.HasPrefix(s, "$") && identifier(name)
}

// describes reports whether a value says what should stand there: a name of
// several words of which the last is what the name of the value means too,
// wsman_pwd, TR31_M7_HMAC_KEY.
func describes(value []byte) bool {
	s := string(value)
	i := strings.LastIndexAny(s, "_-")
	if i < 2 || len(s) > 40 || !identifier(strings.ReplaceAll(s, "-", "_")) {
		return false
	}
	switch last := s[i+1:]; last {
	case "pwd", "pass", "password", "passwd", "secret", "token", "key":
		return strings.ToLower(s) == s
	case "PWD", "PASS", "PASSWORD", "PASSWD", "SECRET", "TOKEN", "KEY":
		return screaming(s)
	}
	return false
}

// address reports whether a value is the address of an account or contract on
// Ethereum and its like: 20 bytes in hexadecimal behind 0x. Keys have 32.
func address(value []byte) bool {
	return len(value) == 42 && string(value[:2]) == "0x" && hexLike(value[2:])
}

// pathOfNames reports whether a value is words joined by dots, or by slashes and by
// what no alphabet of base 64 has beside them: aws-cdk-lib/aws-route53.CfnKeySigningKey.
func pathOfNames(value []byte) bool {
	names := strings.NewReplacer("-", "_", "#", ".").Replace(string(value))
	switch {
	case strings.Contains(names, "/") && strings.ContainsAny(names, "_."):
	case strings.Contains(names, ".") && identifier(names):
	default:
		return false
	}
	share, pairs := wordShare(value)
	return pairs >= 6 && pairs*2 > len(value) && share > 0.5
}

// keyURI reports whether a value names a key that lies elsewhere, as RFC 7512 and
// its like do: pkcs11:id=7371;object=rsa-key, awskms:key-id=….
func keyURI(value []byte) bool {
	scheme, rest, ok := strings.Cut(string(value), ":")
	name, _, is := strings.Cut(rest, "=")
	return ok && is && len(scheme) > 2 && identifier(scheme) && len(name) > 1 && identifier(strings.ReplaceAll(name, "-", "_"))
}

// constantOf reports whether a value is a constant of a package: C.EXTERNAL_AUTH.
func constantOf(value []byte) bool {
	pkg, name, ok := strings.Cut(string(value), ".")
	return ok && identifier(pkg) && strings.Contains(name, "_") && screaming(name)
}

// prose64 reports whether a value is base64 of words, or of a placeholder.
func prose64(value []byte) bool {
	if len(value) < 16 || len(value) > longestValue {
		return false
	}
	text := bytes.TrimSpace(decodeBase64(bytes.TrimRight(value, "=")))
	if len(text) < 10 {
		return false
	}
	for _, c := range text {
		if c < ' ' || c > '~' {
			return false
		}
	}
	if placeholder(text, false) {
		return true
	}
	share, pairs := wordShare(text)
	return pairs >= 6 && pairs*2 > len(text) && share > 0.75 && textureOf(text).digits <= 2
}
