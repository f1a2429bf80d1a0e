package secrets_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/secrets"
)

// The shape that orchestrator asks for, as it declares it.
var _ interface {
	FindSecrets(ctx context.Context, name string, text []byte) ([]boltseal.Finding, error)
} = (*secrets.Scanner)(nil)

func TestFindSecrets(t *testing.T) {
	s := secrets.NewScanner(nil)
	const password = "xK9-vq2T.mW4zR8p"
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	for _, test := range []struct {
		name, value string
		found       bool
	}{
		{"DB_PASSWORD", password, true},
		{"example.com/api-token", password, true},
		{"", "--verbose --db-password=" + password, true},
		{"", "--db-password " + password, true},
		{"DATABASE_URL", "postgres://app:" + password + "@db.prod.internal/shop", true},
		{"tls.pem", key, true},
		{"app.properties", "a=1\nspring.datasource.password=" + password + "\n", true},
		{"COLOR", "blue", false},
		{"DB_PASSWORD", "$(FROM_ELSEWHERE)", false},
		{"DB_PASSWORD_FILE", "/run/secrets/db", false},
		{"DB_PASSWORD", "changeme", false},
		{"kubernetes.io/description", "the password is in the vault", false},
	} {
		got, err := s.FindSecrets(t.Context(), test.name, []byte(test.value))
		require.NoError(t, err)
		require.Equal(t, test.found, len(got) > 0, "%s=%s: %v", test.name, test.value, got)
		for _, f := range got {
			require.NotContains(t, f.Title+f.Description, strings.TrimSpace(test.value))
			for _, e := range f.Evidence {
				require.NotContains(t, e.Detail, password)
			}
		}
	}
}
