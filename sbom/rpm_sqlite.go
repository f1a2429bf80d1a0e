package sbom

import (
	"encoding/binary"
	"io"
	"iter"
	"strings"
)

// SQLite's file format (sqlite.org/fileformat2.html), as far as one walk of a
// table needs it: pages numbered from 1, the table "sqlite_schema" rooted in
// page 1, tables as B-trees, long rows in chains of overflow pages.
const (
	sqliteMagic    = "SQLite format 3\x00"
	sqliteInterior = 0x05
	sqliteLeaf     = 0x0d
	sqliteHeader   = 100 // bytes in front of page 1's own header
)

type sqlite struct {
	r      io.ReaderAt
	page   int64 // bytes of a page
	usable int64 // bytes of a page that are in use
	pages  int64
	seen   pageSet
	budget int64 // bytes of rows still allowed: rows do not overlap
	buf    []byte
	next   []byte
}

// sqliteBlobs yields the last column of every row of a table, if it is a BLOB.
// A slice is valid until the next one.
func sqliteBlobs(r io.ReaderAt, size int64, table string) iter.Seq2[[]byte, error] {
	head := make([]byte, sqliteHeader)
	if err := readAt(r, head, 0); err != nil {
		return failed(err)
	}
	db := &sqlite{r: r, page: int64(binary.BigEndian.Uint16(head[16:])), budget: size}
	if db.page == 1 {
		db.page = 64 << 10
	}
	db.usable = db.page - int64(head[20])
	if string(head[:16]) != sqliteMagic || db.page < 512 || db.page&(db.page-1) != 0 || db.usable < 480 {
		return failed(malformed("not a SQLite database"))
	}
	db.pages = min(size/db.page, 1<<32-2)
	db.seen = newPageSet(db.pages + 1)
	db.next = make([]byte, db.page)

	return func(yield func([]byte, error) bool) {
		root := int64(0)
		for row, err := range db.rows(1) {
			if err != nil {
				yield(nil, err)
				return
			}
			cols := sqliteRow(row)
			if len(cols) >= 4 && string(cols[0].data) == "table" && strings.EqualFold(string(cols[1].data), table) {
				for _, b := range cols[3].data { // a number of 1 to 8 bytes
					root = root<<8 | int64(b)
				}
			}
		}
		if root <= 1 || root > db.pages {
			yield(nil, malformed("SQLite database without a table %s", table))
			return
		}
		for row, err := range db.rows(uint32(root)) {
			var blob []byte
			if err == nil {
				if cols := sqliteRow(row); len(cols) > 0 && cols[len(cols)-1].kind == 'b' {
					blob = cols[len(cols)-1].data
				} else {
					err = malformed("SQLite row without a BLOB")
				}
			}
			if !yield(blob, err) {
				return
			}
		}
	}
}

// rows yields the records of the table with this root. The tree is walked with
// a stack of pages, and no page twice.
func (db *sqlite) rows(root uint32) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		page := make([]byte, db.page)
		for stack := []uint32{root}; len(stack) > 0; {
			number := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			err := db.read(page, number)
			if err == nil {
				body := page[:db.usable]
				start := 0
				if number == 1 {
					start = sqliteHeader
				}
				count := int(binary.BigEndian.Uint16(body[start+3:]))
				switch kind := body[start]; {
				case kind == sqliteLeaf && start+8+2*count <= len(body):
					for i := range count {
						row, err := db.cell(body, int(binary.BigEndian.Uint16(body[start+8+2*i:])))
						if !yield(row, err) {
							return
						}
					}
				case kind == sqliteInterior && start+12+2*count <= len(body):
					stack = append(stack, binary.BigEndian.Uint32(body[start+8:]))
					for i := count - 1; i >= 0; i-- {
						at := int(binary.BigEndian.Uint16(body[start+12+2*i:]))
						if at+4 > len(body) {
							if err == nil {
								err = malformed("SQLite page %d: cell %d at %d", number, i, at)
							}
							continue
						}
						stack = append(stack, binary.BigEndian.Uint32(body[at:]))
					}
				default:
					err = malformed("SQLite page %d of type %d with %d cells is no page of a table", number, kind, count)
				}
			}
			if err != nil && !yield(nil, err) {
				return
			}
		}
	}
}

func (db *sqlite) read(page []byte, number uint32) error {
	if number == 0 || int64(number) > db.pages || !db.seen.add(number) {
		return malformed("SQLite page %d is outside the file or used twice", number)
	}
	return readAt(db.r, page, (int64(number)-1)*db.page)
}

// cell reads the record at an offset of a leaf page. What does not fit the
// page follows in overflow pages (section 1.6).
func (db *sqlite) cell(page []byte, at int) ([]byte, error) {
	if at >= len(page) {
		return nil, malformed("SQLite cell at %d", at)
	}
	rest := page[at:]
	payload, n := sqliteVarint(rest)
	_, m := sqliteVarint(rest[n:])
	if n == 0 || m == 0 || payload > uint64(max(min(db.budget, maxRecordBytes), 0)) {
		return nil, malformed("SQLite cell at %d with %d bytes", at, payload)
	}
	rest = rest[n+m:]
	size := int64(payload)
	db.budget -= size
	local := size
	if most := db.usable - 35; size > most {
		least := (db.usable-12)*32/255 - 23
		if local = least + (size-least)%(db.usable-4); local > most {
			local = least
		}
	}
	need := local
	if local < size {
		need += 4
	}
	if need > int64(len(rest)) {
		return nil, malformed("SQLite cell at %d with %d bytes ends outside its page", at, size)
	}
	if local == size {
		return rest[:size], nil
	}
	db.buf = append(db.buf[:0], rest[:local]...)
	number := binary.BigEndian.Uint32(rest[local:])
	for int64(len(db.buf)) < size {
		if err := db.read(db.next, number); err != nil {
			return nil, err
		}
		number = binary.BigEndian.Uint32(db.next)
		part := db.next[4:db.usable]
		db.buf = append(db.buf, part[:min(int64(len(part)), size-int64(len(db.buf)))]...)
	}
	return db.buf, nil
}

// sqliteColumn is a value: kind 'b' BLOB, 't' text, 'n' anything else.
type sqliteColumn struct {
	kind byte
	data []byte
}

// sqliteRow takes a record apart (section 2.1), up to the first column that
// does not fit, at most 8.
func sqliteRow(row []byte) []sqliteColumn {
	size, n := sqliteVarint(row)
	if n == 0 || size > uint64(len(row)) || size < uint64(n) {
		return nil
	}
	types, data := row[n:size], row[size:]
	var cols []sqliteColumn
	for len(types) > 0 && len(cols) < 8 {
		serial, n := sqliteVarint(types)
		if n == 0 {
			break
		}
		types = types[n:]
		col := sqliteColumn{kind: 'n'}
		length := uint64(0)
		switch {
		case serial >= 12 && serial%2 == 0:
			col.kind, length = 'b', (serial-12)/2
		case serial >= 12:
			col.kind, length = 't', (serial-13)/2
		case serial <= 7:
			length = [...]uint64{0, 1, 2, 3, 4, 6, 8, 8}[serial]
		}
		if length > uint64(len(data)) {
			break
		}
		col.data, data = data[:length], data[length:]
		cols = append(cols, col)
	}
	return cols
}

// sqliteVarint reads a number of up to 9 bytes, and how many it took; 0 if it
// is cut off.
func sqliteVarint(b []byte) (v uint64, n int) {
	for i := range min(len(b), 9) {
		if i == 8 {
			return v<<8 | uint64(b[i]), 9
		}
		v = v<<7 | uint64(b[i]&0x7f)
		if b[i] < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}
