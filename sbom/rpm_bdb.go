package sbom

import (
	"encoding/binary"
	"io"
	"iter"
)

// Berkeley DB, access method hash (dbinc/db_page.h). Every page has a header
// of 26 bytes; hash pages hold pairs of key and value, long values lie in
// chains of overflow pages. Numbers are in the byte order of the machine that
// made the file.
const (
	bdbHashMagic             = 0x061561
	bdbHeader                = 26
	bdbHashMeta              = 8
	bdbHashUnsorted, bdbHash = 2, 13 // page types
	bdbOverflow              = 7
	bdbKeyData, bdbOffPage   = 1, 3 // item types
)

type bdb struct {
	r     io.ReaderAt
	order binary.ByteOrder
	page  int64 // bytes of a page
	pages int64
	seen  pageSet // overflow pages, each of which belongs to one value
	buf   []byte  // a value
	next  []byte  // an overflow page
}

// bdbBlobs yields the values of a hash database. A slice is valid until the
// next one. Pages are visited in order of their number, so that damaged
// bucket chains lose and loop nothing.
func bdbBlobs(r io.ReaderAt, size int64) iter.Seq2[[]byte, error] {
	meta := make([]byte, 36)
	if err := readAt(r, meta, 0); err != nil {
		return failed(err)
	}
	db := &bdb{r: r, order: binary.LittleEndian}
	if binary.BigEndian.Uint32(meta[12:]) == bdbHashMagic {
		db.order = binary.BigEndian
	}
	db.page = int64(db.order.Uint32(meta[20:]))
	switch {
	case db.order.Uint32(meta[12:]) != bdbHashMagic || meta[25] != bdbHashMeta:
		return failed(malformed("not a Berkeley DB hash"))
	case meta[24] != 0:
		return failed(malformed("Berkeley DB is encrypted"))
	case db.page < 512 || db.page > 64<<10 || db.page&(db.page-1) != 0:
		return failed(malformed("Berkeley DB with pages of %d bytes", db.page))
	}
	db.pages = min(size/db.page, 1<<32-1)
	db.seen = newPageSet(db.pages)
	db.next = make([]byte, db.page)
	return db.values
}

func (db *bdb) values(yield func([]byte, error) bool) {
	page := make([]byte, db.page)
	for n := int64(1); n < db.pages; n++ {
		// The header first: most pages are overflow pages, read with their value.
		if err := readAt(db.r, page[:bdbHeader], n*db.page); err != nil {
			yield(nil, err)
			return
		}
		if page[25] != bdbHash && page[25] != bdbHashUnsorted {
			continue
		}
		if err := readAt(db.r, page, n*db.page); err != nil {
			yield(nil, err)
			return
		}
		if !db.items(page, n, yield) {
			return
		}
	}
}

// items yields the values of one page. Items are laid down from the end of the
// page, so that each ends where the one before starts.
func (db *bdb) items(page []byte, number int64, yield func([]byte, error) bool) bool {
	count := int(db.order.Uint16(page[20:]))
	if bdbHeader+2*count > len(page) {
		return yield(nil, malformed("Berkeley DB page %d with %d items", number, count))
	}
	end := len(page)
	for i := range count {
		start := int(db.order.Uint16(page[bdbHeader+2*i:]))
		if start >= end || start < bdbHeader+2*count {
			return yield(nil, malformed("Berkeley DB page %d: item %d from %d to %d", number, i, start, end))
		}
		item := page[start:end]
		end = start
		if i%2 == 0 { // a key
			continue
		}
		var blob []byte
		var err error
		switch {
		case item[0] == bdbKeyData:
			blob = item[1:]
			if len(blob) <= 4 { // key 0 holds the highest number in use
				continue
			}
		case item[0] == bdbOffPage && len(item) >= 12:
			blob, err = db.chain(db.order.Uint32(item[4:]), int64(db.order.Uint32(item[8:])))
		default:
			err = malformed("Berkeley DB page %d: item %d of type %d", number, i, item[0])
		}
		if !yield(blob, err) {
			return false
		}
	}
	return true
}

// chain reads a value of size bytes from its overflow pages.
func (db *bdb) chain(number uint32, size int64) ([]byte, error) {
	if size > maxRecordBytes {
		return nil, malformed("Berkeley DB value of %d bytes", size)
	}
	db.buf = db.buf[:0]
	for int64(len(db.buf)) < size {
		if number == 0 || int64(number) >= db.pages || !db.seen.add(number) {
			return nil, malformed("Berkeley DB value of %d bytes: chain leads to page %d after %d bytes", size, number, len(db.buf))
		}
		if err := readAt(db.r, db.next, int64(number)*db.page); err != nil {
			return nil, err
		}
		used := int(db.order.Uint16(db.next[22:]))
		if db.next[25] != bdbOverflow || used == 0 || bdbHeader+used > len(db.next) {
			return nil, malformed("Berkeley DB page %d, of type %d with %d bytes, is no overflow page", number, db.next[25], used)
		}
		db.buf = append(db.buf, db.next[bdbHeader:bdbHeader+used]...)
		number = db.order.Uint32(db.next[16:])
	}
	return db.buf[:size], nil
}
