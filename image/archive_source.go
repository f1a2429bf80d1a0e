package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/spool"
)

// openArchiveFile opens oci-archive:FILE[:REF] and docker-archive:FILE[:REF].
func openArchiveFile(ctx context.Context, s string, o *OpenOptions) (*Image, error) {
	name, ref, err := splitPath(s)
	if err != nil {
		return nil, err
	}
	f, size, err := openRegular(name)
	if err != nil {
		return nil, err
	}
	img, err := OpenArchive(ctx, f, size, ref, o)
	if err != nil {
		f.Close()
		return nil, err
	}
	img.Closer = closers{img.Closer, f}
	return img, nil
}

// openRegular opens a regular file, and no pipe or device that would block.
func openRegular(name string) (*os.File, int64, error) {
	fi, err := os.Stat(name)
	if err != nil {
		return nil, 0, err
	}
	if !fi.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s: not a regular file: %w", name, errors.ErrUnsupported)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	return f, fi.Size(), nil
}

// OpenArchive opens an image in a tar, an OCI layout or what docker save
// writes, that lies in anything which can be read at any place: the image's
// layers are read from r, concurrently, until the image is closed; r remains the
// caller's. Ref chooses among several images as with [Open]; it may be empty.
//
// The tar may be compressed as a whole, with gzip or zstd. Then it is inflated
// into [OpenOptions.SpoolDir] or, without one, again from its start for each
// layer: correct, in constant memory, and slow with many layers.
func OpenArchive(ctx context.Context, r io.ReaderAt, size int64, ref string, o *OpenOptions) (*Image, error) {
	if o == nil {
		o = &OpenOptions{}
	}
	a, closer, err := readArchive(ctx, r, size, o)
	if err != nil {
		return nil, err
	}
	img, err := a.image(ctx, ref, o)
	if err != nil {
		return nil, errors.Join(err, closer.Close())
	}
	img.Closer = closer
	return img, nil
}

func readArchive(ctx context.Context, r io.ReaderAt, size int64, o *OpenOptions) (*archive, closers, error) {
	limits := o.Limits.WithDefaults()
	inflate, err := sniffArchive(r, limits)
	if err != nil {
		return nil, nil, err
	}
	var closer closers
	if inflate != nil && o.SpoolDir != "" {
		f, err := packed{r, size, limits, inflate}.spool(ctx, o.SpoolDir)
		if err != nil {
			return nil, nil, err
		}
		r, size, inflate, closer = f, f.Size(), nil, closers{f}
	}
	var a *archive
	if inflate == nil {
		s := io.NewSectionReader(r, 0, size)
		a, err = indexArchive(ctx, s, func() int64 { n, _ := s.Seek(0, io.SeekCurrent); return n }, false, limits)
		if a != nil {
			a.source = plain{r, size}
		}
	} else {
		p := packed{r, size, limits, inflate}
		var rc *counted
		if rc, err = p.stream(ctx); err == nil {
			a, err = indexArchive(ctx, rc, func() int64 { return rc.n }, true, limits)
			rc.Close()
		}
		if a != nil {
			a.source = p
		}
	}
	if err != nil {
		return nil, nil, errors.Join(err, closer.Close())
	}
	return a, closer, nil
}

// sniffArchive tells how a file is compressed; nil is not at all.
func sniffArchive(r io.ReaderAt, limits boltseal.Limits) (unpacker, error) {
	var head [6]byte
	if n, err := r.ReadAt(head[:], 0); n < len(head) {
		return nil, fmt.Errorf("%w: not a tar archive: %w", boltseal.ErrMalformed, err)
	}
	switch {
	case sniff(head[:]) == encodingGzip:
		return func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) }, nil
	case sniff(head[:]) == encodingZstd:
		return func(r io.Reader) (io.ReadCloser, error) {
			d, err := newZstd(r, limits)
			if err != nil {
				return nil, err
			}
			return d.IOReadCloser(), nil
		}, nil
	case string(head[:]) == "\xfd7zXZ\x00":
		return nil, fmt.Errorf("an archive compressed with xz: %w: use gzip or zstd", errors.ErrUnsupported)
	case string(head[:3]) == "BZh":
		return nil, fmt.Errorf("an archive compressed with bzip2: %w: use gzip or zstd", errors.ErrUnsupported)
	}
	return nil, nil
}

type unpacker func(io.Reader) (io.ReadCloser, error)

// plain is an uncompressed tar: its files are read in place.
type plain struct {
	io.ReaderAt
	size int64
}

func (p plain) open(_ context.Context, offset, size int64) (io.ReadCloser, error) {
	if offset > p.size || size > p.size-offset {
		return nil, fmt.Errorf("%w: the archive ends within this file: %w", boltseal.ErrMalformed, io.ErrUnexpectedEOF)
	}
	return section{io.NewSectionReader(p.ReaderAt, offset, size)}, nil
}

// section is part of a file. It is a [SizedReaderAt].
type section struct{ *io.SectionReader }

func (section) Close() error { return nil }

// packed is a compressed tar: whatever is read of it is inflated from the start.
type packed struct {
	r       io.ReaderAt
	size    int64
	limits  boltseal.Limits
	inflate unpacker
}

func (p packed) stream(ctx context.Context) (*counted, error) {
	rc, err := p.inflate(io.NewSectionReader(p.r, 0, p.size))
	if err != nil {
		return nil, malformed(err)
	}
	return &counted{ReadCloser: rc, alive: ctx.Err, limit: p.limits.LayerBytes}, nil
}

func (p packed) open(ctx context.Context, offset, size int64) (io.ReadCloser, error) {
	rc, err := p.stream(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, rc, offset); err != nil {
		return nil, errors.Join(malformed(err), rc.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(rc, size), rc}, nil
}

// counted counts what is read of an archive, ends with the context and at the limit.
type counted struct {
	io.ReadCloser
	alive func() error // the context's
	n     int64
	limit int64
}

func (c *counted) Read(b []byte) (int, error) {
	if err := c.alive(); err != nil {
		return 0, err
	}
	n, err := c.ReadCloser.Read(b)
	if c.n += int64(n); c.n > c.limit {
		return n, fmt.Errorf("%w: the archive inflates to more than %d bytes, Limits.LayerBytes", boltseal.ErrLimit, c.limit)
	}
	return n, err
}

// spool inflates the archive into a file of dir.
func (p packed) spool(ctx context.Context, dir string) (*spool.File, error) {
	rc, err := p.stream(ctx)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	return spool.Copy(ctx, dir, rc)
}

// closers closes all of its members that are not nil.
type closers []io.Closer

func (c closers) Close() error {
	var errs []error
	for _, x := range c {
		if x != nil {
			errs = append(errs, x.Close())
		}
	}
	return errors.Join(errs...)
}
