//go:build unix

package vuln

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/boltseal/boltseal"
)

// mapFile maps a file read-only. Whoever truncates a mapped file in place makes
// its readers fault; [Build] therefore replaces by rename.
func mapFile(path string) ([]byte, func() error, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !st.Mode().IsRegular() || st.Size() < headerSize || st.Size() > 1<<31-1 {
		return nil, nil, fmt.Errorf("%s: %w: not an advisory database (%d bytes)", path, boltseal.ErrMalformed, st.Size())
	}
	b, err := unix.Mmap(int(f.Fd()), 0, int(st.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, fmt.Errorf("map %s: %w", path, err)
	}
	return b, func() error { return unix.Munmap(b) }, nil
}
