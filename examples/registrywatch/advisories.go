package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/registry"
	"github.com/boltseal/boltseal/vuln"
)

// matcher is a database as registry.Matcher asks it.
type matcher struct {
	*vuln.DB
	since   string // generation that changed is counted from
	changed []string
}

func (m *matcher) Match(p *boltseal.Package) []boltseal.Finding { return m.Findings(p) }

// Changed implements registry.Matcher.
func (m *matcher) Changed(since string) iter.Seq[string] {
	if since != m.since || since == "" {
		return nil
	}
	return slices.Values(m.changed)
}

// advisories are a database that may be replaced while it is in use.
type advisories struct {
	path string

	mu      sync.Mutex
	seen    string // what it looked like when it was read last
	next    time.Time
	current *matcher
}

// get returns the database, read again if the file or directory changed. One
// that cannot be read is an error once, and those in use stay.
func (a *advisories) get(ctx context.Context) (registry.Matcher, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.current != nil && time.Now().Before(a.next) {
		return a.current, nil
	}
	looks, dir, err := look(a.path)
	if a.next = time.Now(); dir {
		a.next = a.next.Add(10 * time.Second) // it may hold many files
	}
	if a.current != nil && (err != nil && a.seen == err.Error() || err == nil && a.seen == looks) {
		return a.current, nil
	}
	if err != nil {
		a.seen = err.Error()
		return nil, fmt.Errorf("advisory database: %w; imagescan db build makes one", err)
	}
	a.seen = looks
	db, err := read(ctx, a.path, dir)
	if err != nil {
		return nil, err
	}
	m := &matcher{DB: db}
	if old := a.current; old != nil {
		if old.Generation() == db.Generation() {
			return old, nil
		}
		m.since, m.changed = old.Generation(), slices.Collect(db.Changed(old.DB))
	}
	a.current = m
	return m, nil
}

// info describes the database in use; nil before there is one. It may be called
// on nil.
func (a *advisories) info() *boltseal.ReportAdvisories {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.current == nil {
		return nil
	}
	return a.current.Info()
}

// unjudged says what of an image's packages the database in use cannot judge: those
// of a distribution release that it holds nothing of, say.
func (a *advisories) unjudged(packages []boltseal.Package) string {
	a.mu.Lock()
	m := a.current
	a.mu.Unlock()
	if m == nil {
		return "there were no advisories"
	}
	var distro *boltseal.Distro
	for i := range packages {
		if distro = packages[i].Distro; distro != nil {
			break
		}
	}
	for _, c := range m.Coverage(time.Now(), distro, packages) {
		if c.Verdict == boltseal.VerdictUnknown {
			return c.Title + ": " + c.Reason
		}
	}
	return ""
}

// look tells whether a file, or any in a directory, may have changed.
func look(path string) (looks string, dir bool, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", false, err
	}
	if !info.IsDir() {
		return fmt.Sprint(info.Size(), info.ModTime().UnixNano()), false, nil
	}
	files, size, newest := 0, int64(0), time.Time{}
	err = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		files++
		size += info.Size()
		if info.ModTime().After(newest) {
			newest = info.ModTime()
		}
		return nil
	})
	return fmt.Sprint(files, size, newest.UnixNano()), true, err
}

// read reads a database into memory, all of it: one that is overwritten in place
// then harms nobody, and one that is half written is refused.
func read(ctx context.Context, path string, dir bool) (*vuln.DB, error) {
	var raw []byte
	var err error
	if dir {
		raw, _, err = vuln.Encode(ctx, []fs.FS{os.DirFS(path)}, nil)
	} else {
		raw, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, err
	}
	db, err := vuln.Load(raw)
	if err == nil {
		err = db.Verify()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w; build it again with imagescan db build", path, err)
	}
	return db, nil
}
