package secrets

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/secrets/internal/decode"
)

// archives are the containers whose members are files: zip and its kin, tar, ar and deb, cpio,
// rpm, and compressed files. Members are read in one pass and never held whole.
var archives = container{
	name:  "archive",
	match: func(name string, head []byte) bool { return decode.Detect(name, head) != decode.Raw },
	open: func(ctx context.Context, f feeder, c content, data boltseal.Content) error {
		head, err := data.Head(headBytes)
		if err != nil {
			return err
		}
		return openArchive(ctx, f, c, decode.Detect(c.name(), head), data.Reader())
	},
}

// openArchive scans every member, and the bytes between them.
func openArchive(ctx context.Context, f feeder, c content, format decode.Format, r io.Reader) error {
	return decode.Open(format, c.name(), &cancelled{ctx, r}, &decode.Visitor{
		Member: func(name string, r io.Reader) error {
			m := &memberReader{f: f, r: r}
			part := c.member(name)
			return settle(ctx, f, part, m, f.reader(ctx, part, m))
		},
		Between: func(offset int64, r io.Reader) error {
			m := &memberReader{f: f, r: r}
			part := c
			part.loc.Offset += offset
			return settle(ctx, f, part, m, f.reader(ctx, part, m))
		},
		Skip: func(name string, err error) {
			part := c
			if name != "" {
				part = c.member(name)
			}
			f.skip(part, err.Error())
		},
		Decompress: f.decompressors(),
	})
}

// bomb is what a member that inflates beyond all measure costs of
// Limits.ArchiveBytes on top: an encoded one is met again at every alignment.
const bomb = 128 << 20

// settle decides on what a feeder said of a part: only what concerns the whole
// file ends the reading.
func settle(ctx context.Context, f feeder, part content, m *memberReader, err error) error {
	if errors.Is(m.err, boltseal.ErrLimit) {
		_ = f.spend(bomb) // asked for below
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case f.spend(0) != nil:
		return f.spend(0)
	case err != nil && m.err == nil:
		f.skip(part, err.Error())
		return nil
	}
	return err
}

// memberReader counts what is read of one against the sum for the whole file.
type memberReader struct {
	f   feeder
	r   io.Reader
	err error // of r
}

func (m *memberReader) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if err != nil && err != io.EOF {
		m.err = err
	}
	if serr := m.f.spend(n); serr != nil {
		return 0, serr // with bytes it could be dropped
	}
	return n, err
}

// cancelled ends a stream with its context.
type cancelled struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancelled) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// spend counts bytes of members, in sum over one file. Once they are used up it
// returns an error for ever.
func (s *scan) spend(n int) error {
	if s.archived += int64(n); s.archived > s.bound.ArchiveBytes {
		return fmt.Errorf("more than %d bytes in nested archives: %w (Limits.ArchiveBytes)", s.bound.ArchiveBytes, boltseal.ErrLimit)
	}
	return nil
}

func (s *scan) decompressors() map[string]decode.Decompressor { return s.opts.decompress }
