package vuln

import "iter"

// Change is one package about which two databases say different things.
type Change struct {
	Ecosystem string
	Name      string // as the ecosystem's advisories write it
}

// Delta yields the packages whose matches may differ between two databases: a
// row was added or removed, or one of the fields that decide a match changed
// (ranges, status, aliases, withdrawal). Edited texts, dates and ratings are no
// change. The order is that of ecosystem and name.
func Delta(a, b *DB) iter.Seq[Change] { return delta(a, b, false) }

// delta compares two databases package by package, both being in order. All
// counts what does not decide a match, too.
func delta(a, b *DB, all bool) iter.Seq[Change] {
	return func(yield func(Change) bool) {
		of, with := newDigester(a, all), newDigester(b, all)
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
				if of.rows(x) != with.rows(y) && !yield(x.Change) {
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
