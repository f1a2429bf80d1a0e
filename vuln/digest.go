package vuln

import (
	"crypto/sha256"
	"encoding/binary"
)

// digestSize is how much of a package's digest is stored: enough that a change
// is missed once in 2^48, and no more, since digests do not compress.
const digestSize = 6

type digestPrefix [digestSize]byte

// digests returns the prefixes of the packages' digests, which cover their names
// and whatever their findings are made of: those of the file, or computed for
// one that has none.
func (db *DB) digests() []byte {
	if stored := db.sec[secDigests]; len(stored) > 0 {
		return stored
	}
	return db.computeDigests()
}

func (db *DB) computeDigests() []byte {
	of := newDigester(db, true)
	out := make([]byte, 0, digestSize*db.packages())
	for n := range db.packages() {
		p := db.pkg(n)
		sum := of.rows(p)
		of.b = of.b[:0]
		of.str(p.Ecosystem)
		of.str(p.Name)
		of.b = append(of.b, sum[:]...)
		sum = of.sum()
		out = append(out, sum[:digestSize]...)
	}
	return out
}

// digest stands for what a database says of something, in terms that do not
// depend on its numbering.
type digest [16]byte

// digester computes digests of packages. Many rows share an advisory or a range,
// each of which it decodes once.
type digester struct {
	db         *DB
	all        bool // what does not decide a match, too
	advisories []digest
	ranges     map[[2]int]digest // by scheme and code
	b          []byte
}

func newDigester(db *DB, all bool) *digester {
	return &digester{db: db, all: all, advisories: make([]digest, max(0, db.meta.Advisories)), ranges: map[[2]int]digest{}}
}

func (d *digester) str(s string) {
	d.b = append(binary.AppendUvarint(d.b, uint64(len(s))), s...)
}

func (d *digester) sum() digest {
	sum := sha256.Sum256(d.b)
	return digest(sum[:16])
}

// rows covers what decides the matches of one package, and with all, whatever
// its findings are made of.
func (d *digester) rows(p *pkgRef) digest {
	db := d.db
	scheme := db.ecos[p.eco].scheme
	var sums []byte
	rows := db.rows(p.pkg)
	for r, ok := rows.next(); ok; r, ok = rows.next() {
		a, g := d.advisory(r.advisory), d.ranged(scheme, r.code)
		sums = append(append(sums, a[:]...), g[:]...)
		extra := db.extra(r)
		if d.all && r.extra > 0 { // ratings of the one entry
			extra = db.strings.at(r.extra - 1)
		}
		sums = append(binary.AppendUvarint(sums, uint64(len(extra))), extra...)
	}
	d.b = d.b[:0]
	d.str(db.schemes[scheme].name)
	d.b = append(d.b, sums...)
	return d.sum()
}

// advisory covers what all rows of an advisory share.
func (d *digester) advisory(i int) digest {
	if i < 0 || i >= len(d.advisories) {
		return digest{}
	}
	if d.advisories[i] != (digest{}) {
		return d.advisories[i]
	}
	db := d.db
	a := db.advisory(i)
	d.b = d.b[:0]
	d.str(db.ids.at(a.id))
	d.b = append(d.b, byte(a.flags&(advWithdrawn|advNoSecurity|advDerived)))
	ids := func(list []int) {
		d.b = binary.AppendUvarint(d.b, uint64(len(list)))
		for _, id := range list {
			d.str(db.ids.at(id))
		}
	}
	ids(a.aliases)
	ids(a.upstream)
	for _, m := range a.modules {
		d.str(db.strings.at(m))
	}
	if d.all {
		d.str(db.titles.at(i))
		if a.group != i {
			group := db.advisory(a.group)
			d.str(db.ids.at(group.id))
		}
		ids(a.related)
		for _, rating := range a.ratings {
			d.str(db.strings.at(rating))
		}
		var c chances
		c.join(db, []int{a.id}, a.aliases, a.upstream, a.related)
		d.str(date(c.exploited))
	}
	d.advisories[i] = d.sum()
	return d.advisories[i]
}

// ranged covers the versions that a row speaks of.
func (d *digester) ranged(scheme, code int) digest {
	key := [2]int{scheme, code}
	if sum, ok := d.ranges[key]; ok {
		return sum
	}
	db := d.db
	sh := db.shape(code)
	d.b = binary.AppendUvarint(d.b[:0], uint64(len(sh.ranges)))
	for _, events := range sh.ranges {
		d.b = binary.AppendUvarint(d.b, uint64(len(events)))
		for _, e := range events {
			d.b = append(d.b, byte(e.kind))
			d.str(db.bound(scheme, e.bound))
		}
	}
	for _, v := range sh.listed {
		d.str(db.bound(scheme, v))
	}
	for _, v := range sh.raw {
		d.str(v)
	}
	sum := d.sum()
	d.ranges[key] = sum
	return sum
}
