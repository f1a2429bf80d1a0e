package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/examples/internal/cli"
)

// TestTLS connects to a server that wants a certificate, and a password.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	pool := certificate(t, cert, key)
	pair, err := tls.LoadX509KeyPair(cert, key)
	require.NoError(t, err)
	s, err := server.NewServer(&server.Options{
		ServerName: "tls", Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: dir, NoLog: true, NoSigs: true, Username: "watch", Password: "secret", TLS: true, TLSVerify: true, TLSTimeout: 10,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert},
	})
	require.NoError(t, err)
	s.Start()
	t.Cleanup(s.Shutdown)
	require.True(t, s.ReadyForConnections(30*time.Second))
	address := s.Addr().String()
	log := slog.New(slog.DiscardHandler)
	o := &natsOptions{url: "tls://watch:secret@" + address, ca: cert, cert: cert, key: key}
	q, err := o.connect(t.Context(), log)
	require.NoError(t, err)
	require.NoError(t, q.Close())

	// What the server or the client refuses ends at once, and tells no password.
	for name, change := range map[string]func(*natsOptions){
		"password":  func(o *natsOptions) { o.url = "tls://watch:hunter2@" + address },
		"authority": func(o *natsOptions) { o.ca = "" },
	} {
		wrong := *o
		change(&wrong)
		short, cancel := context.WithTimeout(t.Context(), time.Minute)
		_, err := wrong.connect(short, log)
		require.Error(t, err, name)
		require.NoError(t, short.Err(), name)
		require.NotContains(t, err.Error(), "hunter2")
		cancel()
	}
	var out bytes.Buffer
	require.Equal(t, cli.ExitOK, runDead(t.Context(), []string{"-nats", o.url, "-nats-ca", cert, "-nats-cert", cert, "-nats-key", key}, &cli.Console{Name: tool, Out: &out, Err: &out, Env: func(string) string { return "" }}))
	require.Empty(t, out.String())
}

// certificate writes one of its own for 127.0.0.1, for servers and clients.
func certificate(t *testing.T, certFile, keyFile string) *x509.CertPool {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	require.NoError(t, err)
	raw, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	encoded := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	require.NoError(t, os.WriteFile(certFile, encoded, 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}), 0o600))
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(encoded))
	return pool
}
