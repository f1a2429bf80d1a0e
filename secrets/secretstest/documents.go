package secretstest

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

func std(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
func raw(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// addJWT appends a signed JSON Web Token with the claims.
func addJWT(claims string) func(*maker, string) string {
	return func(m *maker, s string) string {
		return s + raw(`{"alg":"HS256","typ":"JWT"}`) + "." + raw(fmt.Sprintf(`{%s,"jti":"%s"}`, claims, m.run(alphabet('x'), 16))) + "." +
			base64.RawURLEncoding.EncodeToString(m.bytes(32))
	}
}

func unsigned(m *maker, _ string) string {
	return raw(`{"alg":"none","typ":"JWT"}`) + "." + raw(`{"sub":"`+m.run(digits, 12)+`"}`) + "."
}

func jwe(m *maker, _ string) string {
	part := func(n int) string { return "." + base64.RawURLEncoding.EncodeToString(m.bytes(n)) }
	return raw(`{"alg":"RSA-OAEP","enc":"A256GCM"}`) + part(128) + part(12) + part(60) + part(16)
}

func tunnel(m *maker, _ string) string {
	return std(fmt.Sprintf(`{"a":"%s","t":"%x","s":"%s"}`, m.run(alphabet('x'), 32), m.bytes(16), base64.StdEncoding.EncodeToString(m.bytes(32))))
}

// pypi makes a macaroon: location, identifier, one caveat, signature.
func pypi(location string) func(*maker, string) string {
	return func(m *maker, _ string) string {
		packet := func(kind byte, data []byte) []byte { return append([]byte{kind, byte(len(data))}, data...) }
		out := []byte{2}
		out = append(out, packet(1, []byte(location))...)
		out = append(out, packet(2, []byte(m.run(alphabet('x'), 36)))...)
		out = append(out, 0)
		out = append(out, packet(2, []byte(`{"version":1,"permissions":"user"}`))...)
		out = append(out, 0, 0)
		out = append(out, packet(6, m.bytes(32))...)
		return "pypi-" + base64.RawURLEncoding.EncodeToString(out)
	}
}

// reference makes a reference token of Artifactory.
func reference(m *maker, _ string) string {
	return std("reftkn:01:2524608000:" + m.run(alphabet('w'), 27))
}

// jenkins makes the frame of a value that Jenkins encrypted; what it holds is noise.
func jenkins(m *maker, _ string) string {
	raw := append([]byte{1, 0, 0, 0, 16, 0, 0, 0, 32}, m.bytes(48)...)
	return "{" + base64.StdEncoding.EncodeToString(raw) + "}"
}

func discord(m *maker, _ string) string {
	return raw(m.run(digits, 18)) + "." + m.run(alphabet('w'), 6) + "." + m.run(alphabet('w'), 38)
}

func sentry(m *maker, _ string) string {
	return "sntrys_" + std(fmt.Sprintf(`{"iat":1700000000.%s,"url":"https://sentry.io","region_url":"https://us.sentry.io","org":"shop"}`, m.run(digits, 6))) +
		"_" + base64.RawStdEncoding.EncodeToString(m.bytes(32))
}

func grafanaCloud(m *maker, _ string) string {
	return "glc_" + std(fmt.Sprintf(`{"o":"%s","n":"shop","k":"%s","m":{"r":"eu"}}`, m.run(digits, 7), m.run(alphabet('w'), 24)))
}

func grafanaOld(m *maker, _ string) string {
	return std(fmt.Sprintf(`{"k":"%s","n":"shop","id":1}`, m.run(alphabet('w'), 32)))
}

func onePassword(m *maker, _ string) string {
	return "ops_" + raw(fmt.Sprintf(`{"signInAddress":"my.1password.com","userAuth":{"method":"SRPg-4096","alg":"PBES2g-HS256","iterations":100000,"salt":"%s"},"email":"%s@1passwordserviceaccounts.com","srpX":"%x","secretKey":"A3-%s"}`,
		m.run(alphabet('w'), 22), m.run(alphabet('n'), 12), m.bytes(32), m.run(alphabet('N'), 32)))
}

// basic is what HTTP's basic authentication sends.
func basic(m *maker, _ string) string { return std("deploy:" + m.run(alphabet('w'), 20)) }

func wireguard(m *maker, _ string) string {
	k := m.bytes(32)
	k[0] &= 248
	k[31] = k[31]&127 | 64
	return base64.StdEncoding.EncodeToString(k)
}

// obscured hides a password as rclone does: AES in counter mode under the key
// that stands in its source.
func obscured(m *maker, _ string) string {
	key, err := hex.DecodeString("9c935b48730a554d6bfd7c63c886a92bd390198eb8128afbf4de162b8b95f638")
	if err != nil {
		panic(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	iv := m.bytes(aes.BlockSize)
	text := []byte(m.run(alphabet('w'), 16))
	cipher.NewCTR(block, iv).XORKeyStream(text, text)
	return base64.RawURLEncoding.EncodeToString(append(iv, text...))
}

func openvpn(m *maker, _ string) string {
	var lines []string
	for range 16 {
		lines = append(lines, hex.EncodeToString(m.bytes(16)))
	}
	return strings.Join(lines, "\n")
}
