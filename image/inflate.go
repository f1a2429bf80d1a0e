package image

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/boltseal/boltseal"
)

// Encodings of a layer's blob.
const (
	encodingPlain = "plain"
	encodingGzip  = "gzip"
	encodingZstd  = "zstd"
)

// sniff tells the encoding by the first bytes: RFC 1952 section 2.3.1, RFC 8878
// sections 3.1.1 and 3.1.2 (skippable frames too).
func sniff(head []byte) string {
	switch {
	case len(head) >= 3 && head[0] == 0x1f && head[1] == 0x8b && head[2] == 8:
		return encodingGzip
	case len(head) >= 4 && bytes.Equal(head[:4], []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return encodingZstd
	case len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18}):
		return encodingZstd
	}
	return encodingPlain
}

// newZstd is a decoder that runs on the caller's goroutine and takes windows up
// to Limits.ZstdWindow.
func newZstd(r io.Reader, limits boltseal.Limits) (*zstd.Decoder, error) {
	window := uint64(min(max(limits.ZstdWindow, zstd.MinWindowSize), zstd.MaxWindowSize))
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(window))
}

// claimed is the encoding that a media type announces, "" where it says none.
func claimed(mediaType string) string {
	switch {
	case strings.HasSuffix(mediaType, "+gzip"), strings.HasSuffix(mediaType, ".tar.gzip"):
		return encodingGzip
	case strings.HasSuffix(mediaType, "+zstd"), strings.HasSuffix(mediaType, ".tar.zstd"):
		return encodingZstd
	case strings.HasSuffix(mediaType, ".tar"):
		return encodingPlain
	}
	return ""
}

// inflater inflates one blob after the other with the same buffers.
type inflater struct {
	in       *bufio.Reader
	gz       *gzip.Reader
	zs       *zstd.Decoder
	encoding string
	members  int
	garbage  bool // bytes follow that are no further member or frame
	done     bool
	out      int64
	limits   boltseal.Limits
	inCount  func() int64 // bytes of the blob so far
}

// blobBuffer is smaller than the archive reader's window, so that plain blobs
// are read into that one directly.
const blobBuffer = 64 << 10

func (f *inflater) reset(blob io.Reader, limits boltseal.Limits, inCount func() int64) error {
	if f.in == nil {
		f.in = bufio.NewReaderSize(blob, blobBuffer)
	} else {
		f.in.Reset(blob)
	}
	f.members, f.garbage, f.done, f.out = 0, false, false, 0
	f.limits, f.inCount = limits, inCount
	head, err := f.in.Peek(4)
	if err != nil && err != io.EOF {
		return err
	}
	f.encoding = sniff(head)
	switch f.encoding {
	case encodingGzip:
		return f.nextMember()
	case encodingZstd:
		if f.zs == nil {
			if f.zs, err = newZstd(nil, limits); err != nil {
				return err
			}
		}
		return f.zs.Reset(f.in)
	}
	return nil
}

func (f *inflater) nextMember() (err error) {
	if f.gz == nil {
		f.gz, err = gzip.NewReader(f.in)
	} else {
		err = f.gz.Reset(f.in)
	}
	if err == nil {
		f.gz.Multistream(false)
		f.members++
	}
	return err
}

func (f *inflater) Read(p []byte) (int, error) {
	if f.done {
		return 0, io.EOF
	}
	n, err := f.read(p)
	f.out += int64(n)
	switch {
	case f.out > f.limits.LayerBytes:
		return 0, fmt.Errorf("inflated layer: %w of %d bytes (Limits.LayerBytes)", boltseal.ErrLimit, f.limits.LayerBytes)
	case f.encoding == encodingZstd && f.out > 64<<20 && f.out/f.limits.ZstdRatio > f.inCount():
		return 0, fmt.Errorf("zstd ratio: %w of %d:1 (Limits.ZstdRatio)", boltseal.ErrLimit, f.limits.ZstdRatio)
	}
	return n, err
}

func (f *inflater) read(p []byte) (int, error) {
	switch f.encoding {
	case encodingGzip:
		n, err := f.gz.Read(p)
		if err != io.EOF {
			return n, damaged(err)
		}
		if _, err := f.in.Peek(1); err == io.EOF {
			f.done = true
			return n, io.EOF
		} else if err != nil {
			return n, err
		}
		if head, _ := f.in.Peek(3); sniff(head) != encodingGzip {
			f.garbage, f.done = true, true
			return n, io.EOF
		}
		return n, damaged(f.nextMember())
	case encodingZstd:
		n, err := f.zs.Read(p)
		if errors.Is(err, zstd.ErrMagicMismatch) && f.out+int64(n) > 0 {
			f.garbage, f.done = true, true
			return n, io.EOF
		}
		if errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
			err = fmt.Errorf("zstd window: %w of %d bytes (Limits.ZstdWindow): %w", boltseal.ErrLimit, f.limits.ZstdWindow, err)
		}
		return n, damaged(err)
	}
	return f.in.Read(p)
}

// damaged marks the errors of a decoder, not those of the source beneath it.
func damaged(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case err == nil, err == io.EOF:
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: the compressed blob is cut short: %w", boltseal.ErrMalformed, err)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt), isZstd(err):
		return fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
	}
	return err
}

func isZstd(err error) bool {
	for _, e := range []error{zstd.ErrMagicMismatch, zstd.ErrCRCMismatch, zstd.ErrReservedBlockType, zstd.ErrCompressedSizeTooBig,
		zstd.ErrBlockTooSmall, zstd.ErrUnexpectedBlockSize, zstd.ErrWindowSizeTooSmall, zstd.ErrFrameSizeExceeded, zstd.ErrFrameSizeMismatch, zstd.ErrUnknownDictionary} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (f *inflater) close() {
	if f.zs != nil {
		f.zs.Close()
	}
}
