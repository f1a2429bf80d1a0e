package vuln

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/boltseal/boltseal"
)

// BuildOptions are the options of [Build] and [Encode].
type BuildOptions struct {
	// Time is noted as the time of building; later dates of advisories are not
	// believed. Zero leaves it out; the bytes then depend on the sources alone,
	// and advisories count as old as their publication.
	Time time.Time
	// KEV is CISA's catalogue of exploited vulnerabilities (JSON), EPSS the
	// daily list of FIRST (CSV); either may be gzipped. Nil leaves them out.
	KEV, EPSS io.Reader
	// NoTitles leaves the titles out, so that the database holds facts alone.
	NoTitles bool
	// Only, if set, says which advisories to keep by ID and source.
	Only func(id, source string, derived bool) bool
	// Workers decode advisories. Default: one per processor.
	Workers int
}

// Stats is how a build went.
type Stats struct {
	Generation string
	Advisories int   // distinct, withdrawn ones included
	Rows       int   // (advisory, package) pairs that can match
	Packages   int   // (ecosystem, name) pairs
	Ecosystems int   //
	Ignored    int   // affected entries without a listed version or a range whose bounds can be ordered
	Bytes      int64 // of the database file
	// Skipped lists what could not be read. The database is without it.
	Skipped []boltseal.Skip
}

// Build reads every OSV document of the sources and writes a database to path:
// to a temporary file beside it, synced and renamed, so that a reader sees the
// old file or the new one. A source is laid out as the public bulk export, with
// zip files of JSON documents or loose ones; [Fetch] makes one from a URL. A
// document that occurs twice counts once, in its newest form. Documents that
// are malformed or too large are skipped and listed in the result.
func Build(ctx context.Context, path string, sources []fs.FS, o *BuildOptions) (Stats, error) {
	db, stats, err := Encode(ctx, sources, o)
	if err != nil {
		return stats, err
	}
	if err := publish(path, db); err != nil {
		return stats, fmt.Errorf("build advisory database: %w", err)
	}
	return stats, nil
}

// Encode is [Build] into memory.
func Encode(ctx context.Context, sources []fs.FS, o *BuildOptions) ([]byte, Stats, error) {
	if o == nil {
		o = &BuildOptions{}
	}
	b := &builder{opts: o}
	if err := b.read(ctx, sources); err != nil {
		return nil, b.stats, fmt.Errorf("build advisory database: %w", err)
	}
	if len(b.advs) == 0 {
		return nil, b.stats, fmt.Errorf("build advisory database: %w: no OSV document in the sources; want <Ecosystem>/all.zip or .json files", fs.ErrNotExist)
	}
	file, err := b.encode()
	if err != nil {
		return nil, b.stats, fmt.Errorf("build advisory database: %w", err)
	}
	b.stats.Bytes = int64(len(file))
	return file, b.stats, nil
}

// replace writes a file in one step: a reader sees the old content or all of the
// new, and on error the old file stays and no other is left behind.
func replace(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".boltseal-*")
	if err != nil {
		return err
	}
	if err = write(f); err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// publish is [replace] with data that is in memory.
func publish(path string, data []byte) error {
	return replace(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// builder gathers advisories and writes them.
type builder struct {
	opts  *BuildOptions
	stats Stats
	advs  []*draft
}

// draft is an advisory as read, reduced to what is stored.
type draft struct {
	id                         string
	where                      string // source and path, for a stable choice between copies
	aliases, upstream, related []string
	source                     string
	modified                   time.Time
	published, withdrawn       time.Time
	flags                      advFlags
	ratings, modules           []string
	rows                       []draftRow
	ignored                    int
	title                      string
}

type draftRow struct {
	ecosystem, name string
	ranges          [][]draftEvent
	versions        []string
	extra           string
}

type draftEvent struct {
	kind    eventKind
	version string
}

// read fills b.advs, sorted by ID.
func (b *builder) read(ctx context.Context, sources []fs.FS) error {
	workers := b.opts.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var mu sync.Mutex
	skip := func(s boltseal.Skip) {
		mu.Lock()
		b.stats.Skipped = append(b.stats.Skipped, s)
		mu.Unlock()
	}
	g, ctx := errgroup.WithContext(ctx)
	const batch = 64
	docs := make(chan []document, 2*workers)
	g.Go(func() error {
		defer close(docs)
		pending := make([]document, 0, batch)
		send := func() error {
			select {
			case docs <- pending:
				pending = make([]document, 0, batch)
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		for i, src := range sources {
			err := walk(ctx, src, func(d document) error {
				d.path = fmt.Sprintf("%d/%s", i, d.path)
				if pending = append(pending, d); len(pending) < batch {
					return nil
				}
				return send()
			}, skip)
			if err != nil {
				return err
			}
		}
		return send()
	})
	for range workers {
		g.Go(func() error {
			var found []*draft
			for list := range docs {
				for _, doc := range list {
					r, err := parseRecord(doc.data)
					if err != nil {
						_, name, _ := strings.Cut(doc.path, "/")
						skip(boltseal.Skip{Path: name, Reason: err.Error()})
						continue
					}
					d := reduce(r)
					d.where = doc.path
					if b.opts.Only == nil || b.opts.Only(d.id, d.source, d.flags&advDerived != 0) {
						found = append(found, d)
					}
				}
			}
			mu.Lock()
			b.advs = append(b.advs, found...)
			mu.Unlock()
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	slices.SortFunc(b.stats.Skipped, func(a, c boltseal.Skip) int { return strings.Compare(a.Path+a.Reason, c.Path+c.Reason) })
	slices.SortFunc(b.advs, func(a, c *draft) int {
		if n := strings.Compare(a.id, c.id); n != 0 {
			return n
		}
		if n := c.modified.Compare(a.modified); n != 0 {
			return n
		}
		return strings.Compare(a.where, c.where)
	})
	b.advs = slices.CompactFunc(b.advs, func(a, c *draft) bool { return a.id == c.id })
	return nil
}
