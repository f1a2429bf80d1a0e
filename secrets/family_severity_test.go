package secrets_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/secrets"
)

func one(t *testing.T, path, text string) secrets.Match {
	t.Helper()
	got := scanText(t, path, text)
	require.Len(t, got, 1, rulesOf(got))
	return got[0]
}

func jwtOf(claims string) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + enc([]byte(claims)) + "." + enc([]byte("0dJ-f3kWz_xQ81mLpa7sYt20"))
}

func TestSeverityOfTokensThatEnd(t *testing.T) {
	m := one(t, "app/x", jwtOf(`{"sub":"a","exp":4102444800}`))
	require.Equal(t, boltseal.SeverityMedium, m.Severity)
	require.Equal(t, 2100, m.Expires.Year())
	require.Equal(t, boltseal.SeverityLow, one(t, "app/x", jwtOf(`{"sub":"a","exp":1500000000}`)).Severity)

	sub := `"sub":"system:serviceaccount:kube-system:admin"`
	require.Equal(t, boltseal.SeverityCritical, one(t, "app/x", jwtOf(`{`+sub+`}`)).Severity)
	require.Equal(t, boltseal.SeverityHigh, one(t, "app/x", jwtOf(`{`+sub+`,"exp":4102444800}`)).Severity)

	const sas = "https://a.blob.core.windows.net/b?sv=2024-11-04&sp=rl&se=%s&sr=b&sig=Zm9vYmFyYmF6cXV4MDEyMzQ1Njc4OWFiY2RlZmdoaWo%%3D"
	require.Equal(t, boltseal.SeverityHigh, one(t, "app/x", fmt.Sprintf(sas, "2100-01-01T00:00:00Z")).Severity)
	require.Equal(t, boltseal.SeverityMedium, one(t, "app/x", fmt.Sprintf(sas, "2020-01-01T00:00:00Z")).Severity)
}

// Keys from the tests of Go are found, and ranked as what they are.
func TestKnownKeysAreLow(t *testing.T) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "src/crypto/tls/testdata/example-key.pem"))
	if err != nil {
		t.Skipf("Go's source is not installed: %v", err)
	}
	m := one(t, "etc/ssl/server.key", string(data))
	require.Equal(t, boltseal.SeverityLow, m.Severity)
	require.Contains(t, strings.Join(m.Notes, "; "), "Go's tests")
}

// What is public by its nature is no finding.
func TestPublicThingsAreSilent(t *testing.T) {
	run := func(name string, args ...string) string {
		out, err := exec.Command(name, args...).Output()
		if err != nil {
			t.Skipf("%s: %v", name, err)
		}
		return string(out)
	}
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
	for name, text := range map[string]string{
		"public key":  run("openssl", "ec", "-in", key, "-pubout"),
		"certificate": run("openssl", "req", "-x509", "-new", "-key", key, "-subj", "/CN=shop", "-days", "1"),
		"request":     run("openssl", "req", "-new", "-key", key, "-subj", "/CN=shop"),
		"parameters":  run("openssl", "ecparam", "-name", "prime256v1"),
		"a document":  "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA...\n-----END RSA PRIVATE KEY-----\n",
		"only begins": "grep -- '-----BEGIN RSA PRIVATE KEY-----' key.pem\n",
	} {
		require.Empty(t, rulesOf(scanText(t, "app/x", text)), name)
	}
	require.NotEmpty(t, scanText(t, "app/x", run("cat", key)))
}
