package vuln

import (
	"iter"
	"sort"
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
func Delta(a, b *DB) iter.Seq[Change] {
	of, with := newDigester(a, false), newDigester(b, false)
	return merge(a, b, func(p, q int) bool { return false }, func(x, y *pkgRef) bool { return of.rows(x) == with.rows(y) })
}

// changes is Delta, and yields what does not decide a match, too.
func changes(a, b *DB) iter.Seq[Change] {
	x, y := a.digests(), b.digests()
	at := func(sums []byte, p int) digestPrefix { return digestPrefix(sums[p*digestSize:]) }
	return merge(a, b, func(p, q int) bool { return at(x, p) == at(y, q) }, func(*pkgRef, *pkgRef) bool { return false })
}

// merge compares two databases package by package, both being in order. What is
// the same by number is passed over without a look at its name.
func merge(a, b *DB, sameNumbers func(p, q int) bool, same func(x, y *pkgRef) bool) iter.Seq[Change] {
	return func(yield func(Change) bool) {
		p, q := 0, 0
		for n, m := a.packages(), b.packages(); p < n || q < m; {
			if p < n && q < m && sameNumbers(p, q) {
				p, q = p+1, q+1
				continue
			}
			var x, y *pkgRef
			if p < n {
				x = a.pkg(p)
			}
			if q < m {
				y = b.pkg(q)
			}
			switch {
			case y == nil || x != nil && x.before(y):
				p++
			case x == nil || y.before(x):
				q, x = q+1, y
			default:
				p, q = p+1, q+1
				if same(x, y) {
					continue
				}
			}
			if !yield(x.Change) {
				return
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

// packages returns how many there are, in all ecosystems.
func (db *DB) packages() int { return len(db.sec[secPkgName]) / 4 }

// pkg returns the n-th package.
func (db *DB) pkg(n int) *pkgRef {
	e := sort.Search(len(db.ecos), func(i int) bool { return db.ecos[i].first+db.ecos[i].n > n })
	return &pkgRef{Change{db.meta.Ecosystems[e].Name, db.names.at(u32(db.sec[secPkgName], n))}, e, n}
}
