package decode

import (
	"compress/bzip2"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"strings"
)

// open reads the container. What it returns concerns the container, unless it
// is fatal.
func (c *container) open(f Format) error {
	switch f {
	case Zip:
		return c.zip()
	case Tar:
		return c.tar()
	case Ar:
		return c.ar()
	case Cpio:
		return c.cpio()
	case RPM:
		return c.rpm()
	case Gzip:
		return c.gzip()
	}
	r, err := c.decompress(f, c.in)
	if err != nil {
		return err
	}
	defer r.Close()
	return c.member(stem(c.name), c.bounded(r))
}

// decompress opens a compressed stream.
func (c *container) decompress(f Format, r io.Reader) (io.ReadCloser, error) {
	switch f {
	case Bzip2:
		return io.NopCloser(bzip2.NewReader(r)), nil
	case Zlib:
		return zlib.NewReader(r)
	case Gzip:
		return gzip.NewReader(r)
	}
	open := c.Decompress[string(f)]
	if open == nil {
		return nil, fmt.Errorf("%s: no decompressor was given: %w", f, errors.ErrUnsupported)
	}
	out, err := open(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f, err)
	}
	return out, nil
}

// bounded puts the limit on expansion between a decompressor of c.in and its reader.
func (c *container) bounded(r io.Reader) io.Reader {
	return &inflated{r: r, in: c.in, start: c.in.pos(), limits: &c.limits}
}

// gzip reads the members of a gzip file one by one, RFC 1952, and what follows them.
func (c *container) gzip() error {
	var z *gzip.Reader
	for first := true; ; first = false {
		start := c.in.pos()
		head, err := c.in.Peek(3)
		if len(head) == 0 {
			if err == io.EOF {
				return nil
			}
			return err
		}
		if !first && Detect("", head) != Gzip {
			return c.between(start, c.in)
		}
		if z == nil {
			z, err = gzip.NewReader(c.in)
		} else {
			err = z.Reset(c.in)
		}
		if err != nil {
			return malformed("gzip header at %d: %v", start, err)
		}
		z.Multistream(false)
		name := z.Name
		if name == "" {
			name = stem(c.name)
		}
		r := c.bounded(z)
		if z.Comment != "" || len(z.Extra) > 0 {
			if err := c.between(start, strings.NewReader(z.Comment+"\n"+string(z.Extra))); err != nil {
				return err
			}
		}
		if err := c.member(name, r); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			return nil // its member has said so
		}
	}
}
