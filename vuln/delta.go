package vuln

import (
	"crypto/sha256"
	"encoding/binary"
	"iter"
)

// Change is one package about which two databases say different things.
type Change struct {
	Ecosystem string
	Name      string // as the ecosystem's advisories write it
}

// Delta yields the packages whose matches may differ between two databases: a
// row was added or removed, or one of the fields that decide a match changed
// (ranges, status, aliases, withdrawal). Edited texts, dates and ratings are no
// change. The order is that of ecosystem and name.
func Delta(a, b *DB) iter.Seq[Change] { return delta(a, b, (*DB).digest) }

// delta compares two databases package by package, both being in order.
func delta(a, b *DB, digest func(*DB, *pkgRef) [32]byte) iter.Seq[Change] {
	return func(yield func(Change) bool) {
		i, j := a.packages(), b.packages()
		x, y := i.next(), j.next()
		for x != nil || y != nil {
			switch {
			case y == nil || x != nil && x.before(y):
				if !yield(x.Change) {
					return
				}
				x = i.next()
			case x == nil || y.before(x):
				if !yield(y.Change) {
					return
				}
				y = j.next()
			default:
				if digest(a, x) != digest(b, y) && !yield(x.Change) {
					return
				}
				x, y = i.next(), j.next()
			}
		}
	}
}

type pkgRef struct {
	Change
	eco, pkg int
}

func (p *pkgRef) before(q *pkgRef) bool {
	if p.Ecosystem != q.Ecosystem {
		return p.Ecosystem < q.Ecosystem
	}
	return p.Name < q.Name
}

type pkgReader struct {
	db       *DB
	eco, pkg int
}

func (db *DB) packages() *pkgReader { return &pkgReader{db: db} }

func (r *pkgReader) next() *pkgRef {
	for r.eco < len(r.db.ecos) {
		if e := r.db.ecos[r.eco]; r.pkg < e.first+e.n {
			p := r.pkg
			r.pkg++
			return &pkgRef{Change{r.db.meta.Ecosystems[r.eco].Name, r.db.names.at(u32(r.db.sec[secPkgName], p))}, r.eco, p}
		}
		r.eco++
	}
	return nil
}

// digest covers what decides the matches of one package, in terms that do not
// depend on the database's numbering.
func (db *DB) digest(p *pkgRef) [32]byte {
	var b []byte
	str := func(s string) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	scheme := db.ecos[p.eco].scheme
	str(db.schemes[scheme].name)
	rows := db.rows(p.pkg)
	for r, ok := rows.next(); ok; r, ok = rows.next() {
		a := db.advisory(r.advisory)
		str(db.ids.at(a.id))
		b = append(b, byte(a.flags&(advWithdrawn|advNoSecurity|advDerived)))
		for _, list := range [][]int{a.aliases, a.upstream} {
			b = binary.AppendUvarint(b, uint64(len(list)))
			for _, id := range list {
				str(db.ids.at(id))
			}
		}
		for _, m := range a.modules {
			str(db.strings.at(m))
		}
		str(db.extra(r))
		sh := db.shape(r.code)
		b = binary.AppendUvarint(b, uint64(len(sh.ranges)))
		for _, events := range sh.ranges {
			b = binary.AppendUvarint(b, uint64(len(events)))
			for _, e := range events {
				b = append(b, byte(e.kind))
				str(db.bound(scheme, e.bound))
			}
		}
		for _, v := range sh.listed {
			str(db.bound(scheme, v))
		}
		for _, v := range sh.raw {
			str(v)
		}
	}
	return sha256.Sum256(b)
}
