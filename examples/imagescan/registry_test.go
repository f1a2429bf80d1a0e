package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// TestDistribution pulls from Debian's docker-registry, with and without TLS and
// a login, as a user's machine does: the certificate from the system, the
// password from Docker's configuration.
func TestDistribution(t *testing.T) {
	binary, err := exec.LookPath("docker-registry")
	if err != nil {
		t.Skip("no docker-registry: apt-get install docker-registry")
	}
	program, err := exec.LookPath("imagescan") // as TestMain put it there
	require.NoError(t, err)
	dir := t.TempDir()
	demo := writeLayout(t, dir)
	idx, err := layout.ImageIndexFromPath(dir)
	require.NoError(t, err)
	img, err := idx.Image(demo)
	require.NoError(t, err)

	for _, tt := range []struct {
		name       string
		tls, login bool
	}{{"plain", false, false}, {"TLS", true, false}, {"login", false, true}, {"TLS and login", true, true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := startDistribution(t, binary, tt.tls, tt.login)
			ref, err := name.ParseReference(r.host + "/shop/front:1.4")
			require.NoError(t, err)
			opts := []remote.Option{remote.WithTransport(r.transport)}
			if tt.login {
				opts = append(opts, remote.WithAuth(&authn.Basic{Username: "scanner", Password: "secret"}))
			}
			require.NoError(t, remote.Write(ref, img, opts...))

			scan := func(env ...string) (stdout, stderr string, status int) {
				var out, said bytes.Buffer
				cmd := exec.CommandContext(t.Context(), program, "-cache=", "-o", "json", ref.Name())
				cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + r.dir, "XDG_CACHE_HOME=" + r.dir}, env...)
				cmd.Stdout, cmd.Stderr = &out, &said
				if err := cmd.Run(); err != nil {
					var exit *exec.ExitError
					require.True(t, errors.As(err, &exit), err)
				}
				return out.String(), said.String(), cmd.ProcessState.ExitCode()
			}
			stdout, stderr, status := scan("SSL_CERT_FILE="+r.cert, "DOCKER_CONFIG="+r.config("secret"))
			require.Equal(t, exitIncomplete, status, "npm and Maven advisories of the snapshot are old")
			got, err := boltseal.ReadReport(bytes.NewReader([]byte(stdout)))
			require.NoError(t, err, stderr)
			require.Equal(t, demo.String(), got.Image.Digest)
			require.NotEmpty(t, got.Findings)

			if tt.tls {
				stdout, stderr, status = scan("DOCKER_CONFIG=" + r.config("secret"))
				require.Equal(t, exitIncomplete, status)
				require.Empty(t, stdout)
				require.Contains(t, stderr, "certificate", "nobody vouches for it")
			}
			if tt.login {
				stdout, stderr, status = scan("SSL_CERT_FILE="+r.cert, "DOCKER_CONFIG="+r.config("hunter2"))
				require.Equal(t, exitIncomplete, status)
				require.Empty(t, stdout)
				require.Regexp(t, "(?i)unauthorized|permission", stderr)
				require.NotContains(t, stderr, "hunter2")
			}
		})
	}
}

// distribution is a running registry.
type distribution struct {
	dir, host, cert string
	transport       http.RoundTripper
}

// config writes a login as Docker keeps it, and returns its directory.
func (d *distribution) config(password string) string {
	dir := filepath.Join(d.dir, password)
	auth := base64.StdEncoding.EncodeToString([]byte("scanner:" + password))
	b, _ := json.Marshal(map[string]any{"auths": map[string]any{d.host: map[string]string{"auth": auth}}})
	_ = os.MkdirAll(dir, 0o700)
	_ = os.WriteFile(filepath.Join(dir, "config.json"), b, 0o600)
	return dir
}

func startDistribution(t *testing.T, binary string, withTLS, login bool) *distribution {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d := &distribution{dir: t.TempDir(), host: l.Addr().String(), transport: &http.Transport{}}
	require.NoError(t, l.Close())
	file := func(name string, content []byte) string {
		name = filepath.Join(d.dir, name)
		require.NoError(t, os.WriteFile(name, content, 0o600))
		return name
	}
	scheme := "http://"
	conf := "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: " + d.dir + "}}\nhttp:\n  addr: " + d.host + "\n"
	if withTLS {
		scheme = "https://"
		example := httptest.NewTLSServer(nil) // has a certificate for 127.0.0.1
		pair, root := example.TLS.Certificates[0], example.Certificate()
		example.Close()
		key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
		require.NoError(t, err)
		d.cert = file("cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}))
		conf += "  tls: {certificate: " + d.cert + ", key: " + file("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})) + "}\n"
		roots := x509.NewCertPool()
		roots.AddCert(root)
		d.transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	}
	if login { // scanner:secret, by htpasswd -nbBC 4
		conf += "auth: {htpasswd: {realm: test, path: " + file("htpasswd", []byte("scanner:$2y$04$u0Ze9q5KcroUK3BdfHzRD.iYc3zQh1aFIWyQR.2ztIVodCtxvC3vu\n")) + "}}\n"
	}
	var log bytes.Buffer
	cmd := exec.Command(binary, "serve", file("config.yml", []byte(conf)))
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	client := &http.Client{Transport: d.transport}
	require.Eventually(t, func() bool {
		resp, err := client.Get(scheme + d.host + "/v2/")
		if err != nil {
			return false
		}
		return resp.Body.Close() == nil && (resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusUnauthorized)
	}, 30*time.Second, 50*time.Millisecond, "docker-registry does not answer")
	return d
}
