package registry

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"

	"github.com/boltseal/boltseal"
)

// checkFile refuses a file that bbolt would crash on, because it maps it into
// memory and trusts what it says: one of another kind, and one that was cut short.
// A file that is not there, or is empty, is for bbolt to make.
//
// A bbolt file begins with two pages of which one is valid (bbolt, meta): a header
// of 16 bytes, then magic, version, size of a page, flags, root, its sequence,
// list of free pages, number of pages in use, transaction, and an FNV-1a checksum.
func checkFile(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	var last, pages, pageSize uint64
	for at := int64(0); at <= 64<<10; at = max(2*at, 1<<10) {
		meta := make([]byte, 64)
		if _, err := f.ReadAt(meta, at+16); err != nil {
			if err == io.EOF {
				break
			}
			return err
		}
		h := fnv.New64a()
		_, _ = h.Write(meta[:56]) // a hash takes all
		const magic = 0xED0CDAED
		if binary.NativeEndian.Uint32(meta) != magic || binary.NativeEndian.Uint64(meta[56:]) != h.Sum64() {
			continue
		}
		if txid := binary.NativeEndian.Uint64(meta[48:]); txid >= last {
			last, pages, pageSize = txid, binary.NativeEndian.Uint64(meta[40:]), uint64(binary.NativeEndian.Uint32(meta[8:]))
		}
	}
	switch {
	case pageSize == 0:
		return fmt.Errorf("%w: not a store", boltseal.ErrMalformed)
	case pages > uint64(info.Size())/pageSize:
		return fmt.Errorf("%w: cut short: %d bytes of %d pages of %d: take a copy of it, or a new file", boltseal.ErrMalformed, info.Size(), pages, pageSize)
	}
	return nil
}
