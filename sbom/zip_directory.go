package sbom

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/boltseal/boltseal"
)

// zipEntry is one record of a central directory (PKWARE APPNOTE 4.3.12).
type zipEntry struct {
	name       string
	method     uint16
	encrypted  bool
	compressed int64 // bytes in the archive
	size       int64 // bytes once inflated, as the directory claims
	header     int64 // offset of the local header
}

// zipDirectory is where the entries stand.
type zipDirectory struct {
	offset, size int64
	base         int64 // bytes before the archive: a launcher script, a self-extractor
}

// errNoZip says that the end record of a zip archive is missing.
var errNoZip = fmt.Errorf("zip: no end of central directory: %w", boltseal.ErrMalformed)

func zipBroken(what string) error { return fmt.Errorf("zip: %s: %w", what, boltseal.ErrMalformed) }

const (
	zipEndLen   = 22
	zipEnd64Len = 56
	zipEntryLen = 46
	zipLocalLen = 30
)

// findZipDirectory reads the end record (APPNOTE 4.3.16), and its 64-bit form
// where it has one (4.3.14 and 15).
func findZipDirectory(r io.ReaderAt, size int64) (d zipDirectory, err error) {
	le := binary.LittleEndian
	for _, n := range []int64{min(size, 1<<10), min(size, zipEndLen+1<<16)} { // seldom is there a comment
		b := make([]byte, n)
		if _, err := r.ReadAt(b, size-n); err != nil && err != io.EOF {
			return d, err
		}
		i := lastZipEnd(b)
		if i < 0 {
			continue
		}
		end, at := b[i:], size-n+int64(i)
		d.size, d.offset = int64(le.Uint32(end[12:])), int64(le.Uint32(end[16:]))
		stop := at // of the directory
		if d.size == 1<<32-1 || d.offset == 1<<32-1 || le.Uint16(end[10:]) == 1<<16-1 {
			if at64, ok := zip64End(r, at, &d); ok {
				stop = at64
			}
		}
		d.base = stop - d.size - d.offset
		if d.size < 0 || d.offset < 0 || d.size > stop || d.offset > stop || d.base < 0 {
			return d, zipBroken("the end record points outside of the file")
		}
		// Some writers count from the start of the file although bytes were
		// put before the archive.
		var sig [4]byte
		if d.base > 0 && d.size > 0 {
			if _, err := r.ReadAt(sig[:], d.offset); err == nil && string(sig[:]) == "PK\x01\x02" {
				d.base = 0
			}
		}
		return d, nil
	}
	return d, errNoZip
}

// lastZipEnd returns where the last end record starts whose comment fits, or -1.
func lastZipEnd(b []byte) int {
	for stop := len(b); ; {
		i := bytes.LastIndex(b[:stop], []byte("PK\x05\x06"))
		if i < 0 {
			return -1
		}
		if i+zipEndLen <= len(b) && i+zipEndLen+int(binary.LittleEndian.Uint16(b[i+20:])) <= len(b) {
			return i
		}
		stop = i + 3
	}
}

// zip64End reads the 64-bit end record, whose locator stands right before the
// end record at offset at.
func zip64End(r io.ReaderAt, at int64, d *zipDirectory) (start int64, ok bool) {
	le := binary.LittleEndian
	loc := make([]byte, 20)
	if at < 20 {
		return 0, false
	}
	if _, err := r.ReadAt(loc, at-20); err != nil || string(loc[:4]) != "PK\x06\x07" {
		return 0, false
	}
	end := make([]byte, zipEnd64Len)
	// With bytes before the archive the locator's offset is short; then the
	// record is expected right before its locator.
	for _, start := range []int64{int64(le.Uint64(loc[8:])), at - 20 - zipEnd64Len} {
		if start < 0 || start > at {
			continue
		}
		if _, err := r.ReadAt(end, start); err == nil && string(end[:4]) == "PK\x06\x06" {
			d.size, d.offset = int64(le.Uint64(end[40:])), int64(le.Uint64(end[48:]))
			return start, true
		}
	}
	return 0, false
}

// entries calls visit for each record of the directory, one at a time: an
// archive of millions costs no memory. An error of visit ends it.
func (d zipDirectory) entries(r io.ReaderAt, visit func(zipEntry) error) error {
	br := bufio.NewReaderSize(io.NewSectionReader(r, d.base+d.offset, d.size), int(min(d.size, 32<<10)))
	var scratch []byte
	for {
		if _, err := br.Peek(1); err == io.EOF {
			return nil
		}
		e, err := readZipEntry(br, &scratch)
		if err != nil {
			return err
		}
		e.header += d.base
		if err := visit(e); err != nil {
			return err
		}
	}
}

// readZipEntry reads one record of a directory; scratch is used again.
func readZipEntry(r *bufio.Reader, scratch *[]byte) (zipEntry, error) {
	le := binary.LittleEndian
	sig, err := r.Peek(4)
	if err != nil || string(sig) != "PK\x01\x02" {
		return zipEntry{}, zipBroken("the central directory holds something else than entries")
	}
	fixed := grown(scratch, zipEntryLen)
	if _, err := io.ReadFull(r, fixed); err != nil {
		return zipEntry{}, zipBroken("the central directory ends within an entry")
	}
	e := zipEntry{
		encrypted:  le.Uint16(fixed[8:])&1 != 0,
		method:     le.Uint16(fixed[10:]),
		compressed: int64(le.Uint32(fixed[20:])),
		size:       int64(le.Uint32(fixed[24:])),
		header:     int64(le.Uint32(fixed[42:])),
	}
	nameLen, extraLen, commentLen := int(le.Uint16(fixed[28:])), int(le.Uint16(fixed[30:])), int(le.Uint16(fixed[32:]))
	rest := grown(scratch, nameLen+extraLen)
	if _, err := io.ReadFull(r, rest); err != nil {
		return zipEntry{}, zipBroken("the central directory ends within an entry")
	}
	if _, err := r.Discard(commentLen); err != nil {
		return zipEntry{}, zipBroken("the central directory ends within an entry")
	}
	e.name = string(rest[:nameLen])
	e.zip64(rest[nameLen:])
	return e, nil
}

// grown returns n bytes of b, which it makes longer where it has to.
func grown(b *[]byte, n int) []byte {
	if n > cap(*b) {
		*b = make([]byte, n)
	}
	return (*b)[:n]
}

// zip64 takes the fields that did not fit into 32 bits from the extra field
// (APPNOTE 4.5.3).
func (e *zipEntry) zip64(extra []byte) {
	le := binary.LittleEndian
	for len(extra) >= 4 {
		id, n := le.Uint16(extra), int(le.Uint16(extra[2:]))
		extra = extra[4:]
		if n > len(extra) {
			return
		}
		field := extra[:n]
		extra = extra[n:]
		if id != 1 {
			continue
		}
		for _, v := range []*int64{&e.size, &e.compressed, &e.header} {
			if *v == 1<<32-1 && len(field) >= 8 {
				*v = int64(le.Uint64(field))
				field = field[8:]
			}
		}
		return
	}
}

// data returns the compressed bytes of an entry. The local header is asked
// for nothing but its own length.
func (e *zipEntry) data(r io.ReaderAt, size int64) (*io.SectionReader, error) {
	var local [zipLocalLen]byte
	if e.header < 0 || e.header > size-zipLocalLen {
		return nil, zipBroken("local header outside of the file")
	}
	if _, err := r.ReadAt(local[:], e.header); err != nil {
		return nil, err
	}
	if string(local[:4]) != "PK\x03\x04" {
		return nil, zipBroken("no local header where the directory says")
	}
	start := e.header + zipLocalLen + int64(binary.LittleEndian.Uint16(local[26:])) + int64(binary.LittleEndian.Uint16(local[28:]))
	if start > size || e.compressed < 0 || e.compressed > size-start {
		return nil, zipBroken("data outside of the file")
	}
	return io.NewSectionReader(r, start, e.compressed), nil
}
