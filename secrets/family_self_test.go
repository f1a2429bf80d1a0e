package secrets_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/secrets"
)

// tracked hides what is no part of the repository.
type tracked struct{ fs.FS }

func (t tracked) ReadDir(name string) ([]fs.DirEntry, error) {
	list, err := fs.ReadDir(t.FS, name)
	out := list[:0]
	for _, d := range list {
		if d.Name() != ".git" && !(name == "." && d.Name() == "bin") {
			out = append(out, d)
		}
	}
	return out, err
}

// explained are findings in this repository that were looked at.
var explained = map[string]string{
	"examples/imagescan/registry_test.go htpasswd":      "the hash of a password of the registry that the test starts",
	"internal/registryserver/server.go htpasswd":        "the hash of a password of the registry that tests start",
	"secrets/internal/decode/keystore_test.go jks":      "a key store that is spelled out in the test",
	"secrets/internal/decode/text_test.go url-userinfo": "a URL whose escapes are decoded",
}

// No credential stands in this repository, its tests included: what they need
// is made at run time. Passwords that tests make up, by their name only, are
// left alone.
func TestTheRepositoryHoldsNoSecrets(t *testing.T) {
	scanner := secrets.NewScanner(&secrets.Options{Salt: []byte("salt")})
	for res, err := range scanner.FS(t.Context(), tracked{os.DirFS("..")}) {
		if err != nil {
			require.ErrorIs(t, err, errors.ErrUnsupported) // formats that no decompressor was given for
		}
		for _, m := range res.Matches {
			path := m.Locations[0].Path
			guess := m.Confidence == secrets.ConfidenceLow && (strings.HasSuffix(path, "_test.go") || strings.Contains(path, "testdata/"))
			if m.Suppressed == "" && !guess && explained[path+" "+m.Rule] == "" {
				t.Errorf("%v: %s: %v %v", m.Locations, m.Rule, m.Secret, m.Name)
			}
		}
	}
}
