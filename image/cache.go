package image

import "context"

// Cache keeps records. Get returns nil without an error for what it does not
// have. Implementations are safe for concurrent use; what they return is
// checked, so they need not be trusted to keep bytes intact, but whoever can
// write to one decides what is found.
type Cache interface {
	Get(ctx context.Context, key string) ([]byte, error)
	Put(ctx context.Context, key string, value []byte) error
}
