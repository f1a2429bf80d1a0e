package secrets

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// ofRule returns the matches of one rule.
func ofRule(res Result, rule string) (out []Match) {
	for _, m := range res.Matches {
		if m.Rule == rule {
			out = append(out, m)
		}
	}
	return out
}

func TestPgpass(t *testing.T) {
	res, err := scannerFor(t).Bytes(t.Context(), "root/.pgpass", []byte("# host:port:database:username:password\ndb.internal:5432:shop:app:we\\:ird\\\\Tr0ubador\nshort:line\n*:*:*:admin:\n"))
	require.NoError(t, err)
	got := ofRule(res, "pgpass")
	require.Len(t, got, 1)
	require.Equal(t, "db.internal", got[0].Context["host"])
	require.Equal(t, int64(len("# host:port:database:username:password\ndb.internal:5432:shop:app:")), got[0].Locations[0].Offset)
	require.Equal(t, "(16 bytes)", got[0].Secret.String())
}

func TestKeytab(t *testing.T) {
	entry := func(realm string, parts []string, key string) (e []byte) {
		text := func(s string) { e = append(binary.BigEndian.AppendUint16(e, uint16(len(s))), s...) }
		e = binary.BigEndian.AppendUint16(e, uint16(len(parts)))
		text(realm)
		for _, p := range parts {
			text(p)
		}
		e = append(e, 0, 0, 0, 1, 0x65, 0, 0, 0, 2, 0, 18)
		text(key)
		return append(binary.BigEndian.AppendUint32(nil, uint32(len(e))), e...)
	}
	data := append([]byte{5, 2}, entry("EXAMPLE.ORG", []string{"host", "a.example.org"}, strings.Repeat("\x8f\x11", 16))...)
	data = append(data, 0xff, 0xff, 0xff, 0xfc, 0, 0, 0, 0) // a hole of four bytes
	data = append(data, entry("EXAMPLE.ORG", []string{"nfs"}, strings.Repeat("\x9a\x12", 16))...)
	res, err := scannerFor(t).Bytes(t.Context(), "etc/krb5.keytab", data)
	require.NoError(t, err)
	var names []string
	for _, m := range ofRule(res, "keytab") {
		names = append(names, m.Name)
	}
	require.ElementsMatch(t, []string{"host/a.example.org@EXAMPLE.ORG", "nfs@EXAMPLE.ORG"}, names)
}

func TestJenkinsAndTerraform(t *testing.T) {
	res, err := scannerFor(t).Bytes(t.Context(), "var/jenkins_home/secrets/initialAdminPassword", []byte(strings.Repeat("3f9a", 8)+"\n"))
	require.NoError(t, err)
	require.Len(t, ofRule(res, "jenkins-admin"), 1)

	key := strings.Repeat("0123456789abcdef3f9a7c2e", 11)[:256]
	for text, want := range map[string]int{key: 1, key + "\n": 1, key[:255]: 0, strings.Repeat("0", 256): 0, key[:32]: 0} {
		res, err := scannerFor(t).Bytes(t.Context(), "var/jenkins_home/secrets/master.key", []byte(text))
		require.NoError(t, err)
		require.Len(t, ofRule(res, "jenkins-master-key"), want, text)
	}

	state := `{"version":4,"outputs":{"db":{"value":"Tr0ub4dor&3x","type":"string","sensitive":true},"open":{"value":"nothing to see","sensitive":false}},
"resources":[{"mode":"managed","type":"random_password","name":"db","instances":[{"attributes":{"id":"none","result":"w8Kq!29xLm"},"sensitive_attributes":[[{"type":"get_attr","value":"result"}]]}]}]}`
	res, err = scannerFor(t).Bytes(t.Context(), "infra/terraform.tfstate", []byte(state))
	require.NoError(t, err)
	var names []string
	for _, m := range ofRule(res, "tfstate") {
		names = append(names, m.Name)
	}
	require.ElementsMatch(t, []string{"output.db", "random_password.db.result"}, names)
}

func TestKeystores(t *testing.T) {
	make := func(tool, script string) []byte {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
		cmd := exec.Command("sh", "-ec", script)
		cmd.Dir = t.TempDir()
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		data, err := os.ReadFile(filepath.Join(cmd.Dir, "o"))
		require.NoError(t, err)
		return data
	}
	const key = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -out c -subj /CN=x -days 9 2>/dev/null; "
	for _, c := range []struct {
		name, rule string
		data       []byte
		severity   boltseal.Severity
	}{
		{"open.p12", "pkcs12", make("openssl", key+"openssl pkcs12 -export -inkey k -in c -out o -passout pass:changeit"), boltseal.SeverityHigh},
		{"shop.p12", "pkcs12", make("openssl", key+"openssl pkcs12 -export -inkey k -in c -out o -passout pass:shop"), boltseal.SeverityHigh},
		{"safe.p12", "pkcs12", make("openssl", key+"openssl pkcs12 -export -inkey k -in c -out o -passout pass:kJ7wq-9dLm2"), boltseal.SeverityMedium},
		{"trust.p12", "", make("openssl", key+"openssl pkcs12 -export -nokeys -in c -out o -passout pass:changeit"), 0},
		{"a.jks", "jks", make("keytool", "keytool -genkeypair -keyalg EC -alias mine -dname CN=x -storetype JKS -keystore o -storepass changeit -keypass changeit 2>/dev/null"), boltseal.SeverityHigh},
	} {
		res, err := scannerFor(t).Bytes(t.Context(), "srv/"+c.name, c.data)
		require.NoError(t, err)
		require.Empty(t, res.Skipped)
		if c.rule == "" {
			require.Empty(t, res.Matches, c.name)
			continue
		}
		got := ofRule(res, c.rule)
		require.Len(t, got, 1, c.name)
		require.Equal(t, c.severity, got[0].Severity, c.name)
	}
}

func TestKubernetesSecrets(t *testing.T) {
	token := planted(t, 1)
	b64 := base64.StdEncoding.EncodeToString
	yaml := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: shop\ndata:\n  token: " + b64([]byte(token)) + "\n  broken: '%%'\n"
	list := `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Secret","metadata":{"name":"db","namespace":"shop"},"data":{"token":"` + b64([]byte(token)) + `"}}]}`
	for _, text := range []string{yaml, list, strings.Replace(yaml, "data:\n  token: "+b64([]byte(token)), "stringData:\n  token: "+token, 1)} {
		res, err := scannerFor(t).Bytes(t.Context(), "k.yaml", []byte(text))
		require.NoError(t, err)
		got := only(res.Matches)
		require.Len(t, got, 1)
		found := false
		for _, l := range got[0].Locations {
			if strings.Join(l.Member, "!") == "Secret shop/db/token" {
				found = true
				require.Equal(t, 1+strings.Count(text[:strings.Index(text, "token")], "\n"), l.Line)
			}
		}
		require.True(t, found, "%v", got[0].Locations)
	}
}

func TestHelmRelease(t *testing.T) {
	token := planted(t, 1)
	manifest := "---\n# Source: shop/templates/secret.yaml\napiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ndata:\n  token: " + base64.StdEncoding.EncodeToString([]byte(token)) + "\n"
	release, err := json.Marshal(map[string]any{
		"name": "shop", "namespace": "prod", "version": 3, "manifest": manifest, "config": map[string]string{"greeting": "hello"},
	})
	require.NoError(t, err)
	text := `{"name":"shop","info":{"status":"deployed"},` + string(release[1:])
	var gz bytes.Buffer
	w := gzip.NewWriter(&gz)
	w.Write([]byte(text))
	require.NoError(t, w.Close())
	inner := base64.StdEncoding.EncodeToString(gz.Bytes())
	secret := "apiVersion: v1\nkind: Secret\ntype: helm.sh/release.v1\nmetadata:\n  name: sh.helm.release.v1.shop.v3\ndata:\n  release: " + base64.StdEncoding.EncodeToString([]byte(inner)) + "\n"
	res, err := scannerFor(t).Bytes(t.Context(), "backup.yaml", []byte(secret))
	require.NoError(t, err)
	require.Empty(t, res.Skipped)
	got := only(res.Matches)
	require.Len(t, got, 1)
	found := false
	for _, l := range got[0].Locations {
		found = found || strings.Contains(strings.Join(l.Member, "!"), "manifest.yaml!Secret db/token")
	}
	require.True(t, found, "%v", got[0].Locations)
}

func TestSQLite(t *testing.T) {
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Skip("sqlite3 is not installed")
	}
	token := planted(t, 1)
	// The token lies across the end of a page, wherever that is.
	for lead := 380; lead < 520; lead += 23 {
		cmd := exec.Command("sqlite3", "o", "pragma page_size=512; create table t(b text); insert into t values (printf('%.*c', "+strconv.Itoa(lead)+", ' ')||'"+token+" '||printf('%.*c', 900, ' '));")
		cmd.Dir = t.TempDir()
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		data, err := os.ReadFile(filepath.Join(cmd.Dir, "o"))
		require.NoError(t, err)
		res, err := scannerFor(t).Bytes(t.Context(), "srv/app.db", data)
		require.NoError(t, err)
		require.Empty(t, res.Skipped)
		require.Len(t, only(res.Matches), 1, lead)
	}
	// In UTF-16, and deleted.
	cmd := exec.Command("sqlite3", "o", "pragma encoding='UTF-16le'; pragma secure_delete=off; create table t(b text); insert into t values ('x "+token+" y'); delete from t;")
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	data, err := os.ReadFile(filepath.Join(cmd.Dir, "o"))
	require.NoError(t, err)
	res, err := scannerFor(t).Bytes(t.Context(), "srv/app.db", data)
	require.NoError(t, err)
	require.Len(t, only(res.Matches), 1)
}

func FuzzPlaces(f *testing.F) {
	s := scannerFor(f)
	names := []string{".pgpass", "a.keytab", "initialAdminPassword", "x.tfstate", "k.yaml", "a.pyc"}
	f.Add(0, []byte("a:b:c:d:secretive\n"))
	f.Add(1, []byte("\x05\x02\x00\x00\x00\x20\x00\x01\x00\x01R\x00\x01p\x00\x00\x00\x01aaaa\x02\x00\x12\x00\x08keykeyke"))
	f.Add(3, []byte(`{"outputs":{"a":{"value":"xxxxxxxx","sensitive":true}},"resources":[{"instances":[{"sensitive_attributes":[[{"type":"get_attr","value":"a"}]]}]}]}`))
	f.Add(4, []byte("apiVersion: v1\nkind: List\nitems:\n- kind: Secret\n  metadata: {name: a}\n  data: {k: aGVsbG8=}\n- &a [*a]\n"))
	f.Add(4, []byte(`{"name":"a","info":{"status":"deployed"},"manifest":"apiVersion: v1\nkind: Secret\n"}`))
	f.Fuzz(func(t *testing.T, n int, data []byte) {
		s.Bytes(t.Context(), names[uint(n)%uint(len(names))], data)
	})
}
