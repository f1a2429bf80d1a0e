package decode

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/boltseal/boltseal"
)

// Decompressor opens a compressed stream. The reader is closed when it is no
// longer needed.
type Decompressor = func(io.Reader) (io.ReadCloser, error)

// Visitor is told what a container holds.
type Visitor struct {
	// Member is given the content of one member, which it need not read to the end.
	// An error that it returns ends the reading of the container, unless the member
	// could not be read: then only the member is skipped.
	Member func(name string, r io.Reader) error
	// Between is given bytes of the container that belong to no member, which
	// begin at offset.
	Between func(offset int64, r io.Reader) error
	// Skip is told what was not read, and why. The name is empty where the
	// container itself is meant.
	Skip func(name string, err error)
	// Decompress opens formats that the standard library does not know, by the
	// name of the [Format]. What is missing is skipped as unsupported.
	Decompress map[string]Decompressor
	Limits     Limits
}

// Limits bound what one container may cost. The zero value of a field means its
// default, [boltseal.Unlimited] none at all.
type Limits struct {
	Ratio     int64 // inflated:compressed of one stream, past RatioFrom; default 200
	RatioFrom int64 // bytes; default 64 MiB
}

func (l *Limits) defaults() {
	for v, value := range map[*int64]int64{&l.Ratio: 200, &l.RatioFrom: 64 << 20} {
		if *v == 0 {
			*v = value
		} else if *v < 0 {
			*v = 1 << 62
		}
	}
}

// Open reads a container of format f from its first byte to its last, once and
// without seeking, and shows v what is in it. The name is the file's; formats that
// do not name their content derive a name from it. Memory is some 100 KiB.
//
// The error is that of v's funcs or of r, or says with [boltseal.ErrMalformed],
// [boltseal.ErrLimit] or [errors.ErrUnsupported] why the container could not be
// read, or not any further.
func Open(f Format, name string, r io.Reader, v *Visitor) error {
	c := &container{Visitor: v, name: name, in: buffer(r), limits: v.Limits}
	c.limits.defaults()
	return c.open(f)
}

// container is one container being read.
type container struct {
	*Visitor
	name   string
	in     *buffered
	limits Limits

	inflater io.ReadCloser // of the members of a zip
}

// failure marks an error of a visitor, which ends the reading.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

func stops(err error) bool {
	var f failure
	return errors.As(err, &f)
}

// member shows one member. An error is a failure.
func (c *container) member(name string, r io.Reader) error {
	name = cleanName(name)
	k := &keeper{r: r}
	err := c.Member(name, k)
	switch {
	case c.in.src.err != nil: // the file itself
		return failure{c.in.src.err}
	case k.err != nil:
		c.Skip(name, k.err)
	case err != nil:
		return failure{err}
	}
	return nil
}

// between shows bytes that belong to no member. An error is a failure.
func (c *container) between(offset int64, r io.Reader) error {
	k := &keeper{r: r}
	if err := c.Between(offset, k); err != nil && k.err == nil {
		return failure{err}
	}
	return k.err
}

// keeper remembers why reading failed.
type keeper struct {
	r   io.Reader
	err error
}

func (k *keeper) Read(p []byte) (int, error) {
	n, err := k.r.Read(p)
	if err != nil && err != io.EOF {
		k.err = err
	}
	return n, err
}

// buffered is a buffer that knows how much of its source was consumed.
type buffered struct {
	*bufio.Reader
	src counted
}

type counted struct {
	keeper
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.keeper.Read(p)
	c.n += int64(n)
	return n, err
}

// pos is the offset of the next byte.
func (b *buffered) pos() int64 { return b.src.n - int64(b.Buffered()) }

func buffer(r io.Reader) *buffered {
	b := &buffered{src: counted{keeper: keeper{r: r}}}
	b.Reader = bufio.NewReaderSize(&b.src, 32<<10)
	return b
}

// cleanName makes a member's name fit for a location: bounded, with forward
// slashes, valid UTF-8, and never empty.
func cleanName(name string) string {
	name = strings.TrimPrefix(strings.ReplaceAll(name, "\\", "/"), "./")
	if len(name) > 1024 {
		name = name[:512] + "…" + name[len(name)-500:]
	}
	if name == "" {
		return "content"
	}
	return strings.ToValidUTF8(name, "\uFFFD")
}

// stem is the name of what a compressed file holds.
func stem(name string) string {
	base := path.Base(name)
	switch ext := path.Ext(base); ext {
	case ".tgz", ".tbz", ".tbz2", ".txz", ".tzst":
		return strings.TrimSuffix(base, ext) + ".tar"
	case ".gz", ".bz2", ".xz", ".zst", ".lz4", ".z", ".Z":
		if s := strings.TrimSuffix(base, ext); s != "" {
			return s
		}
	}
	return "content"
}

// inflated counts what comes out of a decompressor against what went in.
type inflated struct {
	r      io.Reader
	in     *buffered
	start  int64
	out    int64
	limits *Limits
}

func (i *inflated) Read(p []byte) (int, error) {
	n, err := i.r.Read(p)
	i.out += int64(n)
	if i.out > i.limits.RatioFrom && i.out/i.limits.Ratio > i.in.src.n-i.start {
		// Without bytes: io.ReadFull drops an error that comes with enough of them.
		return 0, fmt.Errorf("inflates more than %d:1: %w", i.limits.Ratio, boltseal.ErrLimit)
	}
	return n, err
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %w", fmt.Errorf(format, args...), boltseal.ErrMalformed)
}
