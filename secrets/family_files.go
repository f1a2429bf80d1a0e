package secrets

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"strings"

	"github.com/boltseal/boltseal"
)

// fileFamilies are credentials in the files of well-known programs.
func fileFamilies() []Rule {
	const (
		salt = `[0-9A-Za-z./]`
		user = "change the password of the user"
	)
	return []Rule{
		{ID: "otpauth", Title: "one-time password seed", Program: `"secret=" {[A-Z2-7]16..128}`, Context: []string{"otpauth://"}, Severity: medium, Refine: otpauth, Revoke: "enrol the second factor anew"},
		{ID: "keytab", Provider: "Kerberos", Title: "Kerberos keytab", By: ByPlace, Severity: medium, Revoke: "kadmin: ktadd makes new keys"},
		{ID: "htpasswd", Title: "password hash for HTTP", Program: `":$apr1$" ` + salt + `1..8 "$" ` + salt + `22|":$2y$" d2 "$" ` + salt + `53|":{SHA}" b27 "="`, Left: "-", Kind: KindEncrypted, Confidence: ConfidenceMedium, Severity: low, Revoke: user},
		{ID: "shadow", Title: "password hash of a system user", Program: `":$6$" ("rounds=" d4..9 "$")? ` + salt + `1..16 "$" ` + salt + `86 ":"|":$5$" ("rounds=" d4..9 "$")? ` + salt + `1..16 "$" ` + salt + `43 ":"` +
			`|":$y$" ` + salt + `1..8 "$" ` + salt + `1..86 "$" ` + salt + `43 ":"|":$2b$" d2 "$" ` + salt + `53 ":"`, Left: "-", Right: "-", Kind: KindEncrypted, Severity: medium, Revoke: "passwd"},
		{ID: "netrc", Title: "password in a .netrc file", Program: "\"password\" [ \t\r\n]1..8 {[!-~]1..256}", Confidence: ConfidenceMedium, Severity: medium, Refine: netrc, Revoke: "change the password at the machine's service"},
		{ID: "pgpass", Provider: "PostgreSQL", Title: "PostgreSQL password file", By: ByPlace, Severity: medium, Revoke: "ALTER ROLE … PASSWORD"},
		{ID: "git-credentials", Provider: "git", Title: "git credentials", By: ByURL, Severity: medium, Revoke: "change the password at the host"},
		{ID: "docker-auth", Provider: "Docker", Title: "registry credentials", By: ByDockerAuth, Severity: critical, Revoke: "the registry's page of access tokens"},
		{ID: "npmrc-auth", Provider: "npm", Title: "npm registry credentials", Program: `("_auth="|"_password=") ("\"")? {b12..400 ("=="|"=")?}`, Left: `[0-9A-Za-z_]`, Severity: critical, Refine: registryAuth, Revoke: "the registry's page of access tokens"},
		{ID: "pypirc", Provider: "PyPI", Title: "password for a Python package index", By: ByAssignment, Program: `[!-~]6..512`, Names: []string{"password"}, Severity: critical, Refine: each(literal, within(2048, "[pypi]", "[testpypi]", "[distutils]"), inFile(".pypirc")), Revoke: "https://pypi.org/manage/account/token/"},
		{ID: "maven-settings", Provider: "Maven", Title: "password in Maven's settings", By: ByAssignment, Program: `[!-~]4..512`, Names: []string{"password", "passphrase"}, Confidence: ConfidenceMedium, Refine: each(inFile("settings.xml", "settings-security.xml"), mavenPassword), Revoke: "change the password at the repository server"},
		{ID: "gradle-props", Provider: "Gradle", Title: "password in Gradle's properties", By: ByAssignment, Program: `[!-~]4..512`, Context: []string{"password"}, Confidence: ConfidenceMedium, Refine: each(inFile("gradle.properties"), literal), Revoke: "change the password at the repository server"},
		{ID: "rclone-conf", Provider: "rclone", Title: "password in rclone's configuration", By: ByAssignment, Program: `u22..512`, Names: []string{"pass", "password", "password2", "clientsecret"}, Confidence: ConfidenceMedium, Refine: rclonePassword, Revoke: "change the password at the remote"},
		{ID: "tfstate", Provider: "Terraform", Title: "secret in Terraform's state", By: ByPlace, Confidence: ConfidenceMedium, Revoke: "rotate it at the resource"},
		{ID: "cloud-init", Provider: "cloud-init", Title: "password in a cloud-init document", By: ByAssignment, Program: `[!-~]4..256`, Names: []string{"password", "passwd", "plaintextpasswd"}, Confidence: ConfidenceMedium, Refine: cloudInit, Revoke: user},
		{ID: "azure-profile", Provider: "Azure", Title: "Azure CLI token cache", By: ByJSON, Program: `"\"refreshToken\""|"\"RefreshToken\""`, Check: checkRefresh, Refine: azureProfile, Revoke: "az logout, and revoke the user's sessions"},
		{ID: "ansible-vault", Provider: "Ansible", Title: "Ansible vault", Program: `"$ANSIBLE_VAULT;" d "." d ";AES" w0..6`, Left: "-", Refine: vaultBody, Kind: KindEncrypted, Severity: low, Revoke: "rotate what is inside, if the vault's password is known"},
		{ID: "sops", Provider: "SOPS", Title: "value encrypted with SOPS", Program: `"ENC[AES256_GCM,data:" [0-9A-Za-z+/=]1+`, Left: "-", Kind: KindEncrypted, Severity: low, Revoke: "rotate what is inside, if the key is known"},
		{ID: "sealed-secret", Provider: "Kubernetes", Title: "sealed secret", Program: `"kind: Sealed" "Secret"`, Refine: within(4096, "encrypteddata"), Kind: KindEncrypted, Severity: low, Revoke: "rotate what is inside, if the controller's key is known"},
	}
}

// vaultBody keeps headers that hex digits follow on the next line.
func vaultBody(c *Candidate) bool {
	after := c.Text[c.End:min(len(c.Text), c.End+256)]
	if bytes.HasPrefix(after, []byte(`\n`)) || bytes.HasPrefix(after, []byte(`\r\n`)) { // in a string
		after = []byte(unescapeLines(string(after)))
	}
	_, body, ok := bytes.Cut(after, []byte{'\n'})
	line, _, _ := bytes.Cut(bytes.TrimSpace(body), []byte{'\n'})
	return ok && len(line) >= 16 && len(bytes.Trim(line, "0123456789abcdef\r")) == 0
}

// otpauth keeps secrets in the URLs that QR codes of second factors hold.
func otpauth(c *Candidate) bool {
	url := c.Text[max(0, c.Start-512):c.Start]
	if i := bytes.LastIndexAny(url, " \t\r\n\"'<>`"); i >= 0 {
		url = url[i:]
	}
	return bytes.Contains(url, []byte("otpauth://")) && len(decodeBase32(c.Secret)) >= 10
}

// netrc keeps passwords that follow a machine, or the default, and a login.
func netrc(c *Candidate) bool {
	words := strings.Fields(string(c.Text[max(0, c.Start-512):c.Start]))
	user, i := "", len(words)-2
	for ; i >= 0 && (words[i] == "login" || words[i] == "account" || words[i] == "port" || words[i] == "protocol"); i -= 2 {
		if words[i] == "login" || words[i] == "account" && user == "" {
			user = words[i+1]
		}
	}
	if i >= 0 { // the value of a form's field, of a string, or text between zero bytes may begin so
		words[i] = words[i][strings.LastIndexAny(words[i], "=\"'>\x00")+1:]
	}
	host := "default"
	switch {
	case i >= 0 && words[i] == "machine":
		host, _, _ = strings.Cut(strings.ReplaceAll(words[i+1], `\&`, ""), "/") // as a manual page and apt write it
	case i+1 < 0 || words[i+1] != "default":
		return false
	}
	if user == "" || user == "anonymous" || user == host || weakPair(user, string(c.Secret)) || exampleHost(host) && !chosen(c.Secret) {
		return false // in public, in a declaration, or in documentation
	}
	if !strings.HasSuffix(c.Path, "netrc") && !password(c.Secret, true, true) {
		return false // in other files it must look like a password, not like a word
	}
	c.Parts = append(c.Parts, Part{Name: "host", Value: host}, Part{Name: "user", Value: user})
	return literal(c)
}

// literal drops values that are references or encrypted, not values.
func literal(c *Candidate) bool {
	v := string(c.Secret)
	for _, prefix := range []string{"${", "$(", "{{", "<%", "#{", "ENC(", "{cipher}", "%", "$", "<", "{vault}", "vault:", "!"} {
		if strings.HasPrefix(v, prefix) {
			return false
		}
	}
	return !strings.ContainsAny(v, "\"'") && len(bytes.Trim(c.Secret, v[:1])) > 0 && !notPassword(c.Secret)
}

// mavenPassword keeps passwords; those in braces are encrypted with the master
// password, which stands in settings-security.xml under a fixed key.
func mavenPassword(c *Candidate) bool {
	if bytes.HasPrefix(c.Secret, []byte("{")) && bytes.HasSuffix(c.Secret, []byte("}")) {
		c.Kind = KindEncrypted
		c.rate(low, "it is encrypted with the master password of settings-security.xml")
		return true
	}
	return literal(c)
}

// rclonePassword keeps values in rclone's configuration, which hides passwords
// with a key that stands in its source: anyone can read them.
func rclonePassword(c *Candidate) bool {
	if !isFile(c.Path, "rclone.conf", "rclone/rclone.conf") && !c.near(1024, "\ntype = ") {
		return false
	}
	raw := decodeBase64(c.Secret)
	if len(raw) <= aes.BlockSize {
		return false
	}
	block, err := aes.NewCipher([]byte("\x9c\x93\x5b\x48\x73\x0a\x55\x4d\x6b\xfd\x7c\x63\xc8\x86\xa9\x2b\xd3\x90\x19\x8e\xb8\x12\x8a\xfb\xf4\xde\x16\x2b\x8b\x95\xf6\x38"))
	if err != nil {
		return false
	}
	plain := make([]byte, len(raw)-aes.BlockSize)
	cipher.NewCTR(block, raw[:aes.BlockSize]).XORKeyStream(plain, raw[aes.BlockSize:])
	if !printable(plain) {
		return false
	}
	c.Verdict = boltseal.VerdictPass
	return true
}

// cloudInit keeps passwords in documents that begin with #cloud-config.
func cloudInit(c *Candidate) bool {
	if c.Name == "lock_passwd" || !bytes.Contains(c.Text[:c.Start], []byte("#cloud-config")) || !literal(c) {
		return false
	}
	if bytes.HasPrefix(c.Secret, []byte("$")) {
		c.Kind = KindEncrypted
		c.rate(medium, "it is a hash")
	}
	return true
}

// azureProfile keeps refresh tokens in the caches of Azure's tools.
func azureProfile(c *Candidate) bool {
	if !isFile(c.Path, "msal_token_cache.json", "accesstokens.json") && !c.near(2048, "login.microsoftonline.com", "login.windows.net") {
		return false
	}
	return passed(c)
}

// checkRefresh accepts the entries of a token cache that hold a refresh token.
func checkRefresh(object []byte) boltseal.Verdict {
	have := stringMembers(object)
	return soft(len(have["refreshToken"]) > 40 || have["credential_type"] == "RefreshToken" && len(have["secret"]) > 40)
}
