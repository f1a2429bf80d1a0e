package vuln

import (
	"fmt"
	"sync"
	"time"

	"github.com/boltseal/boltseal"
)

// DB is an advisory database. It is immutable and safe for concurrent use.
type DB struct {
	file    []byte
	release func() error
	sec     [numSections][]byte
	meta    meta
	schemes []schemeBounds
	ecos    []ecoRange

	names, keys, bounds, ids, strings, titles strtab

	modular int // extra of rows about modular RPMs; see row.extra

	sums    sync.Once
	sumsErr error
}

// Open maps a database file into memory. It checks the header, the section
// table and the sizes of all tables, which takes well under a millisecond
// whatever the size; the contents are checked by [DB.Verify]. The file may be
// replaced by rename while it is open: the old contents live until Close.
func Open(path string) (*DB, error) {
	b, release, err := mapFile(path)
	if err != nil {
		return nil, fmt.Errorf("open advisory database: %w", err)
	}
	db, err := load(b)
	if err != nil {
		release()
		return nil, &boltseal.Error{Op: "open advisory database", Location: boltseal.Location{Path: path}, Err: err}
	}
	db.release = release
	return db, nil
}

// Load uses a database that is in memory already. The bytes must not change
// while it is in use.
func Load(b []byte) (*DB, error) {
	db, err := load(b)
	if err != nil {
		return nil, fmt.Errorf("load advisory database: %w", err)
	}
	return db, nil
}

// Close releases the mapping. Nothing of db may be in use or be used again.
func (db *DB) Close() error {
	if db.release == nil {
		return nil
	}
	r := db.release
	db.release = nil
	// What is used all the same finds nothing, rather than memory that is gone.
	db.file, db.sec = nil, [numSections][]byte{}
	for _, t := range []*strtab{&db.names, &db.keys, &db.bounds, &db.ids, &db.strings, &db.titles} {
		*t = strtab{}
	}
	return r()
}

// Info describes the database: generation, dates, and each source with its
// licence.
func (db *DB) Info() *boltseal.ReportAdvisories {
	m := &db.meta
	out := &boltseal.ReportAdvisories{Generation: m.Generation, Built: unixTime(m.Built), Newest: unixTime(m.Newest), Advisories: m.Advisories}
	for _, s := range m.Sources {
		out.Sources = append(out.Sources, boltseal.ReportSource{Name: s.Name, Advisories: s.Advisories, Newest: unixTime(s.Newest), License: s.License})
	}
	return out
}

// Generation identifies the contents: equal generations give equal answers.
func (db *DB) Generation() string { return db.meta.Generation }

// Size is the length of the database in bytes.
func (db *DB) Size() int64 { return int64(len(db.file)) }

// Ecosystem is what the database holds of one OSV ecosystem.
type Ecosystem struct {
	Name     string
	Ordering string // of its versions; see package vuln/version
	Packages int
	Rows     int       // (advisory, package) pairs
	Newest   time.Time // of its advisories
}

// Ecosystems lists what the database holds, by name.
func (db *DB) Ecosystems() []Ecosystem {
	out := make([]Ecosystem, len(db.meta.Ecosystems))
	for i, e := range db.meta.Ecosystems {
		out[i] = Ecosystem{Name: e.Name, Ordering: db.schemes[e.Scheme].name, Packages: e.Packages, Rows: e.Rows}
		if t := unixTime(e.Newest); t != nil {
			out[i].Newest = *t
		}
	}
	return out
}

func unixTime(s int64) *time.Time {
	if s == 0 {
		return nil
	}
	t := time.Unix(s, 0).UTC()
	return &t
}

// intact compares the checksums of all sections, once.
func (db *DB) intact() error {
	db.sums.Do(func() { db.sumsErr = db.checkSums() })
	return db.sumsErr
}
