package secretstest

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// Negative is a text that looks like a credential to the hasty, and holds none.
type Negative struct {
	Kind string // what it is: "placeholder", "commit hash", …
	Path string
	Text string
}

// Negatives makes one text of every kind: always the same for the same seed.
func Negatives(seed uint64) []Negative {
	m := newMaker("negatives", seed)
	x := func(n int) string { return m.run(alphabet('x'), n) }
	b64 := func(n int) string { return base64.StdEncoding.EncodeToString(m.bytes(n)) }
	n := func(kind, path, format string, args ...any) Negative {
		return Negative{kind, path, fmt.Sprintf(format, args...)}
	}
	sum512 := sha512.Sum512(m.bytes(8))
	sum256 := sha256.Sum256(m.bytes(8))
	return []Negative{
		n("masked", "app/.env", "API_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\nDB_PASSWORD=********\nTOKEN=0000000000000000000000000000000000000000\n"),
		n("counted", "app/.env", "SECRET_KEY=0123456789abcdef0123456789abcdef\nAPI_TOKEN=abcdefghijklmnopqrstuvwxyz123456\n"),
		n("to be changed", "app/.env.sample", "DB_PASSWORD=changeme\nSECRET=secret\nADMIN_PASSWORD=password\nTOKEN=replace-me\n"),
		n("shell reference", "app/run.sh", "export DB_PASSWORD=${DB_PASSWORD}\nTOKEN=$TOKEN\nAPI_KEY=$(vault read -field=key secret/app)\nSECRET=`cat /run/secrets/key`\nset PASSWORD=%%PASSWORD%%\n"),
		n("template", "chart/templates/secret.yaml", "password: {{ .Values.db.password | b64enc }}\ntoken: <%%= ENV['TOKEN'] %%>\nsecret: #{ENV['SECRET']}\nkey: [[ key ]]\n"),
		n("in brackets", "README.md", "Set `API_KEY=<your api key>` and `password: YOUR_PASSWORD_HERE`, then `token=[REDACTED]`.\n"),
		n("environment look-up", "app/config.js", "const secret = process.env.JWT_SECRET;\nconst apiKey = config.get('apiKey');\nlet password = getPassword(user);\n"),
		n("environment look-up, Python", "app/settings.py", "SECRET_KEY = os.environ['SECRET_KEY']\nPASSWORD = os.getenv(\"DB_PASSWORD\")\ntoken = request.headers.get('Authorization')\n"),
		n("environment look-up, Go", "app/main.go", "password := os.Getenv(\"PASSWORD\")\ntoken := cfg.Token\nkey := s.secretKey\napiKey := flag.String(\"api-key\", \"\", \"key of the API\")\n"),
		n("commit hash", "CHANGELOG.md", "* %s fix the build\n* commit %s\n* merge %s into %s\n", x(40), x(40), x(40), x(40)),
		n("checksums", "dist/SHA256SUMS", "%s  app.tar.gz\n%s  app.zip\n%s *app.exe\n", x(64), x(64), x(64)),
		n("md5sums of a package", "var/lib/dpkg/info/app.md5sums", "%s  usr/bin/app\n%s  usr/share/doc/app/copyright\n", x(32), x(32)),
		n("uuids", "app/data.json", `{"id": "%s", "requestId": "%s", "tenant": "%s"}`, m.uuid(), m.uuid(), m.uuid()),
		n("integrity", "app/package-lock.json", "{\"packages\": {\"node_modules/a\": {\"version\": \"1.0.0\", \"resolved\": \"https://registry.npmjs.org/a/-/a-1.0.0.tgz\", \"integrity\": \"sha512-%s\"}}}\n", base64.StdEncoding.EncodeToString(sum512[:])),
		n("go.sum", "app/go.sum", "example.com/a v1.0.0 h1:%s\nexample.com/a v1.0.0/go.mod h1:%s\n", base64.StdEncoding.EncodeToString(sum256[:]), b64(32)),
		n("digests", "app/Dockerfile", "FROM debian@sha256:%s\nLABEL org.opencontainers.image.revision=%s\n", x(64), x(40)),
		n("lock file, Python", "app/poetry.lock", "[[package]]\nname = \"a\"\nfiles = [{file = \"a.whl\", hash = \"sha256:%s\"}]\n", x(64)),
		n("lock file, Rust", "app/Cargo.lock", "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"%s\"\n", x(64)),
		n("lock file, yarn", "app/yarn.lock", "a@^1.0.0:\n  resolved \"https://registry.yarnpkg.com/a/-/a-1.0.0.tgz#%s\"\n  integrity sha512-%s\n", x(40), b64(64)),
		n("public key", "etc/key.pub", "ssh-ed25519 %s root@build\nssh-rsa %s deploy@ci\n", b64(51), b64(279)),
		n("known hosts", "root/.ssh/known_hosts", "git.shop.internal ssh-ed25519 %s\n|1|%s|%s ssh-rsa %s\n", b64(51), b64(20), b64(20), b64(279)),
		n("certificate", "etc/ssl/ca.pem", "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n", wrap(b64(700), 64)),
		n("public key block", "etc/key.pem", "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n", wrap(b64(294), 64)),
		n("signature", "dist/app.asc", "-----BEGIN PGP SIGNATURE-----\n\n%s\n-----END PGP SIGNATURE-----\n", wrap(b64(300), 64)),
		n("key in prose", "README.md", "The file begins with -----BEGIN RSA PRIVATE KEY----- and ends with -----END RSA PRIVATE KEY-----.\n"),
		n("key left out", "docs/tls.md", "```\n-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC...\n-----END PRIVATE KEY-----\n```\n"),
		n("minified code", "app/bundle.min.js", "!function(e,t){var n=e.token,r=t.apiKey||n.key;function o(e){return e.password!==t.confirmPassword}var secretKeyName=\"x-secret-key\",authTokenType=\"Bearer\";e.exports={keyCode:13,primaryKey:\"id\",tokenType:o}}(this);"),
		n("source map", "app/bundle.js.map", `{"version":3,"sources":["a.js"],"names":[],"mappings":"%s"}`, strings.Repeat("AAAA,SAASA,IAAI,GAAGC,QAAQ,EAAE;", 20)),
		n("image in base64", "app/style.css", ".logo{background:url(data:image/png;base64,iVBORw0KGgo%s)}\n", b64(600)),
		n("font in base64", "app/font.css", "@font-face{src:url(data:font/woff2;base64,d09GMg%s)}\n", b64(600)),
		n("translations", "app/locale/en.json", `{"password": "Password", "forgotPassword": "Forgot your password?", "apiKey": "API key", "secret": "Keep this secret to yourself", "token_expired": "Your token has expired"}`),
		n("prompts", "app/login.html", `<label for="password">Password:</label><input type="password" name="password" placeholder="Enter your password"><input name="csrf_token" value="%s">`, x(40)),
		n("nonce", "app/index.html", `<script nonce="%s">run()</script><meta http-equiv="Content-Security-Policy" content="script-src 'nonce-%s'">`, b64(18), b64(18)),
		n("types", "app/types.ts", "interface Login { password: string; token?: AccessToken; secret: Buffer; apiKey: ApiKeyConfig }\ntype Password = PasswordInput;\n"),
		n("schema", "app/openapi.yaml", "properties:\n  password:\n    type: string\n    format: password\n  apiKey:\n    $ref: '#/components/schemas/ApiKey'\n"),
		n("columns", "app/schema.sql", "CREATE TABLE users (id INT, password VARCHAR(255) NOT NULL, token_hash CHAR(64), secret_id UUID, api_key TEXT);\n"),
		n("names of secrets", "app/deploy.yaml", "secretName: app-tls\nsecretKeyRef:\n  name: database-credentials\n  key: password\ntokenPath: /var/run/secrets/token\npasswordFile: /run/secrets/db_password\n"),
		n("declared variables", "infra/main.tf", "variable \"db_password\" {\n  type      = string\n  sensitive = true\n}\nresource \"x\" \"y\" {\n  password = var.db_password\n  token    = data.vault.token\n}\n"),
		n("CloudFormation", "infra/stack.yaml", "MasterUserPassword: !Ref DBPassword\nSecretString: !Sub '{{resolve:secretsmanager:${Secret}:SecretString:password}}'\n"),
		n("CI variables", ".github/workflows/ci.yml", "env:\n  TOKEN: ${{ secrets.GITHUB_TOKEN }}\n  NPM_TOKEN: ${{ secrets.NPM_TOKEN }}\nwith:\n  password: ${{ secrets.REGISTRY_PASSWORD }}\n"),
		n("URL without password", "app/remotes.txt", "https://deploy@git.shop.internal/app.git\ngit@github.com:shop/app.git\nssh://git@git.shop.internal:22/app.git\npostgres://db.shop.internal:5432/shop\n"),
		n("URL of a document", "README.md", "postgres://user:password@localhost:5432/db\nhttps://username:password@example.com/path\nmongodb://USER:PASS@HOST/\n"),
		n("password policy", "docs/policy.txt", "Passwords must have at least 12 characters. The password is case sensitive. Your password: choose a strong one. Token: valid for one hour.\n"),
		n("licence", "LICENSE", "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the \"Software\"), to deal in the Software without restriction.\n"),
		n("AWS's samples", "docs/aws.md", "aws_access_key_id = %s\naws_secret_access_key = %s\n", "AKIA"+"IOSFODNN7"+"EXAMPLE", "wJalrXUtnFEMI/K7MDENG/"+"bPxRfiCYEXAMPLEKEY"),
		n("jwt.io's sample", "docs/jwt.md", "Authorization: Bearer %s.%s.%s\n", raw(`{"alg":"HS256","typ":"JWT"}`), raw(`{"sub":"1234567890","name":"John Doe","iat":1516239022}`), "SflKxwRJSMeKKF2QT4fw"+"pMeJf36POk6yJV_adQssw5c"),
		n("kubeadm's sample", "docs/join.md", "kubeadm join 1.2.3.4:6443 --token %s --discovery-token-ca-cert-hash sha256:%s\n", "abcdef."+"0123456789abcdef", x(64)),
		n("ARNs and ids", "infra/ids.txt", "arn:aws:iam::123456789012:role/build\nbucket: shop-artifacts-123456789012\nprincipal: AROA%s\nclient: %s-%s.apps.googleusercontent.com\n", m.run(alphabet('L'), 16), m.run(digits, 12), m.run(alphabet('n'), 32)),
		n("key codes", "app/keys.js", "if (e.keyCode === 13 || e.key === 'Enter') {}\nconst sortKey = 'createdAt', primaryKey = 'uuid', apiVersion = 'v1beta1', foreignKey = 'user_id';\n"),
		n("random text in base64", "app/blob.txt", "%s\n", wrap(b64(3000), 76)),
		n("random hex", "app/vectors.txt", "%s\n", wrap(hex.EncodeToString(m.bytes(1500)), 64)),
		n("log", "var/log/app.log", "2026-11-25T10:00:00Z INFO request id=%s trace=%s user=42 token=*** status=200 etag=\"%s\"\n", m.uuid(), x(32), x(32)),
	}
}

// wrap breaks a text into lines.
func wrap(s string, width int) string {
	var lines []string
	for ; len(s) > width; s = s[width:] {
		lines = append(lines, s[:width])
	}
	return strings.Join(append(lines, s), "\n")
}
