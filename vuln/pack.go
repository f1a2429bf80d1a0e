package vuln

import (
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/boltseal/boltseal"
)

// maxFile bounds a database file, packed or not.
const maxFile = 1 << 30

// Pack compresses a database file for transport, as one zstd frame. Equal
// input gives equal output.
func Pack(db []byte) ([]byte, error) {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(32<<20), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("pack advisory database: %w", err)
	}
	defer e.Close()
	return e.EncodeAll(db, nil), nil
}

// Unpack reverses [Pack]. What it returns is not checked; see [Load].
func Unpack(packed []byte) ([]byte, error) {
	d, err := zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20))
	if err != nil {
		return nil, fmt.Errorf("unpack advisory database: %w", err)
	}
	defer d.Close()
	b, err := io.ReadAll(io.LimitReader(d, maxFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("unpack advisory database: %w: %w", boltseal.ErrMalformed, err)
	case len(b) > maxFile:
		return nil, fmt.Errorf("unpack advisory database: %w: more than %d bytes", boltseal.ErrLimit, maxFile)
	}
	return b, nil
}
