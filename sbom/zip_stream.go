package sbom

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"strings"

	"github.com/boltseal/boltseal"
)

// zipStream reads an archive from front to back, by its local headers (APPNOTE
// 4.3.7), where it is too large to be held and its source cannot seek. Unlike
// the central directory they also name members that were replaced or deleted,
// which jar tools do not leave behind.
type zipStream struct {
	walk *zipWalk
	r    *bufio.Reader
	in   counter
	held int64 // bytes of members that are kept until the end

	start   int64        // offset of the first member
	seed    maphash.Seed // nobody outside can prepare two members of one hash
	members uint64       // sum of the hashes of all members

	chunk [32 << 10]byte // inflated last
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// zipStreamBuffer is also how much may stand before the archive.
const zipStreamBuffer = 256 << 10

// walkStream is [zipWalk.walk] for a stream. Only members that keep accepts
// have content.
func (w *zipWalk) walkStream(src io.Reader, keep func(name string) bool, visit func(*zipMember) error) error {
	s := &zipStream{walk: w, in: counter{r: src}, seed: maphash.MakeSeed()}
	s.r = bufio.NewReaderSize(&s.in, zipStreamBuffer)
	start, err := s.r.Peek(zipStreamBuffer)
	if err != nil && err != io.EOF {
		return err
	}
	i := bytes.Index(start, []byte("PK\x03\x04"))
	switch {
	case i < 0 && len(start) == zipStreamBuffer:
		return fmt.Errorf("no member in the first %d KiB: %w; if this is an archive, raise Limits.FileBytes", zipStreamBuffer>>10, boltseal.ErrLimit)
	case i < 0:
		return errNoZip
	}
	if _, err := s.r.Discard(i); err != nil {
		return err
	}
	s.start = s.offset()
	for {
		if err := w.done(); err != nil {
			return fatal{err}
		}
		sig, err := s.r.Peek(4)
		switch {
		case err == io.EOF:
			return zipBroken("no central directory")
		case err != nil:
			return err
		case string(sig) == "PK\x01\x02", string(sig) == "PK\x06\x08", string(sig) == "PK\x05\x06":
			return s.end()
		}
		if w.entries--; w.entries < 0 {
			return fatal{fmt.Errorf("more than %d entries in nested archives: %w", w.p.Limits.ArchiveEntries, boltseal.ErrLimit)}
		}
		m := &zipMember{walk: w}
		memberErr, err := s.next(m, keep)
		if err != nil {
			return err
		}
		if memberErr == nil && !strings.HasSuffix(m.name(), "/") {
			memberErr = visit(m)
		}
		if f := (fatal{}); errors.As(memberErr, &f) {
			return memberErr
		}
		if memberErr != nil {
			w.skip(m.names(), memberErr)
		}
	}
}

// end goes over the central directory to the end of the stream. Members behind
// it are those of another archive, which is the one that Java sees: it looks
// for the last directory.
func (s *zipStream) end() error {
	if err := s.compare(); err != nil {
		return err
	}
	for {
		if err := s.walk.done(); err != nil {
			return fatal{err}
		}
		b, err := s.r.Peek(zipStreamBuffer)
		switch {
		case bytes.Contains(b, []byte("PK\x03\x04")):
			return zipBroken("members follow the central directory; they are not read from a stream: scan an uncompressed archive or a directory")
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		if _, err := s.r.Discard(len(b) - 3); err != nil { // a signature may lie across
			return err
		}
	}
}

// compare reads the central directory, from which Java takes what it sees: names,
// methods, sizes and places have to be those of the members read.
func (s *zipStream) compare() error {
	// Places count from the start of the archive or of the file.
	var fromArchive, fromFile uint64
	var scratch []byte
	for {
		if err := s.walk.done(); err != nil {
			return fatal{err}
		}
		if sig, err := s.r.Peek(4); err != nil && err != io.EOF {
			return err
		} else if string(sig) != "PK\x01\x02" {
			break
		}
		e, err := readZipEntry(s.r, &scratch)
		if err != nil {
			return err
		}
		fromFile += s.hash(&e, e.header)
		fromArchive += s.hash(&e, e.header+s.start)
	}
	if s.members != fromArchive && s.members != fromFile {
		return zipBroken("the central directory names other members than those that were read, and Java goes by the directory: scan an uncompressed archive or a directory")
	}
	return nil
}

func (s *zipStream) hash(e *zipEntry, header int64) uint64 {
	le := binary.LittleEndian
	b := le.AppendUint64(make([]byte, 0, 64), uint64(header))
	b = le.AppendUint64(b, uint64(e.compressed))
	b = le.AppendUint16(b, e.method)
	return maphash.Bytes(s.seed, append(b, e.name...))
}

// next reads one member. memberErr concerns it alone; after err the stream
// cannot be followed.
func (s *zipStream) next(m *zipMember, keep func(string) bool) (memberErr, err error) {
	le := binary.LittleEndian
	header := s.offset()
	var local [zipLocalLen]byte
	if _, err := io.ReadFull(s.r, local[:]); err != nil {
		return nil, s.torn(err)
	}
	if string(local[:4]) != "PK\x03\x04" {
		return nil, zipBroken(fmt.Sprintf("no header of a member at offset %d", s.offset()-zipLocalLen))
	}
	nameLen := int(le.Uint16(local[26:]))
	rest := make([]byte, nameLen+int(le.Uint16(local[28:])))
	if _, err := io.ReadFull(s.r, rest); err != nil {
		return nil, s.torn(err)
	}
	flags := le.Uint16(local[6:])
	m.zipEntry = zipEntry{
		name:       string(rest[:nameLen]),
		encrypted:  flags&1 != 0,
		method:     le.Uint16(local[8:]),
		compressed: int64(le.Uint32(local[18:])),
		size:       int64(le.Uint32(local[22:])),
	}
	m.zip64(rest[nameLen:])
	if m.compressed < 0 {
		return nil, zipBroken("size beyond 63 bits")
	}
	room, wanted := int64(0), keep(m.name())
	if wanted {
		room = s.walk.p.Limits.FileBytes - s.held
	}
	// What is kept gets a header of its own, that of a file without a name.
	content := bytes.NewBuffer(append(s.walk.buffer(), "PK\x03\x04"+string(make([]byte, zipLocalLen-4))...))
	later := flags&8 != 0 // crc and sizes follow the data (4.3.9)
	var tooLarge bool
	switch {
	case !later || m.compressed > 0 && m.method != 8:
		if tooLarge = m.compressed > room; tooLarge || !wanted {
			_, err = io.CopyN(io.Discard, s.r, m.compressed)
		} else {
			_, err = io.CopyN(content, s.r, m.compressed)
		}
		if err == nil && later {
			err = s.descriptor(m.compressed, m.size)
		}
		s.members += s.hash(&m.zipEntry, header)
	case m.method == 8 && !m.encrypted:
		tooLarge, err = s.inflate(m, header, content, room)
	default:
		err = fmt.Errorf("zip: %.200q does not tell its size before its data: %w; scan an uncompressed archive or a directory", m.name(), errors.ErrUnsupported)
	}
	if err != nil {
		return nil, s.torn(err)
	}
	if !wanted {
		s.walk.recycle(content.Bytes())
		return nil, nil
	}
	if tooLarge {
		return fmt.Errorf("more than %d bytes: %w; raise Limits.FileBytes, or scan an uncompressed archive or a directory", room, boltseal.ErrLimit), nil
	}
	if !isJavaArchive(m.name()) {
		s.held += int64(content.Len())
	}
	m.r, m.rsize = bytes.NewReader(content.Bytes()), int64(content.Len())
	return nil, nil
}

// inflate reads a member whose sizes follow it, the only way to find its end.
// In content it is stored.
func (s *zipStream) inflate(m *zipMember, header int64, content *bytes.Buffer, room int64) (tooLarge bool, err error) {
	start, size := s.offset(), int64(0)
	z := s.walk.inflater(s.r)
	defer func() { s.walk.inflaters = append(s.walk.inflaters, z) }()
	for err == nil {
		var n int
		n, err = z.Read(s.chunk[:])
		size += int64(n)
		if err := s.walk.spend(int64(n)); err != nil {
			return false, err
		}
		if size <= room {
			content.Write(s.chunk[:n])
		}
		if err := s.walk.done(); err != nil {
			return false, fatal{err}
		}
	}
	if err != io.EOF {
		return false, fmt.Errorf("zip: %w: %w", boltseal.ErrMalformed, err)
	}
	m.compressed = s.offset() - start
	s.members += s.hash(&m.zipEntry, header)
	err = s.descriptor(m.compressed, size)
	m.method, m.compressed, m.size = 0, size, size
	return size > room, err
}

// descriptor passes over what follows a member's data: perhaps a signature,
// then crc and both sizes in 4 or 8 bytes each. Which of them it is, shows in
// the sizes and in what comes next.
func (s *zipStream) descriptor(compressed, size int64) error {
	le := binary.LittleEndian
	b, err := s.r.Peek(26)
	if err != nil && err != io.EOF {
		return err
	}
	for _, sig := range []string{"PK\x07\x08", ""} {
		d, ok := bytes.CutPrefix(b, []byte(sig))
		if !ok {
			continue
		}
		n := len(sig)
		if len(d) >= 14 && le.Uint32(d[4:]) == uint32(compressed) && le.Uint32(d[8:]) == uint32(size) && string(d[12:14]) == "PK" {
			_, err := s.r.Discard(n + 12)
			return err
		}
		if len(d) >= 22 && le.Uint64(d[4:]) == uint64(compressed) && le.Uint64(d[12:]) == uint64(size) && string(d[20:22]) == "PK" {
			_, err := s.r.Discard(n + 20)
			return err
		}
	}
	return zipBroken(fmt.Sprintf("no sizes at offset %d, after the data", s.offset()))
}

func (s *zipStream) offset() int64 { return s.in.n - int64(s.r.Buffered()) }

func (s *zipStream) torn(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return zipBroken("ends within a member")
	}
	return err
}
