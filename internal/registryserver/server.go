// Package registryserver starts real registries for tests: the CNCF
// Distribution's, in the release that Debian packages (docker-registry) and in
// its current one (registry, found on the PATH or by BOLTSEAL_REGISTRY), and
// olareg, in process. A registry that is not installed skips the test.
package registryserver

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/olareg/olareg"
	"github.com/olareg/olareg/config"
	"github.com/stretchr/testify/require"
)

// Kind is a registry's make.
type Kind string

// What can be started.
const (
	Distribution2 Kind = "distribution 2"
	Distribution3 Kind = "distribution 3"
	Olareg        Kind = "olareg"
)

// User and Password open a registry started with Options.Login.
const (
	User     = "scanner"
	Password = "secret"
	// htpasswd -nbBC 4 scanner secret
	htpasswd = "scanner:$2y$04$u0Ze9q5KcroUK3BdfHzRD.iYc3zQh1aFIWyQR.2ztIVodCtxvC3vu\n"
)

// Options are the settings of [Start].
type Options struct {
	TLS    bool // Distribution only
	Login  bool // by name and password; Distribution only
	Delete bool // allows deletion; olareg always does
	// Config is more of the configuration file, as YAML; Distribution only.
	Config string
}

// Server is a registry that runs until the test ends.
type Server struct {
	Kind Kind
	Host string
	// TLS is how to speak to it; nil without TLS.
	TLS *tls.Config
	// CertFile has the certificate to trust, in PEM; empty without TLS.
	CertFile string
	// Storage is the folder where Distribution keeps everything.
	Storage string

	t      testing.TB
	binary string
	config string
	cmd    *exec.Cmd
	out    bytes.Buffer
}

// Start starts a registry on a loopback port.
func Start(t testing.TB, kind Kind, o Options) *Server {
	t.Helper()
	s := &Server{Kind: kind, t: t}
	if kind == Olareg {
		handler := olareg.New(config.Config{Storage: config.ConfigStorage{StoreType: config.StoreMem}, API: config.ConfigAPI{DeleteEnabled: ptr(true), Blob: config.ConfigAPIBlob{DeleteEnabled: ptr(true)}}})
		server := httptest.NewServer(handler)
		t.Cleanup(func() { server.Close(); _ = handler.Close() })
		s.Host = strings.TrimPrefix(server.URL, "http://")
		return s
	}
	s.binary = find(t, kind)
	dir := t.TempDir()
	s.Storage = filepath.Join(dir, "storage")
	require.NoError(t, os.Mkdir(s.Storage, 0o755))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.Host = l.Addr().String()
	require.NoError(t, l.Close())
	conf := fmt.Sprintf("version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage:\n  filesystem: {rootdirectory: %s, maxthreads: 100}\n  delete: {enabled: %v}\nhttp:\n  addr: %s\n", s.Storage, o.Delete, s.Host)
	if o.TLS {
		cert, key, roots := certificate(t, dir)
		conf += "  tls: {certificate: " + cert + ", key: " + key + "}\n"
		s.TLS, s.CertFile = &tls.Config{RootCAs: roots}, cert
	}
	if o.Login {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "htpasswd"), []byte(htpasswd), 0o600))
		conf += "auth: {htpasswd: {realm: test, path: " + filepath.Join(dir, "htpasswd") + "}}\n"
	}
	s.config = filepath.Join(dir, "config.yml")
	require.NoError(t, os.WriteFile(s.config, []byte(conf+o.Config), 0o600))
	s.Run()
	t.Cleanup(func() {
		s.Kill()
		if t.Failed() {
			t.Logf("%s ends with: %s", s.Kind, s.out.Bytes()[max(0, s.out.Len()-2000):])
		}
	})
	return s
}

// Run starts a registry that was killed, on the same storage.
func (s *Server) Run() {
	s.t.Helper()
	s.cmd = exec.Command(s.binary, "serve", s.config)
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	require.NoError(s.t, s.cmd.Start())
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: s.TLS, DisableKeepAlives: true}}
	scheme := "http"
	if s.TLS != nil {
		scheme = "https"
	}
	require.Eventually(s.t, func() bool {
		resp, err := client.Get(scheme + "://" + s.Host + "/v2/")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return true
	}, 30*time.Second, 20*time.Millisecond, "the registry does not answer")
}

// Kill ends the process at once, as a power cut would.
func (s *Server) Kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

func find(t testing.TB, kind Kind) string {
	t.Helper()
	if kind == Distribution2 {
		binary, err := exec.LookPath("docker-registry")
		if err != nil {
			t.Skip("no docker-registry: apt-get install docker-registry")
		}
		return binary
	}
	if binary := os.Getenv("BOLTSEAL_REGISTRY"); binary != "" {
		return binary
	}
	binary, err := exec.LookPath("registry")
	if err != nil {
		t.Skip("no registry: go install github.com/distribution/distribution/v3/cmd/registry@v3.1.2")
	}
	return binary
}

// certificate writes a key and its own certificate for 127.0.0.1.
func certificate(t testing.TB, dir string) (certFile, keyFile string, roots *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	require.NoError(t, err)
	raw, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	encoded := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	require.NoError(t, os.WriteFile(certFile, encoded, 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}), 0o600))
	roots = x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(encoded))
	return certFile, keyFile, roots
}

func ptr[T any](v T) *T { return &v }
