package vuln

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A password in the address of an export is in no message.
func TestFetchKeepsSecrets(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	err := Fetch(t.Context(), strings.Replace(s.URL, "://", "://user:hunter2@", 1), t.TempDir(), nil)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hunter2")
}
