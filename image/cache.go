package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Cache keeps what [Analyze] found: a record for each layer, which serves every
// image that has the layer, one for each image, and one for a number of layers
// from the lowest on that images were seen to share. Get returns nil without an
// error for what it does not have. Keys are at most 80 lower-case
// letters, digits and hyphens. A value is never changed once it was given to Put
// or returned by Get, neither by the cache nor by its user: both may keep it.
// Implementations are safe for concurrent use.
//
// Records are checked when they are read: a damaged one, and one of another
// version, counts as absent. They are not signed: whoever can write to a cache
// decides what is found.
type Cache interface {
	Get(ctx context.Context, key string) ([]byte, error)
	Put(ctx context.Context, key string, value []byte) error
}

// cacheKey digests its parts, each with its length, so that no two lists of
// parts give one key.
func cacheKey(kind string, parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return kind + "-" + hex.EncodeToString(h.Sum(nil))
}
