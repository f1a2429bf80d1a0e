//go:build !unix

package vuln

import (
	"fmt"
	"os"

	"github.com/boltseal/boltseal"
)

// mapFile reads the file, where there is no mmap.
func mapFile(path string) ([]byte, func() error, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !st.Mode().IsRegular() || st.Size() > 1<<31-1 {
		return nil, nil, fmt.Errorf("%s: %w: not an advisory database (%d bytes)", path, boltseal.ErrMalformed, st.Size())
	}
	b, err := os.ReadFile(path)
	return b, func() error { return nil }, err
}
