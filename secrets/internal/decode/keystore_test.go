package decode

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

func TestKeystoresOfTools(t *testing.T) {
	const openssl = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -out c -subj /CN=x -days 9 2>/dev/null; "
	for _, c := range []struct{ name, tools, script, format, password string }{
		{"pkcs12", "openssl", openssl + "openssl pkcs12 -export -inkey k -in c -out o -passout pass:changeit", "pkcs12", "changeit"},
		{"pkcs12 legacy", "openssl", openssl + "openssl pkcs12 -export -macalg sha1 -iter 1 -inkey k -in c -out o -passout pass:pässword", "pkcs12", "pässword"},
		{"pkcs12 empty", "openssl", openssl + "openssl pkcs12 -export -inkey k -in c -out o -passout pass:", "pkcs12", ""},
		{"jks", "keytool", "keytool -genkeypair -keyalg EC -alias mine -dname CN=x -storetype JKS -keystore o -storepass changeit -keypass changeit 2>/dev/null", "jks", "changeit"},
		{"jceks", "keytool", "keytool -genkeypair -keyalg EC -alias mine -dname CN=x -storetype JCEKS -keystore o -storepass changeit -keypass changeit 2>/dev/null", "jceks", "changeit"},
		{"java pkcs12", "keytool", "keytool -genkeypair -keyalg EC -alias mine -dname CN=x -keystore o -storepass changeit 2>/dev/null", "pkcs12", "changeit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := shell(t, c.tools, c.script, "o")
			require.True(t, KeystoreHead(data[:min(len(data), 4096)]))
			k, err := ParseKeystore(data, 100_000)
			require.NoError(t, err)
			require.Equal(t, c.format, k.Format)
			require.True(t, k.Keys)
			require.True(t, k.Opens(c.password))
			require.False(t, k.Opens("something else"))
			if c.format != "pkcs12" {
				require.Equal(t, []string{"mine"}, k.Aliases)
			}
			if c.name == "pkcs12" {
				k, err := ParseKeystore(data, 100) // a password would cost more
				require.NoError(t, err)
				require.True(t, k.Keys)
				require.Greater(t, k.Iterations, 100)
				require.False(t, k.Opens(c.password))
			}
			_, err = ParseKeystore(data[:len(data)/2], 100_000)
			require.ErrorIs(t, err, boltseal.ErrMalformed)
		})
	}
	require.False(t, KeystoreHead([]byte("30 0d 02 01 03 and so on")))
}

func FuzzKeystore(f *testing.F) {
	f.Add([]byte("\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x01\x00\x01a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01k\x00\x00\x00\x00aaaaaaaaaaaaaaaaaaaa"))
	f.Add([]byte("\x00\x00\x00\x02\x00\x00\x00\x14aaaaaaaaaaaaaaaaaaaa\x00\x00\x00\x01\x04\x00\x01a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01k\x00aaaaaaaaaaaaaaaaaaaa"))
	f.Add([]byte("\x30\x2c\x02\x01\x03\x30\x10\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x03\x04\x01a\x30\x15\x30\x0d\x30\x07\x06\x05\x2b\x0e\x03\x02\x1a\x04\x02ab\x04\x01s\x02\x01\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		KeystoreHead(data)
		if k, err := ParseKeystore(data, 10); err == nil {
			k.Opens("changeit")
			k.Opens("")
		}
	})
}
