package vuln

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/boltseal/boltseal/vuln/version"
)

// orderings ties a file to the revision of the orderings its keys come from.
const orderings = version.Revision

// table interns strings; once sorted, an index is a rank.
type table map[string]int

func (t table) add(s string) {
	if _, ok := t[s]; !ok {
		t[s] = 0
	}
}

func (t table) sort() []string {
	list := slices.Sorted(maps.Keys(t))
	for i, s := range list {
		t[s] = i
	}
	return list
}

// order is one scheme's bounds while building.
type order struct {
	scheme version.Scheme
	keys   map[string]string // version to key; "" for what has no place in the order
	index  map[string]int    // version to bound, counted from 1
	rank   []int             // bound to the first bound with the same key, counted from 1
}

func (o *order) add(v string) bool {
	k, ok := o.keys[v]
	if !ok {
		b, err := o.scheme.AppendKey(nil, v)
		if err == nil && len(b) > 0 {
			k = string(b)
		}
		o.keys[v] = k
	}
	return k != ""
}

// encode writes the database.
func (b *builder) encode() ([]byte, error) {
	var (
		sec              [numSections][]byte
		names, ids, strs = table{}, table{}, table{}
		ecos, sources    = table{}, table{}
		orders           = map[version.Scheme]*order{}
	)
	for _, d := range b.advs {
		for _, list := range [][]string{{d.id}, d.aliases, d.upstream, d.related} {
			for _, s := range list {
				ids.add(s)
			}
		}
		for _, list := range [][]string{d.ratings, d.modules} {
			for _, s := range list {
				strs.add(s)
			}
		}
		sources.add(d.source)
		b.stats.Ignored += d.ignored
		for i := range d.rows {
			r := &d.rows[i]
			names.add(r.name)
			ecos.add(r.ecosystem)
			s, _ := version.SchemeFor(r.ecosystem)
			o := orders[s]
			if o == nil {
				o = &order{scheme: s, keys: map[string]string{}, index: map[string]int{}}
				orders[s] = o
			}
			if b.prune(r, o); len(r.ranges)+len(r.versions) == 0 {
				b.stats.Ignored++
			}
			if r.extra != "" {
				strs.add(r.extra)
			}
			for _, v := range r.versions {
				if !o.add(v) {
					strs.add(v)
				}
			}
		}
	}
	schemes := slices.Sorted(maps.Keys(orders))
	m := meta{Orderings: orderings, Advisories: len(b.advs)}
	if !b.opts.Time.IsZero() {
		m.Built = b.opts.Time.Unix()
	}
	var keys, bounds []string
	for _, s := range schemes {
		o := orders[s]
		vs := slices.DeleteFunc(slices.Collect(maps.Keys(o.keys)), func(v string) bool { return o.keys[v] == "" })
		slices.SortFunc(vs, func(x, y string) int {
			if c := strings.Compare(o.keys[x], o.keys[y]); c != 0 {
				return c
			}
			return strings.Compare(x, y)
		})
		o.rank = append(make([]int, 0, len(vs)+1), 0)
		for i, v := range vs {
			o.index[v] = i + 1
			if i > 0 && o.keys[v] == o.keys[vs[i-1]] {
				o.rank = append(o.rank, o.rank[i])
			} else {
				o.rank = append(o.rank, i+1)
			}
			keys, bounds = append(keys, o.keys[v]), append(bounds, v)
		}
		m.Schemes = append(m.Schemes, metaBound{Name: s.String(), Bounds: len(vs)})
	}
	nameList, idList, strList, ecoList, srcList := names.sort(), ids.sort(), strs.sort(), ecos.sort(), sources.sort()
	for _, s := range srcList {
		m.Sources = append(m.Sources, metaSrc{Name: s, License: licenseOf(s)})
	}
	for _, e := range ecoList {
		s, _ := version.SchemeFor(e)
		m.Ecosystems = append(m.Ecosystems, metaEco{Name: e, Scheme: slices.Index(schemes, s)})
	}
	sec[secNames], sec[secNamesIdx] = buildStrtab(nameList)
	sec[secKeys], sec[secKeysIdx] = buildStrtab(keys)
	sec[secBounds], sec[secBoundsIdx] = buildStrtab(bounds)
	sec[secIDs], sec[secIDsIdx] = buildStrtab(idList)
	sec[secStrings], sec[secStringsIdx] = buildStrtab(strList)

	type pkgKey struct{ eco, name int }
	rows := map[pkgKey][]row{}
	shapes := shapeTable{index: map[string]int{}}
	groups := b.groups()
	for i, d := range b.advs {
		a := advRecord{index: i, id: ids[d.id], flags: d.flags, source: sources[d.source], group: groups[i],
			modified: dayOf(d.modified), published: dayOf(d.published), withdrawn: dayOf(d.withdrawn)}
		a.aliases, a.upstream, a.related = indexes(ids, d.aliases), indexes(ids, d.upstream), indexes(ids, d.related)
		a.ratings, a.modules = indexes(strs, d.ratings), indexes(strs, d.modules)
		for flag, on := range map[advFlags]bool{advHasUpstream: len(a.upstream) > 0, advHasRelated: len(a.related) > 0,
			advHasRatings: len(a.ratings) > 0, advHasModules: len(a.modules) > 0, advGrouped: a.group != i} {
			if on {
				a.flags |= flag
			}
		}
		if i%advBlock == 0 {
			sec[secAdvsIdx] = binary.LittleEndian.AppendUint32(sec[secAdvsIdx], uint32(len(sec[secAdvs])))
		}
		rec := appendAdvisory(nil, &a)
		sec[secAdvs] = append(appendUint(sec[secAdvs], len(rec)), rec...)
		sec[secAdvID] = binary.LittleEndian.AppendUint32(sec[secAdvID], uint32(a.id))

		src := &m.Sources[a.source]
		src.Advisories++
		dated := unixSeconds(b.dated(d))
		src.Newest = max(src.Newest, dated)
		m.Newest = max(m.Newest, dated)
		for j := range d.rows {
			r := &d.rows[j]
			k := pkgKey{ecos[r.ecosystem], names[r.name]}
			s, _ := version.SchemeFor(r.ecosystem)
			out := row{advisory: i, code: shapes.code(r, orders[s], strs)}
			if r.extra != "" {
				out.extra = 1 + strs[r.extra]
			}
			rows[k] = append(rows[k], out)
			e := &m.Ecosystems[k.eco]
			if dated == 0 {
				e.Undated = max(e.Undated, yearOf(d.id))
			}
			e.Newest = max(e.Newest, dated)
		}
	}
	var titles []string
	if !b.opts.NoTitles {
		for _, d := range b.advs {
			titles = append(titles, d.title)
		}
	}
	sec[secTitles], sec[secTitlesIdx] = buildStrtab(titles)
	sec[secShapes], sec[secShapesIdx] = shapes.blob, shapes.idx

	pkgs := slices.SortedFunc(maps.Keys(rows), func(x, y pkgKey) int {
		if x.eco != y.eco {
			return x.eco - y.eco
		}
		return x.name - y.name
	})
	// Rows are laid out by name first, so that releases of one distribution
	// lie side by side and compress; equal blobs are stored once.
	layout := slices.Clone(pkgs)
	slices.SortFunc(layout, func(x, y pkgKey) int {
		if c := m.Ecosystems[x.eco].Scheme - m.Ecosystems[y.eco].Scheme; c != 0 {
			return c
		}
		if x.name != y.name {
			return x.name - y.name
		}
		return x.eco - y.eco
	})
	starts, seen := map[pkgKey]int{}, map[string]int{}
	for _, k := range layout {
		list := sortRows(rows[k])
		m.Rows += len(list)
		m.Ecosystems[k.eco].Rows += len(list)
		m.Ecosystems[k.eco].Packages++
		blob := appendRows(nil, list)
		at, ok := seen[string(blob)]
		if !ok {
			at = len(sec[secRows])
			seen[string(blob)] = at
			sec[secRows] = append(sec[secRows], blob...)
		}
		starts[k] = at
	}
	for _, k := range pkgs {
		sec[secPkgName] = binary.LittleEndian.AppendUint32(sec[secPkgName], uint32(k.name))
		sec[secPkgRows] = binary.LittleEndian.AppendUint32(sec[secPkgRows], uint32(starts[k]))
	}
	if err := b.joinFeeds(&sec, &m, ids); err != nil {
		return nil, err
	}
	b.stats.Advisories, b.stats.Rows, b.stats.Packages, b.stats.Ecosystems = m.Advisories, m.Rows, len(pkgs), len(ecoList)

	meta, err := json.Marshal(&m)
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	h.Write(meta)
	for _, s := range sec {
		h.Write(s)
	}
	m.Generation = hex.EncodeToString(h.Sum(nil)[:16])
	b.stats.Generation = m.Generation
	if sec[secMeta], err = json.Marshal(&m); err != nil {
		return nil, err
	}
	db, err := load(assemble(&sec))
	if err != nil {
		return nil, err
	}
	sec[secDigests] = db.digests() // what the generation names already
	return assemble(&sec), nil
}

// dated is the day that tells how recent an advisory is. Sources mistype dates,
// and one in the future would make a database look fresh for ever: what lies
// after the time of building counts for nothing, and without a time of building
// the day of publication, which is not set at each edit, is trusted first.
func (b *builder) dated(d *draft) time.Time {
	built := b.opts.Time
	switch {
	case d.modified.IsZero():
		return d.modified // the source dates nothing
	case built.IsZero() && !d.published.IsZero():
		return d.published
	case built.IsZero() || !d.modified.After(built):
		return d.modified
	case !d.published.After(built):
		return d.published
	}
	return time.Time{}
}

func unixSeconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// yearOf finds the year in an ID: the second field of CVE-2024-1 or GO-2024-1.
func yearOf(id string) int {
	for _, f := range strings.FieldsFunc(id, func(r rune) bool { return r == '-' || r == ':' }) {
		if y, err := strconv.Atoi(f); err == nil && len(f) == 4 && y >= 1990 && y < 2140 {
			return y
		}
	}
	return 0
}

func indexes(t table, list []string) []int {
	if len(list) == 0 {
		return nil
	}
	out := make([]int, len(list))
	for i, s := range list {
		out[i] = t[s]
	}
	return out
}

// prune drops what cannot match from a row: ranges with a bound that has no
// place in the order, which leaves a mark, and listed versions that a range
// covers anyway.
func (b *builder) prune(r *draftRow, o *order) {
	ranges := len(r.ranges)
	r.ranges = slices.DeleteFunc(r.ranges, func(events []draftEvent) bool {
		for _, e := range events {
			if e.version != "0" && !o.add(e.version) {
				return true
			}
		}
		return false
	})
	if len(r.ranges) < ranges && r.extra != modularExtra {
		r.extra += unorderedExtra
	}
	// Keys order as versions do, so that coverage can be decided before the
	// bounds are numbered.
	r.versions = slices.DeleteFunc(r.versions, func(v string) bool {
		k, known := o.keys[v]
		if !known {
			kb, err := o.scheme.AppendKey(nil, v)
			if err != nil {
				return false
			}
			k = string(kb)
		}
		return k != "" && slices.ContainsFunc(r.ranges, func(events []draftEvent) bool { return o.covers(events, k) })
	})
	slices.Sort(r.versions)
	r.versions = slices.Compact(r.versions)
}

// covers is decide on keys.
func (o *order) covers(events []draftEvent, key string) bool {
	sorted := slices.Clone(events)
	keyOf := func(e draftEvent) string {
		if e.version == "0" {
			return ""
		}
		return o.keys[e.version]
	}
	slices.SortFunc(sorted, func(x, y draftEvent) int {
		if c := strings.Compare(keyOf(x), keyOf(y)); c != 0 {
			return c
		}
		return int(x.kind) - int(y.kind)
	})
	in := false
	for _, e := range sorted {
		c := strings.Compare(key, keyOf(e))
		if c < 0 {
			break
		}
		switch e.kind {
		case introduced:
			in = true
		case fixed:
			in = false
		case lastAffected:
			in = in && c == 0
		case limit:
			return false
		}
	}
	return in
}

// shapeTable interns ranges.
type shapeTable struct {
	index     map[string]int
	blob, idx []byte
}

// code returns the integer that stands for a row's versions; see shape.go.
func (t *shapeTable) code(r *draftRow, o *order, strs table) int {
	var ranges [][]event
	for _, g := range r.ranges {
		var events []event
		last := -1 // only the highest limit matters: a version is inside if it is below any
		for _, e := range g {
			ev := event{kind: e.kind}
			if e.version != "0" {
				ev.bound = o.index[e.version]
			}
			if e.kind == limit {
				if last >= 0 {
					events[last].bound = max(events[last].bound, ev.bound)
					continue
				}
				last = len(events)
			}
			events = append(events, ev)
		}
		slices.SortFunc(events, func(x, y event) int {
			if c := o.rank[x.bound] - o.rank[y.bound]; c != 0 {
				return c
			}
			if x.kind != y.kind {
				return int(x.kind) - int(y.kind)
			}
			return x.bound - y.bound
		})
		ranges = append(ranges, slices.Compact(events))
	}
	var listed, raw []int
	for _, v := range r.versions {
		if i := o.index[v]; o.keys[v] != "" {
			listed = append(listed, i)
		} else {
			raw = append(raw, strs[v])
		}
	}
	slices.Sort(listed)
	slices.SortFunc(ranges, func(x, y []event) int {
		return slices.CompareFunc(x, y, func(a, b event) int {
			if a.bound != b.bound {
				return a.bound - b.bound
			}
			return int(a.kind) - int(b.kind)
		})
	})
	if len(ranges) == 1 && len(listed)+len(raw) == 0 && ranges[0][0] == (event{introduced, belowAll}) {
		switch e := ranges[0]; {
		case len(e) == 1:
			return rangeAll
		case len(e) == 2 && e[1].kind == fixed && e[1].bound != belowAll:
			return (e[1].bound-1)<<1 | 1
		}
	}
	shape := appendShape(nil, ranges, listed, raw)
	i, ok := t.index[string(shape)]
	if !ok {
		i = len(t.index)
		t.index[string(shape)] = i
		t.idx = binary.LittleEndian.AppendUint32(t.idx, uint32(len(t.blob)))
		t.blob = append(t.blob, shape...)
	}
	return 2 * (i + 1)
}

// groups unites advisories that are aliases of each other, transitively, and
// returns for each the first of its group.
func (b *builder) groups() []int {
	parent := make([]int, len(b.advs))
	for i := range parent {
		parent[i] = i
	}
	find := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	owner := map[string]int{}
	for i, d := range b.advs {
		if d.flags&advWithdrawn != 0 {
			continue // what does not hold joins nothing
		}
		for _, name := range append([]string{d.id}, d.aliases...) {
			j, ok := owner[name]
			if !ok {
				owner[name] = i
				continue
			}
			x, y := find(i), find(j)
			parent[max(x, y)] = min(x, y)
		}
	}
	for i := range parent {
		parent[i] = find(i)
	}
	return parent
}
