package secrets

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// encodedKeys are runs of hexadecimal digits, and of base 64 on one line or several.
var encodedKeys = regexp.MustCompile(`(?i:30[0-9a-f]{80,})|M[A-Za-z0-9+/]{60,}(\r?\n[A-Za-z0-9+/]+)*`)

// arrays are the bytes of a C array.
var (
	arrays = regexp.MustCompile(`(?:0x[0-9A-Fa-f]{2},?\s*){40,}`)
	notHex = regexp.MustCompile(`[^0-9A-Fa-f]+`)
)

// pemKeys yields the private keys of a file: those in PEM, in any source code
// round it, and those in DER that are the whole file, or stand there encoded.
func pemKeys(data []byte, yield func(key)) {
	der := func(data []byte) {
		for _, parse := range []func([]byte) key{parsePKCS8, parseRSA, parseNamedEC, parseDSA} {
			if len(data) < 16<<10 && len(data) > 30 && data[0] == 0x30 {
				yield(parse(data))
			}
		}
	}
	der(data)
	for _, text := range encodedKeys.FindAll(data, -1) {
		if raw, err := hex.DecodeString(string(text)); err == nil {
			der(raw)
		} else {
			der(decodeBase64(bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r"), nil), []byte("\n"), nil)))
		}
	}
	for _, text := range arrays.FindAll(data, -1) {
		if raw, err := hex.DecodeString(string(notHex.ReplaceAll(bytes.ReplaceAll(text, []byte("0x"), nil), nil))); err == nil {
			der(raw)
		}
	}
	// Go's tests rename their keys so that scanners leave them alone.
	data = bytes.ReplaceAll(data, []byte("TESTING KEY-----"), []byte("PRIVATE KEY-----"))
	for {
		i := bytes.Index(data, []byte("-----BEGIN "))
		if i < 0 {
			return
		}
		end := bytes.Index(data[i:], []byte("-----END "))
		if end < 0 {
			return
		}
		block := data[i:][:min(end+80, len(data)-i)]
		if last := bytes.LastIndex(block, []byte("-----")); last > 0 {
			block = block[:last]
		}
		yield(parseKey(block))
		data = data[i+end:]
	}
}

// TestKnownKeysUpdate rewrites the list from trees of source code, which
// BOLTSEAL_KNOWN_KEYS names: "Go=/usr/lib/go/src;OpenSSL=/tmp/openssl". Keys
// of trees that are not given stay.
func TestKnownKeysUpdate(t *testing.T) {
	trees := os.Getenv("BOLTSEAL_KNOWN_KEYS")
	if trees == "" {
		t.Skip("BOLTSEAL_KNOWN_KEYS names no trees to read keys from")
	}
	keys := maps.Clone(knownKeys())
	for _, tree := range strings.Split(trees, ";") {
		name, dir, ok := strings.Cut(tree, "=")
		require.True(t, ok, "want NAME=DIRECTORY, not %q", tree)
		found := 0
		require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			if info, err := d.Info(); err != nil || info.Size() > 8<<20 {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			pemKeys(data, func(k key) {
				if len(k.public) == 0 {
					return
				}
				found++
				hash := keyHash(k.public)
				if old, ok := keys[hash]; !ok || old > name+"'s tests" {
					keys[hash] = name + "'s tests"
				}
			})
			return nil
		}))
		t.Logf("%s: %d keys", name, found)
		require.NotZero(t, found, "no keys in %s", dir)
	}
	var out strings.Builder
	out.WriteString("# Private keys that are public: see known_keys.go.\n")
	for _, hash := range slices.Sorted(maps.Keys(keys)) {
		fmt.Fprintf(&out, "%s %s\n", hash, keys[hash])
	}
	require.NoError(t, os.WriteFile("known_keys.txt", []byte(out.String()), 0o644))
}

func TestKnownKeys(t *testing.T) {
	path := filepath.Join(goRoot(t), "src", "crypto", "tls", "testdata", "example-key.pem")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("Go's source is not installed: %v", err)
	}
	k := parseKey(bytes.TrimSpace(data))
	require.NotEmpty(t, k.public)
	source, ok := knownKey(k.public)
	require.True(t, ok)
	require.Equal(t, "Go's tests", source)

	_, ok = knownKey(nil)
	require.False(t, ok)
	_, ok = knownKey([]byte{1, 2, 3})
	require.False(t, ok)
}

func goRoot(t *testing.T) string {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}
