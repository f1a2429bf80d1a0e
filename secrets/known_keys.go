package secrets

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"strings"
	"sync"
)

// knownList holds the private keys that everybody has: those in the tests of
// widely installed software. It knows them by their public half, so neither
// the list nor an encoding of a key matters: each line is the start of a
// SHA-256 over one number of the public key (see [key]), and where it is from.
// TestKnownKeysUpdate writes it.
//
//go:embed known_keys.txt
var knownList string

var knownKeys = sync.OnceValue(func() map[string]string {
	keys := map[string]string{}
	for line := range strings.Lines(knownList) {
		hash, source, ok := strings.Cut(strings.TrimSpace(line), " ")
		if ok && !strings.HasPrefix(hash, "#") {
			keys[hash] = source
		}
	}
	return keys
})

// knownKey returns where a public key is known from.
func knownKey(public []byte) (source string, ok bool) {
	if len(public) == 0 {
		return "", false
	}
	source, ok = knownKeys()[keyHash(public)]
	return source, ok
}

// keyHash is what the list knows a number by, written without leading zeros.
func keyHash(public []byte) string {
	sum := sha256.Sum256(trimZeros(public))
	return hex.EncodeToString(sum[:8])
}
