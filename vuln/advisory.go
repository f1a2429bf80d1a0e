package vuln

import "time"

// The record of one advisory: flags; source and first day known (modified), in
// days since 1970, then published as a zigzag difference to it; withdrawn, if
// flagged; number and list of aliases, upstream and related IDs; number and
// list of ratings and of modules; distance to the representative of its group.
// Lists of IDs are zigzag differences to the one before, starting at the
// advisory's own.
const advBlock = 16

type advFlags uint8

const (
	advDerived     advFlags = 1 << iota // derived by tooling
	advNoSecurity                       // a bug fix or enhancement without any vulnerability
	advWithdrawn                        //
	advGrouped                          // an alias of others
	advHasRatings                       //
	advHasModules                       //
	advHasRelated                       //
	advHasUpstream                      //
)

// advRecord is a decoded record; IDs and strings are indexes.
type advRecord struct {
	index                          int
	id                             int
	flags                          advFlags
	source                         int
	modified, published, withdrawn int // days
	aliases, upstream, related     []int
	ratings, modules               []int
	group                          int // advisory that stands for all its aliases
}

func zigzag(n int) int   { return n<<1 ^ n>>63 }
func unzigzag(n int) int { return n>>1 ^ -(n & 1) }

func appendIDs(b []byte, own int, ids []int) []byte {
	b = appendUint(b, len(ids))
	for _, id := range ids {
		b = appendUint(b, zigzag(id-own))
		own = id
	}
	return b
}

func (c *cursor) ids(own int) []int {
	n := c.count()
	if n == 0 {
		return nil
	}
	out := make([]int, 0, n)
	for range n {
		own += unzigzag(c.uint())
		out = append(out, own)
	}
	return out
}

func appendAdvisory(b []byte, a *advRecord) []byte {
	b = appendUint(b, int(a.flags))
	b = appendUint(b, a.source)
	b = appendUint(b, a.modified)
	b = appendUint(b, zigzag(a.published-a.modified))
	if a.flags&advWithdrawn != 0 {
		b = appendUint(b, a.withdrawn)
	}
	b = appendIDs(b, a.id, a.aliases)
	if a.flags&advHasUpstream != 0 {
		b = appendIDs(b, a.id, a.upstream)
	}
	if a.flags&advHasRelated != 0 {
		b = appendIDs(b, a.id, a.related)
	}
	if a.flags&advHasRatings != 0 {
		b = appendIDs(b, 0, a.ratings)
	}
	if a.flags&advHasModules != 0 {
		b = appendIDs(b, 0, a.modules)
	}
	if a.flags&advGrouped != 0 {
		b = appendUint(b, zigzag(a.group-a.index))
	}
	return b
}

func (c *cursor) advisory(index, id int) advRecord {
	a := advRecord{index: index, id: id, group: index}
	a.flags = advFlags(c.uint())
	a.source = c.uint()
	a.modified = c.uint()
	a.published = a.modified + unzigzag(c.uint())
	if a.flags&advWithdrawn != 0 {
		a.withdrawn = c.uint()
	}
	a.aliases = c.ids(id)
	if a.flags&advHasUpstream != 0 {
		a.upstream = c.ids(id)
	}
	if a.flags&advHasRelated != 0 {
		a.related = c.ids(id)
	}
	if a.flags&advHasRatings != 0 {
		a.ratings = c.ids(0)
	}
	if a.flags&advHasModules != 0 {
		a.modules = c.ids(0)
	}
	if a.flags&advGrouped != 0 {
		a.group += unzigzag(c.uint())
	}
	return a
}

// advisory decodes advisory i.
func (db *DB) advisory(i int) advRecord {
	if i < 0 || i >= db.meta.Advisories {
		return advRecord{}
	}
	c := db.at(secAdvs, u32(db.sec[secAdvsIdx], i/advBlock))
	for range i % advBlock {
		c.take(c.uint())
	}
	rec := cursor{b: c.take(c.uint())}
	return rec.advisory(i, u32(db.sec[secAdvID], i))
}

// lookup returns the advisory with exactly this ID.
func (db *DB) lookup(id string) (int, bool) {
	lo, hi, _ := db.ids.search(0, db.ids.n, []byte(id), nil)
	if lo == hi {
		return 0, false
	}
	i, end := 0, db.meta.Advisories
	for i < end {
		if m := int(uint(i+end) / 2); u32(db.sec[secAdvID], m) < lo {
			i = m + 1
		} else {
			end = m
		}
	}
	return i, i < db.meta.Advisories && u32(db.sec[secAdvID], i) == lo
}

// Advisory returns the advisory with exactly this ID. Aliases are not
// followed; see [DB.About].
func (db *DB) Advisory(id string) (Advisory, bool) {
	i, ok := db.lookup(id)
	if !ok {
		return Advisory{}, false
	}
	a := db.advisory(i)
	return db.public(&a), true
}

func (db *DB) idList(ids []int) []string {
	if len(ids) == 0 {
		return nil
	}
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = db.ids.at(id)
	}
	return out
}

// public turns a record into what callers see.
func (db *DB) public(a *advRecord) Advisory {
	out := Advisory{
		ID:        db.ids.at(a.id),
		Title:     db.titles.at(a.index),
		Aliases:   db.idList(a.aliases),
		Upstream:  db.idList(a.upstream),
		Related:   db.idList(a.related),
		Source:    db.sourceName(a.source),
		Derived:   a.flags&advDerived != 0,
		Modified:  day(a.modified),
		Published: day(a.published),
		Withdrawn: day(a.withdrawn),
	}
	for _, r := range a.ratings {
		out.Ratings = append(out.Ratings, parseRating(db.strings.at(r)))
	}
	return out
}

func (db *DB) sourceName(i int) string {
	if i < 0 || i >= len(db.meta.Sources) {
		return ""
	}
	return db.meta.Sources[i].Name
}

// day converts days since 1970; 0 is the zero time.
func day(n int) time.Time {
	if n <= 0 || n > 1<<17 {
		return time.Time{}
	}
	return time.Unix(int64(n)*86400, 0).UTC()
}

func dayOf(t time.Time) int {
	if t.IsZero() {
		return 0
	}
	return int(t.Unix() / 86400)
}
