package vuln

import "slices"

// The rows of one package, one per advisory and affected entry, ascending by
// advisory: number of rows <<1 | has extras; length of the first column; length of
// the second, if there are extras; first column: difference to the advisory
// before; second column: range (see shape.go); third column, if there are
// extras: 0, or 1 + an index into secStrings.
// Columns repeat between the packages of one source and between releases,
// which is what makes the file compress.
type row struct {
	advisory int
	code     int // range
	extra    int // 0, or 1 + an index into secStrings
}

func appendRows(b []byte, rows []row) []byte {
	var adv, codes, extras []byte
	prev, has := 0, 0
	for _, r := range rows {
		adv = appendUint(adv, r.advisory-prev)
		codes = appendUint(codes, r.code)
		extras = appendUint(extras, r.extra)
		prev = r.advisory
		if r.extra != 0 {
			has = 1
		}
	}
	b = appendUint(b, len(rows)<<1|has)
	b = appendUint(b, len(adv))
	if has == 0 {
		return append(append(b, adv...), codes...)
	}
	b = appendUint(b, len(codes))
	return append(append(append(b, adv...), codes...), extras...)
}

// rowReader walks the rows of one package.
type rowReader struct {
	n                int
	adv, code, extra cursor
	prev             int
	limit            int
}

// rows opens the rows of package p, an index into the package table.
func (db *DB) rows(p int) rowReader {
	c := db.at(secRows, u32(db.sec[secPkgRows], p))
	head := c.uint()
	r := rowReader{n: head >> 1, limit: db.meta.Advisories}
	n, codes := c.uint(), 0
	if head&1 == 1 {
		codes = c.uint()
	}
	r.adv.b = c.take(n)
	if head&1 == 1 {
		r.code.b = c.take(codes)
		r.extra.b = c.b
	} else {
		r.code.b = c.b
	}
	if c.bad || r.n > len(r.adv.b) || r.n > len(r.code.b) {
		return rowReader{}
	}
	return r
}

func (r *rowReader) next() (out row, ok bool) {
	if r.n == 0 {
		return out, false
	}
	r.n--
	out.advisory = r.prev + r.adv.uint()
	out.code = r.code.uint()
	if r.extra.b != nil {
		out.extra = r.extra.uint()
	}
	if r.adv.bad || r.code.bad || out.advisory >= r.limit {
		r.n = 0
		return row{}, false
	}
	r.prev = out.advisory
	return out, true
}

// find returns the package table index of a name within an ecosystem; name is
// an index into secNames.
func (db *DB) find(eco, name int) (int, bool) {
	e := db.ecos[eco]
	lo, hi := e.first, e.first+e.n
	for lo < hi {
		m := int(uint(lo+hi) / 2)
		if u32(db.sec[secPkgName], m) < name {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo, lo < e.first+e.n && u32(db.sec[secPkgName], lo) == name
}

// sortRows orders rows as appendRows needs them, without duplicates.
func sortRows(rows []row) []row {
	slices.SortFunc(rows, func(a, b row) int {
		switch {
		case a.advisory != b.advisory:
			return a.advisory - b.advisory
		case a.code != b.code:
			return a.code - b.code
		}
		return a.extra - b.extra
	})
	return slices.Compact(rows)
}
