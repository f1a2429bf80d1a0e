package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/wait"
)

func (s *Source) check() error {
	if s.Client == nil {
		return fmt.Errorf("source: %w: no client", boltseal.ErrMalformed)
	}
	for _, r := range s.Repositories {
		if _, err := path.Match(r, ""); err != nil {
			return fmt.Errorf("repositories %q: %w: %w", r, boltseal.ErrMalformed, err)
		}
		if !isPattern(r) {
			if err := checkRepo(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func isPattern(s string) bool { return strings.ContainsAny(s, `*?[\`) }

// has reports whether a repository belongs to the source.
func (s *Source) has(repo string) bool {
	return len(s.Repositories) == 0 || slices.ContainsFunc(s.Repositories, func(pattern string) bool {
		ok, _ := path.Match(pattern, repo) // checked before
		return ok
	})
}

// repositories returns those of a source, and whether they are all there are.
func (s *Source) repositories(ctx context.Context) (repos []string, complete bool, err error) {
	listed := len(s.Repositories) == 0
	for _, r := range s.Repositories {
		if isPattern(r) {
			listed = true
		} else {
			repos = append(repos, r)
		}
	}
	if !listed {
		return repos, true, nil
	}
	for repo, err := range s.Client.Repositories(ctx) {
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			return repos, false, fmt.Errorf("%w: name the repositories to watch", err)
		case err != nil:
			return repos, false, err
		case s.has(repo) && !slices.Contains(s.Repositories, repo):
			repos = append(repos, repo)
		}
	}
	return repos, true, nil
}

// sweep is one round over the sources, or over what the hints name.
type sweep struct {
	*Monitor
	lookups, workers *semaphore.Weighted

	mu    sync.Mutex
	round Round
}

// sweep looks at all sources, or only at what the hints name.
func (m *Monitor) sweep(ctx context.Context, only map[hint]bool) (Round, error) {
	s := &sweep{Monitor: m, lookups: semaphore.NewWeighted(int64(m.Lookups)), workers: semaphore.NewWeighted(int64(m.Workers))}
	g, gctx := errgroup.WithContext(ctx)
	for i := range m.Sources {
		g.Go(func() error { return s.source(gctx, &m.Sources[i], only) })
	}
	err := g.Wait()
	return s.round, err
}

func (s *sweep) note(change func(*Round)) {
	s.mu.Lock()
	change(&s.round)
	s.mu.Unlock()
}

// problem notes what a registry does wrong. The context's end is nobody's fault.
func (s *sweep) problem(ctx context.Context, err error) {
	if ctx.Err() == nil {
		s.note(func(r *Round) {
			if len(r.Errors) < 1000 {
				r.Errors = append(r.Errors, err)
			}
		})
	}
}

func (s *sweep) source(ctx context.Context, src *Source, only map[hint]bool) error {
	host := src.Client.Host()
	var repos []string
	if only != nil {
		for h := range only {
			if h.host == host && src.has(h.repo) {
				repos = append(repos, h.repo)
			}
		}
		slices.Sort(repos)
	} else {
		var complete bool
		var err error
		repos, complete, err = src.repositories(ctx)
		if err != nil {
			s.problem(ctx, err)
		}
		if err := s.store.reachable(host, err, time.Now()); err != nil {
			return err
		}
		if complete {
			if err := s.vanished(src, repos); err != nil {
				return err
			}
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(s.Lookups)
	for _, repo := range repos {
		g.Go(func() error { return s.repository(gctx, src.Client, repo) })
	}
	return g.Wait()
}

// vanished applies an empty listing to the repositories that a complete catalog
// no longer has.
func (s *sweep) vanished(src *Source, repos []string) error {
	has := make(map[string]bool, len(repos))
	for _, r := range repos {
		has[r] = true
	}
	prefix := src.Client.Host() + "/"
	known, err := s.store.repositories(prefix)
	if err != nil {
		return err
	}
	for _, k := range known {
		if repo := strings.TrimPrefix(k, prefix); src.has(repo) && !has[repo] {
			n, err := s.store.Apply(Listing{Repository: k, Complete: true, At: time.Now()})
			if err != nil {
				return err
			}
			s.note(func(r *Round) { r.Events += n })
		}
	}
	return nil
}

// repository looks at the tags of one repository. Its error is the store's.
func (s *sweep) repository(ctx context.Context, c Client, repo string) error {
	name := c.Host() + "/" + repo
	l := Listing{Repository: name, Tags: map[string]Listed{}, Complete: true, At: time.Now()}
	var tags []string
	if err := s.lookups.Acquire(ctx, 1); err != nil {
		return err
	}
	for tag, err := range c.Tags(ctx, repo) {
		switch {
		case err == nil:
			tags = append(tags, tag)
		case errors.Is(err, fs.ErrNotExist) && len(tags) == 0: // the repository is gone: an empty list, and complete
		default:
			l.Complete = false
			s.problem(ctx, err)
		}
	}
	s.lookups.Release(1)
	s.Observer.listed(name, len(tags))
	var mu sync.Mutex
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(s.Lookups)
	for _, tag := range tags {
		g.Go(func() error {
			listed, ok, err := s.tag(gctx, c, repo, tag)
			s.Observer.looked(name)
			mu.Lock()
			defer mu.Unlock()
			if ok {
				l.Tags[tag] = listed
			} else {
				l.Complete = false // not known is not gone
			}
			return err
		})
	}
	if err := errors.Join(g.Wait(), ctx.Err()); err != nil {
		return err
	}
	n, err := s.store.Apply(l)
	if err != nil {
		return err
	}
	s.note(func(r *Round) { r.Repositories++; r.Tags += len(tags); r.Events += n })
	if n > 0 {
		poke(s.news)
	}
	return nil
}

// tag tells where a tag leads, and has what it leads to in the store. The error
// is the store's.
func (s *sweep) tag(ctx context.Context, c Client, repo, tag string) (l Listed, ok bool, err error) {
	if err := s.lookups.Acquire(ctx, 1); err != nil {
		return l, false, err
	}
	d, err := c.Resolve(ctx, repo, tag)
	s.lookups.Release(1)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) { // else it went since the list was made
			s.problem(ctx, err)
		}
		return l, false, nil
	}
	children, err := s.children(ctx, c, repo, d.Digest)
	if err != nil {
		return l, false, err
	}
	return Listed{Digest: d.Digest, Images: children}, true, nil
}

// children returns the images that a manifest leads to, analysed. What is known
// needs no request.
func (s *sweep) children(ctx context.Context, c Client, repo string, d digest.Digest) ([]digest.Digest, error) {
	known, ok, err := s.store.manifest(d)
	if err != nil {
		return nil, err
	}
	if !ok {
		if err := s.lookups.Acquire(ctx, 1); err != nil {
			return nil, err
		}
		m, err := c.Manifest(ctx, repo, d.String())
		s.lookups.Release(1)
		if err != nil {
			s.problem(ctx, err)
			return nil, nil
		}
		known = runnable(m)
		if err := s.store.putManifest(d, known); err != nil {
			return nil, err
		}
	}
	for _, child := range known {
		if err := s.analyse(ctx, c.Host()+"/"+repo+"@"+child.String(), child); err != nil {
			return nil, err
		}
	}
	return known, nil
}

// runnable returns what a manifest holds that can be run: itself, or an index's
// images. Attestations, which builders list beside them for a platform called
// unknown, signatures and other artifacts are not.
func runnable(m *Manifest) (list []digest.Digest) {
	switch {
	case !m.IsIndex() && !m.IsArtifact():
		return []digest.Digest{m.Digest}
	case m.IsIndex():
		for _, d := range m.Manifests {
			if p := d.Platform; p != nil && (p.OS == "unknown" || p.Architecture == "unknown") {
				continue
			}
			if (d.MediaType == v1.MediaTypeImageManifest || d.MediaType == dockerManifest) && d.ArtifactType == "" {
				list = append(list, d.Digest)
			}
		}
	}
	return list
}

// analysis is one that is under way.
type analysis struct {
	done chan struct{}
	err  error
}

// analyse has an image in the store. Whoever asks while it is being analysed
// waits for it. The error is the store's: an image that cannot be analysed is an
// event, and stands in nobody's way.
func (s *sweep) analyse(ctx context.Context, ref string, d digest.Digest) error {
	if has, err := s.store.Has(d); has || err != nil {
		return err
	}
	m := s.Monitor
	m.mu.Lock()
	a := m.working[d.String()]
	if a != nil {
		m.mu.Unlock()
		select {
		case <-a.done:
			return a.err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	a = &analysis{done: make(chan struct{})}
	m.working[d.String()] = a
	m.mu.Unlock()
	a.err = s.index(ctx, ref, d)
	m.mu.Lock()
	delete(m.working, d.String())
	m.mu.Unlock()
	close(a.done)
	return a.err
}

const maxTries = 3 // of an image that cannot be analysed

func (s *sweep) index(ctx context.Context, ref string, d digest.Digest) error {
	if has, err := s.store.Has(d); has || err != nil { // since we asked
		return err
	}
	if tries, err := s.store.failures(d); err != nil || tries >= maxTries {
		return err
	}
	if err := s.workers.Acquire(ctx, 1); err != nil {
		return err
	}
	start := time.Now()
	inv, err := s.read(ctx, ref)
	s.workers.Release(1)
	s.Observer.analysed(ref, time.Since(start), err)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.problem(ctx, fmt.Errorf("analyse %s: %w", ref, err))
		s.note(func(r *Round) { r.Failed++ })
		if passing(err) {
			return nil // the next round tries again, as often as it takes
		}
		return s.store.fail(d, ref, err, time.Now())
	}
	for {
		added, err := s.store.Put(d, inv, s.current())
		if errors.Is(err, errGeneration) { // the advisories were renewed meanwhile
			if err := s.evaluate(ctx); err != nil {
				return err
			}
			if wait.For(ctx, time.Millisecond) != nil {
				return ctx.Err()
			}
			continue
		}
		if err == nil && added {
			s.note(func(r *Round) { r.Analysed++ })
		}
		return err
	}
}

// read calls the indexer, which may hang or panic without taking the monitor
// with it.
func (s *sweep) read(ctx context.Context, ref string) (Inventory, error) {
	ctx, cancel := context.WithTimeout(ctx, s.ImageTime)
	defer cancel()
	return wait.Call(ctx, "the indexer", func(ctx context.Context) (Inventory, error) { return s.Indexer.Index(ctx, ref) })
}
