package decode

import (
	"encoding/binary"
	"io"
)

// SQLiteHead reports whether content is an SQLite database (The SQLite Database
// File Format, 1.3), and returns the size of its pages.
func SQLiteHead(head []byte) (page int, ok bool) {
	if len(head) < 100 || string(head[:16]) != "SQLite format 3\x00" {
		return 0, false
	}
	page = int(binary.BigEndian.Uint16(head[16:]))
	if page == 1 {
		page = 64 << 10
	}
	return page, page >= 512 && page&(page-1) == 0
}

// Overflows shows each cell of a database that is continued on overflow pages, joined,
// with the offset of its first part: a value that lies on two pages is cut by neither.
// Cells that fit on their page are left to whoever reads the pages, and so are
// freed ones. An error of visit ends it; spend is told what is read.
func Overflows(r io.ReaderAt, size int64, spend func(int) error, visit func(offset int64, cell []byte) error) error {
	head := make([]byte, 100)
	if _, err := r.ReadAt(head, 0); err != nil {
		return malformed("sqlite header: %v", err)
	}
	page, ok := SQLiteHead(head)
	if !ok {
		return malformed("sqlite header")
	}
	d := &sqlite{r: r, page: page, usable: page - int(head[20]), pages: size / int64(page), spend: spend}
	if d.usable < 480 {
		return malformed("sqlite pages with %d usable bytes", d.usable)
	}
	buf := make([]byte, page)
	for n := int64(1); n <= d.pages; n++ {
		if err := d.read(n, buf); err != nil {
			return err
		}
		if err := d.cells(n, buf, visit); err != nil {
			return err
		}
	}
	return nil
}

type sqlite struct {
	r            io.ReaderAt
	page, usable int
	pages        int64
	spend        func(int) error
}

func (d *sqlite) read(n int64, buf []byte) error {
	if _, err := d.r.ReadAt(buf, (n-1)*int64(d.page)); err != nil {
		return malformed("sqlite page %d: %v", n, err)
	}
	return d.spend(len(buf))
}

// cellBytes bounds a cell that is joined.
const cellBytes = 16 << 20

// cells looks at the cells of a b-tree page, 1.6: those of tables have a size and a
// row, those of indexes a size alone, after the page of their child.
func (d *sqlite) cells(n int64, p []byte, visit func(int64, []byte) error) error {
	at := 0
	if n == 1 {
		at = 100
	}
	kind, header := p[at], 8
	if kind == 2 || kind == 5 {
		header = 12
	}
	if kind != 2 && kind != 10 && kind != 13 {
		return nil // an inner page of a table, free, or overflow
	}
	count := int(binary.BigEndian.Uint16(p[at+3:]))
	for i := range count {
		k := at + header + 2*i
		if k+2 > d.usable {
			break
		}
		cell := int(binary.BigEndian.Uint16(p[k:]))
		if cell < at+header || cell+4 > d.usable {
			continue
		}
		if err := d.cell(n, kind, p, cell, visit); err != nil {
			return err
		}
	}
	return nil
}

// cell joins one cell, if it overflows (1.6, "local payload").
func (d *sqlite) cell(n int64, kind byte, p []byte, at int, visit func(int64, []byte) error) error {
	b := p[at:d.usable]
	if kind == 2 {
		b = b[4:]
	}
	size, k := sqliteInt(b)
	if k == 0 {
		return nil
	}
	b = b[k:]
	most := (d.usable-12)*64/255 - 23
	if kind == 13 {
		_, k := sqliteInt(b)
		if k == 0 {
			return nil
		}
		b, most = b[k:], d.usable-35
	}
	if size <= int64(most) || size > cellBytes {
		return nil
	}
	least := (d.usable-12)*32/255 - 23
	local := least + int((size-int64(least))%int64(d.usable-4))
	if local > most {
		local = least
	}
	if local < 0 || local+4 > len(b) {
		return nil
	}
	out := append(make([]byte, 0, min(size, 64<<10)), b[:local]...)
	next := int64(binary.BigEndian.Uint32(b[local:]))
	buf := make([]byte, d.page)
	for int64(len(out)) < size && next > 1 && next <= d.pages {
		if err := d.read(next, buf); err != nil {
			return err
		}
		next = int64(binary.BigEndian.Uint32(buf))
		out = append(out, buf[4:4+min(int64(d.usable-4), size-int64(len(out)))]...)
	}
	return visit((n-1)*int64(d.page)+int64(at), out)
}

// sqliteInt reads a variable-length integer, highest bits first, 1.6.
func sqliteInt(b []byte) (v int64, n int) {
	for n < len(b) && n < 8 {
		v = v<<7 | int64(b[n]&0x7f)
		n++
		if b[n-1]&0x80 == 0 {
			return v, n
		}
	}
	if n == 8 && len(b) > 8 {
		return v<<8 | int64(b[8]), 9
	}
	return 0, 0
}
