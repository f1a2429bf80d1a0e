package sbom

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
)

// rpm reads the database of the RPM package manager in each form that it has
// had: Berkeley DB until rpm 4.15, ndb (SUSE), SQLite since 4.16; and the list
// that images without a database carry instead. All are read in place through
// an io.ReaderAt, in work bounded by the size of the file.
type rpm struct{}

var _ boltseal.Joiner = rpm{}

// RPM returns the analyzer for packages installed by rpm: Type rpm.
func RPM() boltseal.FileAnalyzer { return rpm{} }

// rpmDirs are the places of the database: rpm's own, SUSE's and Fedora's, and
// that of ostree.
var rpmDirs = []string{"var/lib/rpm/", "usr/lib/sysimage/rpm/", "usr/share/rpm/"}

// rpmFiles are the names of the database, the newest form first.
var rpmFiles = []string{"rpmdb.sqlite", "Packages.db", "Packages"}

func (rpm) Info() boltseal.Info {
	return boltseal.Info{ID: "sbom/rpm", Version: 2, Doc: "packages installed by rpm"}
}

func (rpm) Wants(name string, _ fs.DirEntry) bool {
	for _, dir := range rpmDirs {
		if rest, ok := strings.CutPrefix(name, dir); ok {
			return slices.Contains(rpmFiles, rest) || rest == rpmFiles[0]+"-wal"
		}
	}
	return name == rpmManifest
}

func (rpm) AnalyzeFile(ctx context.Context, f *boltseal.File, p *boltseal.Pass) error {
	base := path.Base(f.Path)
	if strings.HasSuffix(base, "-wal") {
		return skipWAL(f, p)
	}
	if f.Path == rpmManifest {
		data, err := f.Bytes()
		if err != nil {
			return fmt.Errorf("read rpm's manifest: %w", err)
		}
		return readRPMManifest(ctx, data, p)
	}
	file, size, err := f.ReaderAt()
	if err != nil {
		return fmt.Errorf("read rpm's database: %w", err)
	}
	r := readerAtFunc(func(buf []byte, off int64) (int, error) {
		if err := ctx.Err(); err != nil { // a large file may hold no record for long
			return 0, err
		}
		return file.ReadAt(buf, off)
	})
	var records iter.Seq2[[]byte, error]
	switch base {
	case "rpmdb.sqlite":
		records = sqliteBlobs(r, size, "Packages")
	case "Packages.db":
		records = ndbBlobs(r, size)
	default:
		records = bdbBlobs(r, size)
	}
	return readRPMRecords(ctx, records, base, p)
}

// readRPMRecords reports a package for every header. A record that cannot be
// read costs itself; the error tells the first one's reason and their number.
func readRPMRecords(ctx context.Context, records iter.Seq2[[]byte, error], detail string, p *boltseal.Pass) error {
	evidence := []boltseal.Evidence{{Technique: boltseal.TechniqueManifest, Detail: "rpm database " + detail, Confidence: 1}}
	var first error
	bad := 0
	for blob, err := range records {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var pkg boltseal.Package
		if err == nil {
			pkg, err = readRPMPackage(blob)
		}
		if err != nil {
			if bad++; first == nil {
				first = err
			}
			if bad == maxBadRecords {
				break
			}
			continue
		}
		if pkg.Name == "gpg-pubkey" { // a key for signatures, kept as if it were a package
			continue
		}
		if err := room(p); err != nil {
			return err
		}
		pkg.Evidence = evidence
		p.Package(pkg)
	}
	if bad > 0 {
		return fmt.Errorf("read rpm's database: %d records lost, the first: %w", bad, first)
	}
	return nil
}

// skipWAL reports a write-ahead log that holds frames: its pages belong on top
// of the database's, which another layer may hold. rpm leaves none behind
// unless it is killed.
func skipWAL(f *boltseal.File, p *boltseal.Pass) error {
	head, err := f.Head(32)
	if err != nil {
		return fmt.Errorf("read SQLite log: %w", err)
	}
	if len(head) == 32 && binary.BigEndian.Uint32(head)&^1 == 0x377f0682 && f.Info.Size() > 32 {
		p.Skip("pages in this log of SQLite supersede those of rpmdb.sqlite and were not read: packages installed, updated or removed last may be listed as they were before; to have them read, run sqlite3 rpmdb.sqlite 'PRAGMA wal_checkpoint(TRUNCATE)' when building the image")
	}
	return nil
}

// Join gives the packages their distribution. Of several databases in one
// directory the newest form counts, as for rpm itself; a package that another
// directory or the manifest repeats is listed once.
func (r rpm) Join(_ context.Context, v boltseal.View, p *boltseal.Pass) error {
	linked(v, p, r, rpmManifest)
	for _, dir := range rpmDirs {
		for _, name := range rpmFiles {
			linked(v, p, r, dir+name)
		}
	}
	var rpms []*boltseal.Package
	best := make(map[string]int) // directory to index in rpmFiles
	for _, pkg := range v.Packages() {
		if pkg.Type != "rpm" || pkg.Name == "" || len(pkg.Locations) == 0 {
			continue
		}
		rpms = append(rpms, pkg)
		dir, form := rpmForm(pkg)
		if now, ok := best[dir]; !ok || form < now {
			best[dir] = form
		}
	}
	slices.SortStableFunc(rpms, func(a, b *boltseal.Package) int { // databases before the manifest
		_, x := rpmForm(a)
		_, y := rpmForm(b)
		return x - y
	})
	seen := make(map[[3]string]*boltseal.Package, len(rpms))
	stale := make(map[string]bool)
	for _, pkg := range rpms {
		dir, form := rpmForm(pkg)
		if form != best[dir] {
			stale[pkg.Locations[0].Path] = true
			pkg.Name = ""
			continue
		}
		key := [3]string{pkg.Name, pkg.Version, pkg.Arch}
		if other := seen[key]; other != nil && other.Locations[0].Path != pkg.Locations[0].Path {
			pkg.Name = ""
			continue
		}
		seen[key] = pkg
		nameAfter(pkg, v.Distro())
	}
	for name := range stale {
		p.Note(name + ": a newer form of the rpm database lies beside it and counts instead")
	}
	return nil
}

func rpmForm(pkg *boltseal.Package) (dir string, form int) {
	dir, base := path.Split(pkg.Locations[0].Path)
	if form = slices.Index(rpmFiles, base); form < 0 {
		form = len(rpmFiles)
	}
	return dir, form
}

// maxBadRecords is how many records are lost before the rest is given up.
const maxBadRecords = 1000

type readerAtFunc func(buf []byte, off int64) (int, error)

func (f readerAtFunc) ReadAt(buf []byte, off int64) (int, error) { return f(buf, off) }

// pageSet marks the pages that were read, so that none is read twice.
type pageSet []uint64

func newPageSet(pages int64) pageSet { return make(pageSet, (pages+63)/64) }

// add reports whether the page was new.
func (s pageSet) add(n uint32) bool {
	word, bit := n/64, uint64(1)<<(n%64)
	if int(word) >= len(s) || s[word]&bit != 0 {
		return false
	}
	s[word] |= bit
	return true
}

// readAt fills buf. A short file is malformed, not a failure to read.
func readAt(r io.ReaderAt, buf []byte, off int64) error {
	if n, err := r.ReadAt(buf, off); n < len(buf) {
		if err == nil || errors.Is(err, io.EOF) {
			return malformed("bytes %d to %d lie outside the file", off, off+int64(len(buf)))
		}
		return err
	}
	return nil
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{boltseal.ErrMalformed}, args...)...)
}

// failed is a sequence of one error.
func failed(err error) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) { yield(nil, err) }
}
