package sbom

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
)

// rawBuildInfo is the linker's record, not yet taken apart.
type rawBuildInfo struct {
	offset    int64 // in the file
	goVersion string
	modules   string // lines as package runtime/debug writes them; may be empty
}

const (
	goMagic       = "\xff Go buildinf:"
	goAlign       = 16
	goHeader      = 32
	goFlagBig     = 1
	goFlagInline  = 2
	goVersionMax  = 1 << 10 // longest version string believed
	goModInfoMax  = 4 << 20
	goMaxMagics   = 100 // records that are tried
	goMaxRecords  = 4   // different ones that are believed
	goModStart    = "\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6"
	goModSentinel = 16 // bytes on either side of the module lines
)

// errPointers says that the information is in the form of Go before 1.18 and
// the reader cannot seek to it.
var errPointers = errors.New("build information behind pointers")

// findBuildInfo looks for the linker's record in the writable segments of a
// program: 16-aligned, starting with a magic, and since Go 1.18 with two strings
// inline (varint length, then bytes): the version of Go and the module lines.
// A magic that does not lead to a version is passed over: programs that read
// build information contain it too. The record of a section ".go.buildinfo" is
// the one that package debug/buildinfo prefers; the table of sections comes last
// in a stream, so all are returned, of which that one is among: a record made to
// be found first hides nothing. Those found before an error are returned with it.
func findBuildInfo(ctx context.Context, r io.Reader, exe executable) (found []rawBuildInfo, err error) {
	w := window{buf: make([]byte, 0, windowBytes)}
	at, tried := int64(0), 0 // at is the offset in the file that r has reached
	for _, s := range exe.writable {
		start, end := s.off&^(goAlign-1), s.off+s.size
		if end < s.off { // as its header lies
			end = wholeFile
		}
		start = max(start, (at+goAlign-1)&^(goAlign-1)) // segments may overlap
		if start >= end {
			continue
		}
		if err := skipTo(r, at, start); err != nil {
			return found, eofIsEnd(err)
		}
		w.reset(io.LimitReader(r, end-start), start)
		for {
			info, ok, err := w.search(ctx)
			if ok && tried == goMaxMagics {
				return found, fmt.Errorf("more than %d records, or what looks like them: %w", goMaxMagics, boltseal.ErrLimit)
			}
			tried++
			if ok && info.goVersion == "" { // pointers
				info, ok, err = w.followPointers(r, exe, info)
				if err == nil && !ok {
					w.pos += goAlign
					continue
				}
			}
			if err != nil {
				return found, err
			}
			if !ok {
				break
			}
			w.pos += goAlign
			if slices.ContainsFunc(found, func(o rawBuildInfo) bool { return o.goVersion == info.goVersion && o.modules == info.modules }) {
				continue
			}
			if len(found) == goMaxRecords {
				return found, fmt.Errorf("more than %d different records: %w", goMaxRecords, boltseal.ErrLimit)
			}
			found = append(found, info)
		}
		at = w.end()
	}
	return found, nil
}

// search goes on to the next record that holds a version, or pointers to it:
// then the version is empty and pos stays at the record.
func (w *window) search(ctx context.Context) (rawBuildInfo, bool, error) {
	magic := binary.LittleEndian.Uint64([]byte(goMagic))
	for w.need(goHeader) {
		if err := ctx.Err(); err != nil {
			return rawBuildInfo{}, false, err
		}
		// Records are aligned: one comparison for 16 bytes of file.
		b := w.buf[w.pos:]
		i := 0
		for ; i+goHeader <= len(b); i += goAlign {
			if binary.LittleEndian.Uint64(b[i:]) == magic && string(b[i+8:i+14]) == goMagic[8:] {
				break
			}
		}
		w.pos += i
		if i+goHeader > len(b) {
			continue
		}
		if info, ok := w.decode(); ok {
			return info, true, nil
		}
		w.pos += goAlign
	}
	return rawBuildInfo{}, false, eofIsEnd(w.err)
}

// decode reads the record at pos.
func (w *window) decode() (rawBuildInfo, bool) {
	info := rawBuildInfo{offset: w.off + int64(w.pos)}
	head := w.buf[w.pos : w.pos+goHeader]
	if head[15]&goFlagInline == 0 {
		size := head[14]
		return info, (size == 4 || size == 8) && !bytes.Equal(head[16:], make([]byte, 16))
	}
	version, next, ok := w.str(goHeader, goVersionMax)
	if !ok || !strings.HasPrefix(version, "go") && !strings.HasPrefix(version, "devel ") {
		return info, false
	}
	info.goVersion = version
	if modules, _, ok := w.str(next, goModInfoMax); ok {
		info.modules = trimSentinels(modules)
	}
	return info, true
}

// str reads the string whose length stands at from, counted from pos, and
// returns what follows it.
func (w *window) str(from, limit int) (s string, next int, ok bool) {
	w.need(from + binary.MaxVarintLen64) // there may be fewer
	if w.pos+from >= len(w.buf) {
		return "", 0, false
	}
	n, size := binary.Uvarint(w.buf[w.pos+from:])
	if size <= 0 || n > uint64(limit) {
		return "", 0, false
	}
	from += size
	if n > windowBytes && (!w.need(from+len(goModStart)) || string(w.buf[w.pos+from:w.pos+from+len(goModStart)]) != goModStart) {
		return "", 0, false // no reason to hold that much
	}
	if !w.need(from + int(n)) {
		return "", 0, false
	}
	return string(w.buf[w.pos+from : w.pos+from+int(n)]), from + int(n), true
}

// trimSentinels takes the marks off that surround the module lines.
func trimSentinels(s string) string {
	if len(s) < 2*goModSentinel+1 || s[len(s)-goModSentinel-1] != '\n' {
		return ""
	}
	return s[goModSentinel : len(s)-goModSentinel]
}

// followPointers reads the record at pos as Go before 1.18 wrote it: two
// addresses, each of a string header (address, length).
func (w *window) followPointers(r io.Reader, exe executable, info rawBuildInfo) (rawBuildInfo, bool, error) {
	seeker, ok := r.(io.ReadSeeker)
	if !ok {
		return info, false, errPointers
	}
	head := slices.Clone(w.buf[w.pos : w.pos+goHeader])
	size := int(head[14])
	var bo binary.ByteOrder = binary.LittleEndian
	if head[15]&goFlagBig != 0 {
		bo = binary.BigEndian
	}
	ptr := func(b []byte) uint64 {
		if size == 4 {
			return uint64(bo.Uint32(b))
		}
		return bo.Uint64(b)
	}
	read := func(addr uint64, n uint64) []byte {
		for _, s := range exe.mapped {
			if addr < s.addr || addr-s.addr >= uint64(s.size) || n > uint64(s.size)-(addr-s.addr) {
				continue
			}
			if _, err := seeker.Seek(s.off+int64(addr-s.addr), io.SeekStart); err != nil {
				return nil
			}
			b, err := io.ReadAll(io.LimitReader(seeker, int64(n))) // grows with what is there
			if err != nil || uint64(len(b)) < n {
				return nil
			}
			return b
		}
		return nil
	}
	str := func(addr uint64, limit uint64) string {
		h := read(addr, uint64(2*size))
		if h == nil || ptr(h[size:]) > limit {
			return ""
		}
		return string(read(ptr(h), ptr(h[size:])))
	}
	info.goVersion = str(ptr(head[16:]), goVersionMax)
	ok = strings.HasPrefix(info.goVersion, "go") || strings.HasPrefix(info.goVersion, "devel ")
	if ok {
		info.modules = trimSentinels(str(ptr(head[16+size:]), goModInfoMax))
	}
	_, err := seeker.Seek(w.end(), io.SeekStart) // where the search stood
	return info, ok, err
}
