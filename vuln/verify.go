package vuln

import (
	"bytes"
	"fmt"

	"github.com/boltseal/boltseal"
)

// Verify reads the whole database: checksums, order of every table, and that
// every row and advisory decodes to indexes that exist. It takes some
// milliseconds per megabyte. A file that was fetched from elsewhere should be
// verified once, before it is used.
func (db *DB) Verify() error {
	if err := db.verify(); err != nil {
		return fmt.Errorf("verify advisory database: %w", err)
	}
	return nil
}

func (db *DB) verify() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", boltseal.ErrMalformed, fmt.Sprintf(format, args...))
	}
	if err := db.intact(); err != nil {
		return err
	}
	for _, t := range []struct {
		what   string
		tab    *strtab
		sorted bool
	}{{"names", &db.names, true}, {"ids", &db.ids, true}, {"strings", &db.strings, true}, {"bounds", &db.bounds, false}, {"titles", &db.titles, false}} {
		if err := t.tab.verify(t.sorted, 0, t.tab.n); err != nil {
			return bad("%s: %v", t.what, err)
		}
	}
	for _, s := range db.schemes {
		if err := db.keys.verify(false, s.first, s.n); err != nil {
			return bad("keys of %s: %v", s.name, err)
		}
	}
	var buf []byte
	for _, s := range db.schemes { // keys are what this version would compute
		for i := s.first; i < s.first+s.n; i++ {
			key, err := s.scheme.AppendKey(buf[:0], db.bounds.at(i))
			if err != nil || !bytes.Equal(key, db.keys.decode(nil, i)) {
				return bad("bound %q of %s has another key", db.bounds.at(i), s.name)
			}
			buf = key
		}
	}
	prev := -1
	for i := range db.meta.Advisories {
		id := u32(db.sec[secAdvID], i)
		if id <= prev || id >= db.ids.n {
			return bad("advisory %d out of order", i)
		}
		prev = id
		if err := db.verifyAdvisory(i); err != nil {
			return bad("advisory %s: %v", db.ids.at(id), err)
		}
	}
	if have := db.sec[secDigests]; len(have) > 0 && !bytes.Equal(have, db.computeDigests()) {
		return bad("digests of packages are not those of what it says of them")
	}
	for e, eco := range db.ecos {
		prev := -1
		for p := eco.first; p < eco.first+eco.n; p++ {
			name := u32(db.sec[secPkgName], p)
			if name <= prev || name >= db.names.n {
				return bad("package %d of %s out of order", p, db.meta.Ecosystems[e].Name)
			}
			prev = name
			if err := db.verifyRows(eco.scheme, p); err != nil {
				return bad("%s in %s: %v", db.names.at(name), db.meta.Ecosystems[e].Name, err)
			}
		}
	}
	return nil
}

// verify checks that strings [first, first+n) decode, and ascend: strictly if
// unique is set. Bounds, whose order is that of their keys, are only decoded.
func (t *strtab) verify(unique bool, first, n int) error {
	var buf, prev []byte
	var c cursor
	for i := first / strBlock * strBlock; i < first+n; i++ {
		if i%strBlock == 0 {
			c = t.block(i / strBlock)
			buf = append(buf[:0], c.take(c.uint())...)
		} else {
			buf = c.next(buf)
		}
		if c.bad {
			return fmt.Errorf("string %d does not decode", i)
		}
		if unique && i > first && bytes.Compare(prev, buf) >= 0 {
			return fmt.Errorf("string %d out of order", i)
		}
		prev = append(prev[:0], buf...)
	}
	return nil
}

func (db *DB) verifyAdvisory(i int) error {
	c := db.at(secAdvs, u32(db.sec[secAdvsIdx], i/advBlock))
	for range i % advBlock {
		c.take(c.uint())
	}
	rec := cursor{b: c.take(c.uint())}
	a := rec.advisory(i, u32(db.sec[secAdvID], i))
	if c.bad || rec.bad || len(rec.b) > 0 {
		return fmt.Errorf("does not decode")
	}
	for _, list := range [][]int{a.aliases, a.upstream, a.related} {
		for _, id := range list {
			if id < 0 || id >= db.ids.n {
				return fmt.Errorf("names ID %d of %d", id, db.ids.n)
			}
		}
	}
	for _, list := range [][]int{a.ratings, a.modules} {
		for _, s := range list {
			if s < 0 || s >= db.strings.n {
				return fmt.Errorf("names string %d of %d", s, db.strings.n)
			}
		}
	}
	if a.group < 0 || a.group >= db.meta.Advisories || a.source >= len(db.meta.Sources) {
		return fmt.Errorf("group %d, source %d", a.group, a.source)
	}
	return nil
}

func (db *DB) verifyRows(scheme, p int) error {
	head := db.at(secRows, u32(db.sec[secPkgRows], p))
	want := head.uint() >> 1
	rows := db.rows(p)
	n := 0
	for r, ok := rows.next(); ok; r, ok = rows.next() {
		n++
		if r.extra > db.strings.n {
			return fmt.Errorf("row %d names string %d of %d", n, r.extra, db.strings.n)
		}
		if r.code != rangeAll && r.code&1 == 0 {
			if c := db.shapeAt(r.code/2 - 1); c.bad || len(c.b) == 0 {
				return fmt.Errorf("row %d names shape %d", n, r.code/2-1)
			}
		}
		sh := db.shape(r.code)
		for _, events := range sh.ranges {
			for _, e := range events {
				if e.bound > db.schemes[scheme].n {
					return fmt.Errorf("row %d names bound %d of %d", n, e.bound, db.schemes[scheme].n)
				}
			}
		}
	}
	if n != want || head.bad {
		return fmt.Errorf("%d of %d rows decode", n, want)
	}
	return nil
}
