package secrets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/secrets/internal/decode"
)

// scan is the work on one file, with everything in it. It is not safe for
// concurrent use.
type scan struct {
	set   *RuleSet
	opts  *settings
	bound boltseal.Limits
	// decoded is how many more bytes inline decodings may yield.
	decoded  int64
	members  int   // how many more there may be
	archived int64 // bytes of members so far
	grouped  grouped
	// captured, if not nil, takes the matches that would be grouped: they are
	// inside a stretch of another content, which decides on them.
	captured *[]found
	origins  int // stretches captured so far
	mac      hash.Hash
	skips    []boltseal.Skip
	skipped  map[string]bool
}

// settings are options with their defaults, shared by all scans.
type settings struct {
	set        *RuleSet
	containers []container
	decompress map[string]decode.Decompressor
	salt       []byte // of fingerprints
	marks      bool   // inline marks count
	verifier   Verifier
	now        func() time.Time
	buffers    sync.Pool
	views      sync.Pool
	block      int
	reach      int
}

// decodedBase is what inline decodings may yield of the smallest file.
const decodedBase = 8 << 20

func (o *settings) scan(limits boltseal.Limits) *scan {
	return &scan{
		set: o.set, opts: o, bound: limits, decoded: decodedBase, members: limits.ArchiveEntries,
	}
}

// skip reports what was not looked at; the same words for the same content once.
func (s *scan) skip(c content, reason string) { s.tell(c, reason, false) }

// note reports what was looked at less deeply, where a secret is most unlikely:
// the scan is complete without it.
func (s *scan) note(c content, reason string) { s.tell(c, reason, true) }

func (s *scan) tell(c content, reason string, note bool) {
	path := boltseal.Location{Path: c.loc.Path, Member: c.loc.Member}.String()
	if key := path + "\x00" + reason; !s.skipped[key] && len(s.skips) < mostSkips {
		if s.skipped == nil {
			s.skipped = map[string]bool{}
		}
		s.skipped[key] = true
		s.skips = append(s.skips, boltseal.Skip{Layer: c.loc.Layer, Path: path, Reason: reason, Note: note})
		if len(s.skips) == mostSkips {
			s.skips = append(s.skips, boltseal.Skip{Layer: c.loc.Layer, Path: c.loc.Path, Reason: fmt.Sprintf("more than %d parts were not looked at: %v", mostSkips, boltseal.ErrLimit)})
		}
	}
}

// mostSkips bounds the skips of one file.
const mostSkips = 1000

// mostDepth is how deep members and decodings may nest, in sum.
func (s *scan) mostDepth() int { return s.bound.ArchiveDepth + decodeDepth }

// decodeDepth is how many decodings are undone one inside the other.
const decodeDepth = 4

func (s *scan) enter(c content) error {
	switch {
	case c.depth > s.mostDepth() || len(c.via) > decodeDepth*2:
		return fmt.Errorf("nested deeper than %d: %w", s.mostDepth(), boltseal.ErrLimit)
	case len(c.loc.Member) > 0 && !c.opened && len(c.via) == 0:
		if s.members <= 0 {
			return fmt.Errorf("more than %d members: %w", s.bound.ArchiveEntries, boltseal.ErrLimit)
		}
		s.members--
	}
	return nil
}

// holds returns the format of a content that begins so, if it is a container.
func (s *scan) holds(c content, head []byte) *container {
	for i := range s.opts.containers {
		if k := &s.opts.containers[i]; k.match(c.name(), head) {
			return k
		}
	}
	return nil
}

// container returns the format of a content that was not opened yet, or nil.
func (s *scan) container(c content, data boltseal.Content) (*container, error) {
	if c.opened || len(s.opts.containers) == 0 {
		return nil, nil
	}
	head, err := data.Head(headBytes)
	return s.holds(c, head), err
}

// file scans content of which nothing was read yet. whole says that it is in
// memory anyway, or small.
func (s *scan) file(ctx context.Context, c content, data boltseal.Content, whole bool) error {
	if err := s.enter(c); err != nil {
		return err
	}
	k, err := s.container(c, data)
	switch {
	case err != nil:
		return err
	case k != nil:
		c.opened = true
		return k.open(ctx, s, c, data)
	case whole:
		b, err := data.Bytes()
		if err != nil {
			return err
		}
		return s.memory(ctx, c, b)
	}
	return s.stream(ctx, c, data.Reader())
}

// headBytes is what containers are recognised by.
const headBytes = 4096

func (s *scan) reader(ctx context.Context, c content, r io.Reader) error {
	return s.file(ctx, c, &streamed{r: r, most: s.bound.FileBytes}, false)
}

func (s *scan) bytes(ctx context.Context, c content, data []byte) error {
	if !c.opened && s.holds(c, data[:min(len(data), headBytes)]) == nil { // spare what only containers need
		if err := s.enter(c); err != nil {
			return err
		}
		return s.memory(ctx, c, data)
	}
	return s.file(ctx, c, boltseal.NewFile(c.name(), 0, data).Content, true)
}

func (s *scan) value(ctx context.Context, c content, name string, value []byte) error {
	if k, err := s.container(c, boltseal.NewFile(c.name(), 0, value).Content); k != nil || err != nil {
		return s.bytes(ctx, c, value)
	}
	quote := ""
	if !bytes.ContainsAny(value, "\"\\\n") { // a value with blanks is one value
		quote = `"`
	}
	return s.bytes(ctx, c, slices.Concat([]byte(name+"="+quote), value, []byte(quote)))
}

// view returns a view of nothing yet, for a content. It must be finished.
func (s *scan) view(c content) *view {
	v, _ := s.opts.views.Get().(*view)
	if v == nil {
		v = &view{runs: make([]run, len(s.set.classes))}
	}
	*v = view{scan: s, content: c, runs: v.runs, round: v.round + 1, pending: v.pending[:0], braces: braces{opens: v.braces.opens[:0]}}
	return v
}

// allow lets decodings yield twice what was read.
func (s *scan) allow(c content, n int) {
	if len(c.via) == 0 {
		s.decoded += 2 * int64(n)
	}
}

// memory scans bytes that are all at hand.
func (s *scan) memory(ctx context.Context, c content, data []byte) error {
	v := s.view(c)
	defer v.finish()
	v.data = data
	s.allow(c, len(data))
	v.find(ctx, len(data), true)
	return ctx.Err()
}

// stream scans what r reads, a block at a time.
func (s *scan) stream(ctx context.Context, c content, r io.Reader) error {
	v := s.view(c)
	defer v.finish()
	pooled := s.opts.buffers.Get().(*[]byte)
	defer s.opts.buffers.Put(pooled)
	buf := *pooled
	v.data = buf[:0]
	for {
		if len(v.data) == cap(v.data) {
			v.slide((v.next - s.opts.reach) &^ 15)
		}
		had := len(v.data)
		n, err := io.ReadFull(r, buf[had:cap(buf)])
		v.data = buf[:had+n]
		s.allow(c, n)
		if err == io.ErrUnexpectedEOF {
			err = io.EOF
		}
		if err != nil {
			v.find(ctx, len(v.data), true)
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return errors.Join(err, ctx.Err())
		}
		v.find(ctx, len(v.data)-s.opts.reach, false)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// streamed makes the content of a stream.
type streamed struct {
	r    io.Reader
	head []byte
	most int64
}

func (c *streamed) Head(n int) ([]byte, error) {
	n = min(n, headBytes)
	if len(c.head) < n {
		more := make([]byte, n)
		copy(more, c.head)
		k, err := io.ReadFull(c.r, more[len(c.head):])
		c.head = more[:len(c.head)+k]
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return c.head, err
		}
	}
	return c.head[:min(n, len(c.head))], nil
}

func (c *streamed) Reader() io.Reader {
	if len(c.head) == 0 {
		return c.r
	}
	return io.MultiReader(bytes.NewReader(c.head), c.r)
}

func (c *streamed) Bytes() ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(c.Reader(), c.most+1))
	if err == nil && int64(len(data)) > c.most {
		err = fmt.Errorf("larger than %d bytes: %w", c.most, boltseal.ErrLimit)
	}
	return data, err
}

func (c *streamed) ReaderAt() (io.ReaderAt, int64, error) {
	data, err := c.Bytes()
	return bytes.NewReader(data), int64(len(data)), err
}

func (s *scan) match(c content, rule string, m *Candidate) {
	i, ok := s.set.index[rule]
	if !ok {
		return // switched off
	}
	if !c.fixed {
		c.loc.Offset, c.fixed = c.loc.Offset+int64(m.Start), true
	}
	v := s.view(c)
	defer v.finish()
	r := &s.set.rules[i]
	m.Rule, m.Path = r, c.name()
	m.Kind = max(m.Kind, r.Kind)
	m.Confidence = max(m.Confidence, r.Confidence)
	if m.Severity == boltseal.SeverityUnknown {
		m.Severity = r.Severity
	}
	if m.Secret == nil {
		m.Secret = m.Token
	}
	v.keep(m, offer{rule: i, span: span{m.Start, m.End}, token: m.Token, secret: m.Secret, name: m.Name})
}
