package vuln

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/boltseal/boltseal"
)

// The file, all integers little endian:
//
//	0   8  magic "boltadv" and the format version
//	8   4  number of sections n
//	12  4  CRC-32C of the section table
//	16  n × 24: id u32, crc u32, offset u64, length u64
//
// Sections follow each other in the order of their ids without gaps; the last one
// may be missing. A table
// of strings is two sections, see strtab. Integers inside blobs are unsigned
// varints (encoding/binary).
const (
	magic      = "boltadv\x01"
	headerSize = 16
	entrySize  = 24
)

type sectionID uint32

const (
	secMeta       sectionID = iota // JSON: meta
	secNames                       // strtab: package names of all ecosystems, sorted
	secNamesIdx                    //
	secPkgName                     // u32 per package: index of its name; ascending within an ecosystem
	secPkgRows                     // u32 per package: where its rows start in secRows
	secRows                        // blobs: see rows.go
	secShapes                      // blobs: see shape.go
	secShapesIdx                   // u32 per shape: offset in secShapes
	secKeys                        // strtab: order-preserving keys of all bounds, per scheme ascending
	secKeysIdx                     //
	secBounds                      // strtab: the same bounds as written
	secBoundsIdx                   //
	secIDs                         // strtab: IDs of advisories and every other ID they name, sorted
	secIDsIdx                      //
	secAdvID                       // u32 per advisory: index of its ID; ascending
	secAdvs                        // blobs: see advisory.go
	secAdvsIdx                     // u32 per 16 advisories: offset in secAdvs
	secStrings                     // strtab: ratings, statuses, modules, sources
	secStringsIdx                  //
	secEPSS                        // u16 per ID: 1 + index in secEPSSTab, 0 for none
	secEPSSTab                     // f32 score, f32 percentile
	secKEV                         // 12 bytes each: ID u32, added u32, due u32 (days since 1970; top bit of due: ransomware)
	secTitles                      // strtab: the source's title of each advisory, or nothing
	secTitlesIdx                   //
	secDigests                     // 6 bytes per package: see digest.go
	numSections
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// meta is what the database says of itself.
type meta struct {
	Orderings  int         `json:"orderings"` // version.Revision
	Generation string      `json:"generation"`
	Built      int64       `json:"built,omitempty"` // Unix seconds
	Newest     int64       `json:"newest,omitempty"`
	EPSSDate   string      `json:"epssDate,omitempty"`
	KEVDate    string      `json:"kevDate,omitempty"`
	Sources    []metaSrc   `json:"sources"`
	Ecosystems []metaEco   `json:"ecosystems"` // sorted by name
	Schemes    []metaBound `json:"schemes"`
	Advisories int         `json:"advisories"`
	Rows       int         `json:"rows"`
}

type metaSrc struct {
	Name       string `json:"name"`
	License    string `json:"license,omitempty"`
	Advisories int    `json:"advisories"`
	Newest     int64  `json:"newest,omitempty"`
}

type metaEco struct {
	Name     string `json:"name"`
	Scheme   int    `json:"scheme"` // index in meta.Schemes
	Packages int    `json:"packages"`
	Rows     int    `json:"rows"`
	Newest   int64  `json:"newest,omitempty"`
	Undated  int    `json:"undated,omitempty"` // the last year in IDs of advisories without a date
}

type metaBound struct {
	Name   string `json:"name"`
	Bounds int    `json:"bounds"`
}

// assemble lays the sections out.
func assemble(sections *[numSections][]byte) []byte {
	size := headerSize + entrySize*int(numSections)
	off := size
	for _, s := range sections {
		size += len(s)
	}
	out := make([]byte, 0, size)
	out = append(out, magic...)
	out = binary.LittleEndian.AppendUint32(out, uint32(numSections))
	out = binary.LittleEndian.AppendUint32(out, 0)
	for id, s := range sections {
		out = binary.LittleEndian.AppendUint32(out, uint32(id))
		out = binary.LittleEndian.AppendUint32(out, crc32.Checksum(s, castagnoli))
		out = binary.LittleEndian.AppendUint64(out, uint64(off))
		out = binary.LittleEndian.AppendUint64(out, uint64(len(s)))
		off += len(s)
	}
	binary.LittleEndian.PutUint32(out[12:], crc32.Checksum(out[headerSize:], castagnoli))
	for _, s := range sections {
		out = append(out, s...)
	}
	return out
}

// split checks the header and the section table and cuts the file into its
// sections. It reads nothing else.
func split(file []byte) (sections [numSections][]byte, err error) {
	if len(file) < headerSize || string(file[:7]) != magic[:7] {
		return sections, fmt.Errorf("%w: not an advisory database", boltseal.ErrMalformed)
	}
	if file[7] != magic[7] {
		return sections, fmt.Errorf("%w: database format %d, this version reads %d; build it again", boltseal.ErrMalformed, file[7], magic[7])
	}
	n := binary.LittleEndian.Uint32(file[8:])
	table := headerSize + entrySize*int(min(n, uint32(numSections)))
	if n != uint32(numSections) && n != uint32(secDigests) || len(file) < table {
		return sections, fmt.Errorf("%w: %d sections in %d bytes", boltseal.ErrMalformed, n, len(file))
	}
	if crc32.Checksum(file[headerSize:table], castagnoli) != binary.LittleEndian.Uint32(file[12:]) {
		return sections, fmt.Errorf("%w: checksum of the section table", boltseal.ErrMalformed)
	}
	next := uint64(table)
	for i := range sections[:n] {
		e := file[headerSize+entrySize*i:]
		id, off, n := binary.LittleEndian.Uint32(e), binary.LittleEndian.Uint64(e[8:]), binary.LittleEndian.Uint64(e[16:])
		if id != uint32(i) || off != next || n > uint64(len(file))-off {
			return sections, fmt.Errorf("%w: section %d at %d, %d bytes, in a file of %d", boltseal.ErrMalformed, id, off, n, len(file))
		}
		next = off + n
		sections[i] = file[off:next:next]
	}
	if next != uint64(len(file)) {
		return sections, fmt.Errorf("%w: %d bytes after the last section", boltseal.ErrMalformed, uint64(len(file))-next)
	}
	return sections, nil
}

// load builds the view over a file's bytes: header, table sizes and meta are
// checked, the rest when it is followed.
func load(file []byte) (*DB, error) {
	s, err := split(file)
	if err != nil {
		return nil, err
	}
	db := &DB{file: file, sec: s}
	if err := json.Unmarshal(s[secMeta], &db.meta); err != nil {
		return nil, fmt.Errorf("%w: meta section: %w", boltseal.ErrMalformed, err)
	}
	for _, t := range []struct {
		dst  *strtab
		blob sectionID
	}{{&db.names, secNames}, {&db.keys, secKeys}, {&db.bounds, secBounds}, {&db.ids, secIDs}, {&db.strings, secStrings}, {&db.titles, secTitles}} {
		if *t.dst, err = openStrtab(s[t.blob], s[t.blob+1]); err != nil {
			return nil, fmt.Errorf("section %d: %w", t.blob, err)
		}
	}
	if err := db.checkMeta(); err != nil {
		return nil, fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
	}
	db.modular = -1
	if lo, hi, _ := db.strings.search(0, db.strings.n, []byte(modularExtra), nil); hi > lo {
		db.modular = lo + 1
	}
	return db, nil
}

// checkMeta ties the counts of the meta section to the tables' sizes.
func (db *DB) checkMeta() error {
	m := &db.meta
	bounds := 0
	for _, b := range m.Schemes {
		s, ok := schemeByName(b.Name)
		if !ok {
			return fmt.Errorf("ordering %q is not known; build the database again", b.Name)
		}
		if b.Bounds < 0 || b.Bounds > db.keys.n-bounds {
			return fmt.Errorf("ordering %q has %d bounds of %d", b.Name, b.Bounds, db.keys.n)
		}
		db.schemes = append(db.schemes, schemeBounds{scheme: s, name: b.Name, first: bounds, n: b.Bounds})
		bounds += b.Bounds
	}
	pkgs := len(db.sec[secPkgName]) / 4
	first := 0
	for i, e := range m.Ecosystems {
		switch {
		case i > 0 && m.Ecosystems[i-1].Name >= e.Name:
			return fmt.Errorf("ecosystem %q out of order", e.Name)
		case e.Scheme < 0 || e.Scheme >= len(db.schemes):
			return fmt.Errorf("ecosystem %q has ordering %d of %d", e.Name, e.Scheme, len(db.schemes))
		case e.Packages < 0 || e.Packages > pkgs-first:
			return fmt.Errorf("ecosystem %q has %d packages of %d", e.Name, e.Packages, pkgs)
		}
		db.ecos = append(db.ecos, ecoRange{scheme: e.Scheme, first: first, n: e.Packages})
		first += e.Packages
	}
	switch {
	case m.Orderings != orderings:
		return fmt.Errorf("orderings of revision %d, this version has %d; build the database again", m.Orderings, orderings)
	case first != pkgs || len(db.sec[secPkgName])%4 != 0 || len(db.sec[secPkgRows]) != 4*pkgs:
		return fmt.Errorf("package table of %d rows for %d packages", pkgs, first)
	case len(db.sec[secDigests]) != 0 && len(db.sec[secDigests]) != digestSize*pkgs:
		return fmt.Errorf("digests of %d bytes for %d packages", len(db.sec[secDigests]), pkgs)
	case bounds != db.keys.n || bounds != db.bounds.n:
		return fmt.Errorf("%d bounds for %d keys", db.bounds.n, bounds)
	case m.Advisories < 0 || len(db.sec[secAdvID]) != 4*m.Advisories || len(db.sec[secAdvsIdx]) != 4*((m.Advisories+advBlock-1)/advBlock):
		return fmt.Errorf("advisory table does not hold %d advisories", m.Advisories)
	case db.titles.n != 0 && db.titles.n != m.Advisories:
		return fmt.Errorf("%d titles for %d advisories", db.titles.n, m.Advisories)
	case len(db.sec[secShapesIdx])%4 != 0:
		return fmt.Errorf("shape table of %d bytes", len(db.sec[secShapesIdx]))
	case len(db.sec[secEPSS]) != 0 && len(db.sec[secEPSS]) != 2*db.ids.n, len(db.sec[secEPSSTab])%8 != 0, len(db.sec[secKEV])%12 != 0:
		return fmt.Errorf("EPSS or KEV table does not fit %d IDs", db.ids.n)
	}
	return nil
}

// checkSums compares every section with its checksum.
func (db *DB) checkSums() error {
	for i, s := range db.sec[:binary.LittleEndian.Uint32(db.file[8:])] {
		if crc32.Checksum(s, castagnoli) != binary.LittleEndian.Uint32(db.file[headerSize+entrySize*i+4:]) {
			return fmt.Errorf("%w: checksum of section %d", boltseal.ErrMalformed, i)
		}
	}
	return nil
}

func u32(b []byte, i int) int {
	if uint(i) >= uint(len(b)/4) {
		return 0
	}
	return int(binary.LittleEndian.Uint32(b[4*i:]))
}

// cursor reads varints from untrusted bytes; past the end it yields zeros and
// sets bad.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) uint() int {
	if len(c.b) > 0 && c.b[0] < 0x80 {
		v := int(c.b[0])
		c.b = c.b[1:]
		return v
	}
	v, n := binary.Uvarint(c.b)
	if n <= 0 || v > 1<<31 {
		c.b, c.bad = nil, true
		return 0
	}
	c.b = c.b[n:]
	return int(v)
}

// count reads a number of items of at least one byte each.
func (c *cursor) count() int {
	n := c.uint()
	if n > len(c.b) {
		c.b, c.bad = nil, true
		return 0
	}
	return n
}

func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.b) {
		c.b, c.bad = nil, true
		return nil
	}
	out := c.b[:n]
	c.b = c.b[n:]
	return out
}

func (db *DB) at(id sectionID, off int) cursor {
	s := db.sec[id]
	if off < 0 || off > len(s) {
		return cursor{bad: true}
	}
	return cursor{b: s[off:]}
}

func appendUint(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)) }

// ecosystem returns the index of an ecosystem by its exact name.
func (db *DB) ecosystem(name string) (int, bool) {
	return slices.BinarySearchFunc(db.meta.Ecosystems, name, func(e metaEco, n string) int {
		switch {
		case e.Name < n:
			return -1
		case e.Name > n:
			return 1
		}
		return 0
	})
}
