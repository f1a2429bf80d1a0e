package secrets

import (
	"bytes"
	"path"
	"strings"

	"github.com/boltseal/boltseal"
)

func keyFamilies() []Rule {
	const (
		replace = "make a new key, and revoke the certificates of this one"
		ssh     = "take the public key out of every authorized_keys"
	)
	return []Rule{
		{ID: "private-key-rsa", Title: "RSA private key", By: ByPEM, Program: `"RSA PRIVATE KEY"`, Severity: critical, Refine: clearKey(parseRSA), Revoke: replace},
		{ID: "private-key-ec", Title: "EC private key", By: ByPEM, Program: `"EC PRIVATE KEY"`, Severity: critical, Refine: clearKey(parseNamedEC), Revoke: replace},
		{ID: "private-key-dsa", Title: "DSA private key", By: ByPEM, Program: `"DSA PRIVATE KEY"`, Severity: critical, Refine: clearKey(parseDSA), Revoke: replace},
		{ID: "private-key-pkcs8", Title: "private key", By: ByPEM, Program: `"PRIVATE KEY"`, Severity: critical, Refine: clearKey(parseAnyKey), Revoke: replace},
		{ID: "private-key-encrypted", Title: "encrypted private key", By: ByPEM, Program: `"ENCRYPTED PRIVATE KEY"|"RSA PRIVATE KEY"|"EC PRIVATE KEY"|"DSA PRIVATE KEY"|"PRIVATE KEY"`, Kind: KindEncrypted, Severity: medium, Refine: encryptedKey, Revoke: replace},
		{ID: "private-key-der", Title: "private key in DER", Program: "{" + derPKCS8 + "|" + derPKCS1 + "|" + derSEC1 + "}", Left: "-", Right: "-", Severity: critical, Refine: derKey, Revoke: replace},
		{ID: "openssh-key", Provider: "OpenSSH", Title: "OpenSSH private key", By: ByPEM, Program: `"OPENSSH PRIVATE KEY"`, Severity: critical, Refine: each(notHostKey, clearKey(parseOpenSSH)), Revoke: ssh},
		{ID: "openssh-encrypted", Provider: "OpenSSH", Title: "encrypted OpenSSH private key", By: ByPEM, Program: `"OPENSSH PRIVATE KEY"`, Kind: KindEncrypted, Severity: medium, Refine: encryptedSSH, Revoke: ssh},
		{ID: "ssh-host-key", Provider: "OpenSSH", Title: "SSH host key, the same in every container", By: ByPEM, Program: `"OPENSSH PRIVATE KEY"`, Severity: critical, Refine: each(hostKey, clearKey(parseOpenSSH)), Revoke: "delete it from the image and make one when the container starts"},
		{ID: "putty-key", Provider: "PuTTY", Title: "PuTTY private key", Program: `"PuTTY-User-Key-File-" [23] ": " [0-9a-z@.-]6..64`, Severity: critical, Refine: puttyKey, Revoke: ssh},
		{ID: "pgp-private", Provider: "OpenPGP", Title: "OpenPGP private key", By: ByPEM, Program: `"PGP PRIVATE KEY BLOCK"`, Severity: critical, Refine: pgpKey, Revoke: "publish the key's revocation certificate"},
		{ID: "pkcs12", Title: "PKCS #12 key store", By: ByPlace, Kind: KindEncrypted, Severity: medium, Revoke: replace},
		{ID: "jks", Title: "Java key store", By: ByPlace, Kind: KindEncrypted, Severity: medium, Revoke: replace},
		{ID: "age-key", Provider: "age", Title: "age secret key", Program: `"AGE-SECRET-KEY-1" [02-9AC-HJ-NP-Z]58`, Severity: critical, Refine: defined(checkBech32), Revoke: "encrypt everything anew for another key"},
		{ID: "age-pq", Provider: "age", Title: "age post-quantum secret key", Program: `"AGE-SECRET-KEY-PQ-1" [02-9AC-HJ-NP-Z]58`, Severity: critical, Refine: defined(checkBech32), Revoke: "encrypt everything anew for another key"},
		{ID: "age-plugin", Provider: "age", Title: "age plugin identity", Program: `"AGE-PLUGIN-" [0-9A-Z-]16..400`, Severity: critical, Refine: defined(checkBech32), Revoke: "encrypt everything anew for another key"},
		{ID: "wireguard", Provider: "WireGuard", Title: "WireGuard key", By: ByAssignment, Program: `b43 "="`, Names: []string{"privatekey", "presharedkey"}, Confidence: ConfidenceMedium, Refine: wireguardKey, Revoke: "make a new pair, and replace the public key at every peer"},
		{ID: "nats-seed", Provider: "NATS", Title: "NATS seed", Program: `("SUA"|"SAA"|"SNA"|"SOA"|"SCA"|"SXA") [A-P] L54`, Refine: defined(checkNKey), Revoke: "nsc revocations"},
		{ID: "nats-creds", Provider: "NATS", Title: "NATS user credentials", Program: "\"BEGIN USER NKEY SEED-----\" [\r\n]1..2 {\"SUA\" [A-P] L54}", Left: "-", Refine: func(c *Candidate) bool {
			c.Verdict = checkNKey(c.Secret)
			return c.Verdict == boltseal.VerdictPass
		}, Revoke: "nsc revocations"},
		{ID: "openvpn-static", Provider: "OpenVPN", Title: "OpenVPN static key", Program: `"BEGIN OpenVPN Static key V1-----"`, Left: "-", Right: "-", Severity: critical, Refine: openvpnKey, Revoke: "replace the key on both sides"},
		{ID: "bitcoin-wif", Provider: "Bitcoin", Title: "Bitcoin private key", By: ByAssignment, Program: `[5KL] k50..51`, Context: []string{"bitcoin", "btc", "wallet", "wif", "privkey", "private", "secret", "key"}, Confidence: ConfidenceMedium, Refine: defined(checkWIF), Revoke: "move the funds"},
		{ID: "github-runner-key", Provider: "GitHub", Title: "GitHub runner key", By: ByJSON, Program: `"\"inverseQ\""`, Severity: critical, Check: checkObject("d", "p", "q", "modulus"), Refine: passed, Revoke: "GitHub: Settings > Actions > Runners: remove the runner"},
		{ID: "jwk-private", Title: "private JSON Web Key", By: ByJSON, Program: `"\"kty\""`, Severity: critical, Check: checkObject("kty"), Refine: jwkPrivate, Revoke: replace},
	}
}

func parseNamedEC(der []byte) key { return parseEC(der, nil) }

// parseAnyKey decodes PKCS #8, and the older forms, which some programs write
// under the newer label.
func parseAnyKey(der []byte) key {
	k := parsePKCS8(der)
	for _, parse := range []func([]byte) key{parseRSA, parseNamedEC, parseOpenSSH} {
		if k.verdict == boltseal.VerdictFail {
			k = parse(der)
		}
	}
	return k
}

// clearKey makes a refinement that keeps keys which parse and need no
// passphrase.
func clearKey(parse func([]byte) key) refinement {
	return func(c *Candidate) bool {
		k := parse(c.Token)
		if k.encrypted || k.verdict == boltseal.VerdictFail {
			return false
		}
		c.Verdict = k.verdict
		if k.algorithm != "" {
			c.Notes = append(c.Notes, "a consistent "+k.algorithm+" key")
		}
		noteKnown(c, k.public)
		return true
	}
}

// noteKnown ranks a key that everybody has: low, but said.
func noteKnown(c *Candidate, public []byte) {
	if source, ok := knownKey(public); ok {
		c.rate(low, "a well-known test key: "+source)
	}
}

// encryptedKey keeps keys that need a passphrase: by their label, or by the
// headers of the older form.
func encryptedKey(c *Candidate) bool {
	k := parseEncryptedPKCS8(c.Token)
	if k.verdict != boltseal.VerdictPass {
		text := c.Text[c.Start:c.End]
		if !bytes.Contains(text, []byte("4,ENCRYPTED")) && !bytes.Contains(text, []byte("DEK-Info")) || len(c.Token) < 16 {
			return false
		}
	}
	c.Verdict = boltseal.VerdictPass
	return true
}

func encryptedSSH(c *Candidate) bool {
	k := parseOpenSSH(c.Token)
	c.Verdict = k.verdict
	noteKnown(c, k.public)
	return k.encrypted && k.verdict == boltseal.VerdictPass
}

func hostKey(c *Candidate) bool {
	return strings.HasPrefix(path.Base(c.Path), "ssh_host_")
}

func notHostKey(c *Candidate) bool { return !hostKey(c) }

// pgpKey keeps secret keys; those with a passphrase are encrypted.
func pgpKey(c *Candidate) bool {
	b, ok := parsePEM(c.Text[c.Start:c.End])
	if !ok {
		b = pemBlock{der: c.Token}
	}
	k := parsePGP(b)
	if k.verdict == boltseal.VerdictFail {
		return false
	}
	c.Verdict = k.verdict
	if k.encrypted {
		c.Kind = KindEncrypted
		c.rate(medium, "it needs a passphrase")
	}
	return true
}

// puttyKey reads on behind the first line of a key file.
func puttyKey(c *Candidate) bool {
	file := c.Text[c.Start:min(len(c.Text), c.Start+32<<10)]
	if mac := bytes.Index(file, []byte("Private-MAC: ")); mac >= 0 {
		if end := bytes.IndexByte(file[mac:], '\n'); end >= 0 {
			file = file[:mac+end]
		}
	}
	if checkPuTTY(file) != boltseal.VerdictPass {
		return false
	}
	lines := bytes.Index(file, []byte("Private-Lines: "))
	if lines < 0 {
		return false
	}
	first := bytes.IndexByte(file[lines:], '\n')
	last := bytes.Index(file, []byte("Private-MAC: "))
	if first < 0 || last < lines+first {
		return false
	}
	c.Verdict = boltseal.VerdictPass
	c.Parts = append(c.Parts, Part{Name: "private part", Value: string(bytes.TrimSpace(file[lines+first : last])), Secret: true, Start: c.Start + lines + first, End: c.Start + last})
	return true
}

// openvpnKey reads the 256 bytes in hex behind the BEGIN line.
func openvpnKey(c *Candidate) bool {
	body, _, ok := bytes.Cut(c.Text[c.End:min(len(c.Text), c.End+2048)], []byte("-----END OpenVPN Static key V1"))
	if !ok {
		return false
	}
	digits := bytes.Join(bytes.Fields(body), nil)
	if len(digits) != 512 || len(bytes.Trim(digits, "0123456789abcdefABCDEF")) > 0 || !random(digits) {
		return false
	}
	c.Verdict = boltseal.VerdictPass
	c.Parts = append(c.Parts, Part{Name: "key", Value: string(digits), Secret: true, Start: c.End, End: c.End + len(body)})
	return true
}

// wireguardKey keeps keys in WireGuard's files: 32 bytes, and private ones
// clamped as wg genkey does it.
func wireguardKey(c *Candidate) bool {
	raw := decodeBase64(c.Secret)
	if len(raw) != 32 || !c.near(4096, "[interface]", "[peer]", "wireguard", "allowedips", "wg0") {
		return false
	}
	if strings.Contains(strings.ToLower(c.Name), "private") {
		if raw[0]&7 != 0 || raw[31]&0xC0 != 0x40 {
			return false
		}
	}
	c.Verdict = boltseal.VerdictPass
	return true
}

// jwkPrivate keeps JSON Web Keys with a private member (RFC 7518, section 6).
func jwkPrivate(c *Candidate) bool {
	object := stringMembers(c.Token)
	secret := object["d"]
	switch object["kty"] {
	case "RSA":
		noteKnown(c, trimZeros(decodeBase64([]byte(object["n"]))))
	case "EC", "OKP":
		noteKnown(c, trimZeros(decodeBase64([]byte(object["x"]))))
	case "oct":
		secret = object["k"]
	default:
		return false
	}
	if len(decodeBase64([]byte(secret))) < 16 {
		return false
	}
	c.Verdict = boltseal.VerdictPass
	return true
}
