package registry_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/internal/registryserver"
	"github.com/boltseal/boltseal/registry"
)

// tokenServer hands out the tokens that a real Distribution registry checks
// (distribution, "Token Authentication Implementation"). It does not speak for
// any registry: it is the other party of the protocol.
type tokenServer struct {
	*httptest.Server
	roots string // file
	key   *ecdsa.PrivateKey
	der   []byte

	mu    sync.Mutex
	asked []string // scopes
}

func newTokenServer(t *testing.T) *tokenServer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tokens"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	require.NoError(t, err)
	s := &tokenServer{key: key, der: der, roots: filepath.Join(t.TempDir(), "roots.pem")}
	require.NoError(t, os.WriteFile(s.roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *tokenServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	q := r.URL.Query()
	s.mu.Lock()
	s.asked = append(s.asked, strings.Join(q["scope"], " "))
	s.mu.Unlock()
	var access []map[string]any
	for _, scope := range q["scope"] {
		parts := strings.Split(scope, ":")
		if user == registryserver.User && password == registryserver.Password || parts[2] == "pull" && strings.HasPrefix(parts[1], "public/") {
			access = append(access, map[string]any{"type": parts[0], "name": parts[1], "actions": strings.Split(parts[2], ",")})
		}
	}
	encode := func(v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	now := time.Now().Unix()
	token := encode(map[string]any{"typ": "JWT", "alg": "ES256", "x5c": []string{base64.StdEncoding.EncodeToString(s.der)}}) + "." +
		encode(map[string]any{"iss": "tokens", "sub": user, "aud": q.Get("service"), "exp": now + 300, "nbf": now - 10, "iat": now - 10, "jti": fmt.Sprint(now), "access": access})
	sum := sha256.Sum256([]byte(token))
	x, y, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	if err != nil {
		panic(err)
	}
	token += "." + base64.RawURLEncoding.EncodeToString(append(x.FillBytes(make([]byte, 32)), y.FillBytes(make([]byte, 32))...))
	_ = json.NewEncoder(w).Encode(map[string]any{"token": token, "expires_in": 300})
}

func TestTokens(t *testing.T) {
	for _, kind := range []registryserver.Kind{registryserver.Distribution2, registryserver.Distribution3} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			tokens := newTokenServer(t)
			// The registry allows a token server without TLS on its own address
			// only; what stands between them gives both one.
			var s *registryserver.Server
			front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/token" {
					tokens.ServeHTTP(w, r)
					return
				}
				forward(s.Host).ServeHTTP(w, r)
			}))
			t.Cleanup(front.Close)
			s = registryserver.Start(t, kind, registryserver.Options{Config: fmt.Sprintf(
				"auth: {token: {realm: %q, service: test, issuer: tokens, rootcertbundle: %q}}\n", front.URL+"/token", tokens.roots)})
			host := strings.TrimPrefix(front.URL, "http://")
			via := &registryserver.Server{Host: host}

			r := open(t, via, registry.Options{Keychain: login{host, registryserver.User, registryserver.Password}})
			m := pushImage(t, r, "public/shop", "1", "x")
			pushImage(t, r, "private/shop", "1", "x")
			ok, err := r.Mount(t.Context(), "private/other", "public/shop", m.Layers[0])
			require.NoError(t, err)
			require.True(t, ok, "the token opens both repositories")

			asked := len(tokens.asked)
			for range 20 {
				_, err := r.Resolve(t.Context(), "public/shop", "1")
				require.NoError(t, err)
			}
			require.Len(t, tokens.asked, asked+1, "one token for many requests")

			stranger := open(t, via, registry.Options{})
			_, err = stranger.Manifest(t.Context(), "public/shop", "1")
			require.NoError(t, err, "a token without credentials opens what is public")
			_, err = stranger.Manifest(t.Context(), "private/shop", "1")
			require.ErrorIs(t, err, fs.ErrPermission)
			_, err = first(stranger.Repositories(t.Context()))
			require.ErrorIs(t, err, fs.ErrPermission)
			require.Subset(t, collect(t, r.Repositories(t.Context())), []string{"public/shop", "private/shop"})
		})
	}
}
