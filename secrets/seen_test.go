package secrets_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSeenFalseAlarms holds the shapes of false alarms that real trees gave:
// each is silent, and what differs from it only in being a secret is not.
func TestSeenFalseAlarms(t *testing.T) {
	drawn := strings.Join([]string{"qX7z", "Rk2w", "Vt9m"}, "") // no literal that a scanner could take for one
	hex := strings.Repeat("9c4f1e7ab03d58", 5)[:64]
	for _, c := range []struct{ why, path, silent, found string }{
		{"values of a map are no names", "a.go", `m := map[string]string{"Suite-1": "PASS",` + "\n" + `"Client-TLS12-NoSign-RSA_MD5": "x"}`, `set("password", "` + drawn + `")`},
		{"an element of a list", "a.py", "password = auth[2]\n", "password = " + drawn + "\n"},
		{"an element of a map", "a.js", "proxy = {password: proxyUrlAuth[1]};", `proxy = {password: "` + drawn + `"};`},
		{"the results of tests", "a.txt", "--- PASS: Test/Sub1 (0.1s)", "PASS: " + drawn + "\n"},
		{"a comparison", "a.js", "(u.token===1077936157?E=1:s|=16)", `if (u.token === "` + drawn + drawn + `")`},
		{"members of an object in code", "a.js", "t.username=n.username,t.password=n1.password2,t.host=n.host;", "Server=db.shop.internal;User Id=app;Password=" + drawn + ";"},
		{"arguments with defaults", "a.py", "def f(host=None, user=None, password=None,\n  tls=0): pass", "Server=db.shop.internal; Password=" + drawn},
		{"fields of a struct", "a.go", "type l struct {\n\tmachine  string\n\tlogin string\n\tpassword string\n}", "machine db.shop.internal login app password " + drawn},
		{"prose about logins", "a.po", "the default\x00Your login has expired.\x00Your password has expired.", "default login app password " + drawn},
		{"anonymous", ".netrc", "default login anonymous password user@site", "default login app password " + drawn},
		{"netrc of documentation", "apt_auth.conf.5", `machine example\&.org/deb login apt password debian`, `machine example\&.org/deb login apt password ` + drawn},
		{"the syntax of a URL", "apt.conf.5", "ftp://[[user][:pass]@]host[:port]/", "ftp://app:" + drawn + "@db.shop.internal:21/"},
		{"a query that names weights", "index.html", "https://fonts.googleapis.com/css2?family=Roboto+Flex:opsz,wght@8..144,100..1000", "https://app:opsz," + drawn + "@fonts.googleapis.com/"},
		{"a path with a scope", "README.md", "https://badge.shop.internal/https://unpkg.com/@popperjs/core", "https://app:" + drawn + "@unpkg.com/"},
		{"a host that cannot exist", "http.d.ts", "new URL('http://abc:xyz@example.com')", "new URL('http://abc:" + drawn + "@example.com')"},
		{"an escape in the word", "url_test.go", "http://user:pa%2Fssword@dummy.faketld/", "http://user:pa%2Fssword" + drawn + "@dummy.faketld/"},
		{"words in a test of netrc", "netrc_test.go", "machine test.host login user2 password pwd2", "machine test.host login user2 password " + drawn},
		{"a hash of a token", "a.json", `{"hashed_token": "` + hex + `"}`, `{"token": "` + hex + `"}`},
		{"an example's result", "a.js", `sign('', 'test_secret') => '` + hex + `'`, `'my_secret' => '` + hex + `'`},
		{"the name of a resource", "a.json", `"arn:aws:secretsmanager:us-east-1:012345678901:secret:mygroup/myalias/TARGET.postgresql-012345"`, ""},
		{"the scope of a signature", "a.js", "Credential=ABCDEF/20121226/us-east-1/sqs/aws4_request, x", ""},
		{"a type's long name", "a.d.ts", "type LaunchElastic = AwsEc2LaunchTemplateDataElasticGpuSpecificationSetDetails[];", ""},
		{"a call", "a.js", "throw new Error(`Invalid response from STS.assumeRoleWithWebIdentity call`)", ""},
		{"prose about people", "changelog", "- fix: state is movable, identified by @koraa1\n", "CREATE USER app IDENTIFIED BY '" + drawn + "'"},
		{"a test vector", "v.json", `{"pkRm": "` + hex + `", "shared_secret": "` + hex + `", "suite_id": "4850", "encryptions": [{"aad": "43", "ct": "f4", "nonce": "c2"}]}`, `{"shared_secret": "` + hex + `"}`},
		{"names that a tool replaces", "a.ini", "esxi_password: @ESXI1_PASSWORD\n", "esxi_password: @" + drawn + "\n"},
		{"an element of a variable", "a.js", `["cfg_ProxyPass", "$cfg['ProxyPass']"]`, `["cfg_ProxyPass", "` + drawn + `"]`},
		{"the member after an index", "a.py", `x = p["snmp_auth_pwd"],` + "\n" + `  "snmpv3_name": p["snmpv3_name"]`, `x = p["snmp_auth_pwd"] = "` + drawn + `"`},
		{"an attribute after a name", "a.xml", `<keyword name="NULL_PASSWORD" link="x509.html#NULL-PASSWORD:CAPS"/>`, `<keyword name="NULL_PASSWORD" value="` + drawn + `"/>`},
		{"what follows a name in quotes", "a.bats", `docker login -u "testuser" -p "badpassword" localregistry:5554`, `docker login -u "testuser" -p "` + drawn + `" localregistry:5554`},
		{"a source of a build", "a.md", `docker build --secret id=aws,src=$HOME/.aws/credentials .`, `docker build --secret=` + drawn + drawn + ` .`},
		{"a literal of a type", "a.go", `token := v1alpha1.ProjectRole{Name: tokenName}`, `token := "` + drawn + drawn + `"`},
		{"a constant", "a.go", `KeyUsageM7HmacKey = "TR31_M7_HMAC_KEY"`, `HmacKey = "` + drawn + drawn + `"`},
		{"what should stand there", "a.yml", "password: wsman_pwd\n", "password: " + drawn + "\n"},
		{"words in base64", "a.yml", "secret: c2VjcmV0IGlzIHNlY3VyZSwgb3IgaXMgaXQ/Cg==\n", "secret: " + base64.StdEncoding.EncodeToString([]byte(drawn+drawn)) + "\n"},
		{"cut short", "a.md", "argocd.token=eyJhbGciOiJIUzI1Ni...\n", "argocd.token=" + drawn + drawn + "\n"},
		{"the working directory", "a.sh", `[ "$PWD" = "/tmp/x1-2" ]`, `DB_PWD = "` + drawn + `"`},
		{"a switch of cloud-init", "a.yaml", "#cloud-config\nusers:\n- lock_passwd: true\n", "#cloud-config\nusers:\n- plain_text_passwd: " + drawn + "\n"},
		{"code beside a kubeconfig", "a_test.go", "kind: Config\nusers:\n" + "\ttoken := strings.TrimSpace(strings.TrimPrefix(authString, x))\n", "kind: Config\nusers:\n- user:\n    token: " + drawn + drawn + "\n"},
		{"a contract's address", "a.json", `{"underlyingToken": "0x` + hex[:40] + `"}`, `{"underlyingToken": "0x` + hex + `"}`},
		{"the path of a name", "a.json", `"AWS::Route53::KeySigningKey": "aws-cdk-lib/aws-route53.CfnKeySigningKey"`, `"KeySigningKey": "` + drawn + "/" + drawn + `"`},
		{"names with dots", "a.json", `["aws-cdk-lib.SecretValue", "aws-cdk-lib.aws_ec2.VpnTunnelOption"]`, `["secretValue", "` + drawn + "." + drawn + `"]`},
		{"a key that lies elsewhere", "a.go", `SigningKey: "pkcs11:id=7371;object=rsa-key2"`, `SigningKey: "` + drawn + ":" + drawn + `"`},
		{"a constant of a package", "a.go", "NL80211_FLAG_EXTERNAL_AUTH = C.NL80211_RXMGMT_FLAG_EXTERNAL_AUTH\n", "EXTERNAL_AUTH = C." + drawn + drawn + "\n"},
		{"the token of a device", "a.js", `let deviceToken = "` + hex + `"`, `let accessToken = "` + hex + `"`},
	} {
		t.Run(c.why, func(t *testing.T) {
			require.Empty(t, rulesOf(scanText(t, c.path, c.silent)))
			if c.found != "" {
				require.Len(t, scanText(t, c.path, c.found), 1)
			}
		})
	}
}
