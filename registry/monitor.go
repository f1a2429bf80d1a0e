package registry

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/wait"
)

// Indexer tells what an image holds. It is called from several goroutines, once
// per digest.
type Indexer interface {
	// Index reads an image of one platform, named host/repository@digest. An
	// error is tried again in later rounds, three times in all; one that is the
	// registry's or the network's (a [ThrottleError], an answer of 500 and more, a
	// connection that fails) as often as it takes.
	Index(ctx context.Context, ref string) (Inventory, error)
}

// IndexerFunc is a function as an [Indexer].
type IndexerFunc func(ctx context.Context, ref string) (Inventory, error)

// Index implements [Indexer].
func (f IndexerFunc) Index(ctx context.Context, ref string) (Inventory, error) { return f(ctx, ref) }

// Source is a registry to watch, or a part of one.
type Source struct {
	Client Client
	// Repositories are names, or patterns as of [path.Match] in which * does not
	// match a slash. Names alone need no catalog. Empty means all that the
	// catalog lists.
	Repositories []string
}

// MonitorOptions are the settings of [NewMonitor].
type MonitorOptions struct {
	Sources []Source
	Indexer Indexer
	// Advisories returns the advisories to go by. It is called every second or
	// so, and cheap while they are the same: a comparison of generations. An
	// error leaves those in use that were.
	Advisories func(ctx context.Context) (Matcher, error)
	// Interval is the time between two sweeps over all sources, more or less a
	// tenth; 0 means 15 minutes. What [Monitor.Hint] names is looked at before.
	Interval time.Duration
	// Workers is how many images are analysed at once; 0 means 2.
	Workers int
	// Lookups is how many requests a sweep has under way; 0 means 16.
	Lookups int
	// ImageTime bounds the analysis of one image; 0 means 10 minutes.
	ImageTime time.Duration
	// Retention is how long an image that nothing leads to any more is
	// remembered; 0 means 30 days. It needs no analysis if it returns.
	Retention time.Duration
	// Log gets what an operator may want to see; nil discards.
	Log *slog.Logger
	// Observer, if set, is told what the monitor does.
	Observer *Observer
}

// Monitor keeps a store in step with registries and advisories. What should be
// is what the registries list now; whatever was missed, wrong or lost before,
// the next sweep mends.
type Monitor struct {
	MonitorOptions
	store *Store

	mu      sync.Mutex
	hints   map[hint]bool
	matcher Matcher
	working map[string]*analysis // by digest

	wake chan struct{} // a hint arrived
	news chan struct{} // events may have
}

type hint struct{ host, repo string }

// NewMonitor returns a Monitor. It does nothing until asked to.
func NewMonitor(store *Store, o MonitorOptions) (*Monitor, error) {
	if o.Indexer == nil || o.Advisories == nil || len(o.Sources) == 0 {
		return nil, fmt.Errorf("monitor: %w: it needs sources, an indexer and advisories", boltseal.ErrMalformed)
	}
	for _, s := range o.Sources {
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("monitor: %w", err)
		}
	}
	def := func(n *int, d int) {
		if *n <= 0 {
			*n = d
		}
	}
	def(&o.Workers, 2)
	def(&o.Lookups, 16)
	for _, d := range []struct {
		of *time.Duration
		is time.Duration
	}{{&o.Interval, 15 * time.Minute}, {&o.ImageTime, 10 * time.Minute}, {&o.Retention, 30 * 24 * time.Hour}} {
		if *d.of <= 0 {
			*d.of = d.is
		}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Monitor{MonitorOptions: o, store: store, hints: map[hint]bool{}, working: map[string]*analysis{}, wake: make(chan struct{}, 1), news: make(chan struct{}, 1)}, nil
}

// Hint says that a repository may have changed: it is looked at soon. A hint
// that is lost costs nothing but time. Those of hosts that are no source are
// dropped, and so are those beyond ten thousand.
func (m *Monitor) Hint(host, repo string) {
	if checkRepo(repo) != nil {
		return
	}
	m.mu.Lock()
	if len(m.hints) < 10_000 {
		m.hints[hint{host, repo}] = true
	}
	m.mu.Unlock()
	poke(m.wake)
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Round is what one look at the registries came to.
type Round struct {
	Repositories, Tags int
	Analysed, Failed   int // images
	Events             int
	// Errors are what could not be looked at. What belongs to it stays as it was.
	Errors []error
	Took   time.Duration
}

// Reconcile evaluates the advisories and sweeps all sources once. The error is
// the store's, or the context's; what a registry does wrong is in [Round.Errors].
func (m *Monitor) Reconcile(ctx context.Context) (Round, error) {
	start := time.Now()
	if err := m.evaluate(ctx); err != nil {
		return Round{}, err
	}
	r, err := m.sweep(ctx, nil)
	if err == nil {
		err = m.tidy(ctx)
	}
	r.Took = time.Since(start)
	m.Observer.swept(r, true)
	return r, err
}

// evaluate brings the store to the current advisories.
func (m *Monitor) evaluate(ctx context.Context) error {
	next, err := m.Advisories(ctx)
	m.mu.Lock()
	have := m.matcher
	m.mu.Unlock()
	if err != nil {
		if have == nil {
			return fmt.Errorf("advisories: %w", err)
		}
		m.Log.WarnContext(ctx, "advisories not renewed; those in use stay", "generation", have.Generation(), "error", err)
		return nil
	}
	if have != nil && have.Generation() == next.Generation() {
		return nil
	}
	start := time.Now()
	e, err := m.store.Evaluate(ctx, next)
	if err != nil {
		return err
	}
	m.Observer.evaluated(e, time.Since(start))
	m.mu.Lock()
	m.matcher = next
	m.mu.Unlock()
	m.Log.InfoContext(ctx, "advisories", "generation", e.Generation, "packages", e.Components, "changed", e.Changed, "events", e.Events)
	poke(m.news)
	return nil
}

// tidy does what can wait.
func (m *Monitor) tidy(ctx context.Context) error {
	if _, err := m.store.Fold(ctx); err != nil {
		return err
	}
	n, err := m.store.Forget(time.Now().Add(-m.Retention))
	if n > 0 {
		m.Log.InfoContext(ctx, "images forgotten", "images", n)
	}
	return err
}

// Run watches until the context ends or the caller stops, and yields the events
// that the sink of the given name does not have, first those from before.
// An event counts as delivered when the caller asks for the next one; one that
// was under way when the process ended is yielded again. An error does not end
// the watch, unless the store fails: then it is the last.
func (m *Monitor) Run(ctx context.Context, sink string) iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		var work sync.WaitGroup
		defer work.Wait()
		defer stop()
		errs := make(chan error, 1)
		fail := func(err error) {
			if ctx.Err() != nil {
				return
			}
			select {
			case errs <- err:
			case <-ctx.Done():
			}
		}
		work.Go(func() { m.watchAdvisories(ctx, fail) })
		work.Go(func() { m.watchRegistries(ctx, fail) })
		for {
			if !m.deliver(ctx, sink, yield) {
				return
			}
			select {
			case <-m.news:
			case err := <-errs:
				if !yield(nil, err) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

// deliver yields what a sink does not have yet; false if that is the end.
func (m *Monitor) deliver(ctx context.Context, sink string, yield func(*Event, error) bool) bool {
	after, err := m.store.Cursor(sink)
	if err == nil {
		var e *Event
		for e, err = range m.store.Events(ctx, after) {
			if err != nil {
				break
			}
			if !yield(e, nil) {
				return false
			}
			if err = m.store.Confirm(sink, e.Sequence); err != nil {
				break
			}
		}
	}
	if err != nil && ctx.Err() == nil {
		yield(nil, err)
	}
	return err == nil
}

func (m *Monitor) watchAdvisories(ctx context.Context, fail func(error)) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := m.evaluate(ctx); err != nil {
			fail(err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// settle is for how long a hint is left alone: registries tell of a manifest
// before its tag is in the list, and of each of its blobs.
const settle = 500 * time.Millisecond

func (m *Monitor) watchRegistries(ctx context.Context, fail func(error)) {
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		var only map[hint]bool
		select {
		case <-ctx.Done():
			return
		case <-m.wake:
			if wait.For(ctx, settle) != nil {
				return
			}
			m.mu.Lock()
			only, m.hints = m.hints, map[hint]bool{}
			m.mu.Unlock()
		case <-next.C:
			tenth := int64(m.Interval / 10)
			next.Reset(m.Interval + time.Duration(rand.Int64N(2*tenth+1)-tenth))
		}
		if m.current() == nil { // no advisories yet: nothing can be added
			if err := m.evaluate(ctx); err != nil {
				fail(err)
				continue
			}
		}
		start := time.Now()
		r, err := m.sweep(ctx, only)
		if err == nil && only == nil {
			err = m.tidy(ctx)
		}
		r.Took = time.Since(start)
		if ctx.Err() == nil {
			m.Observer.swept(r, only == nil)
		}
		for _, e := range r.Errors {
			fail(e)
		}
		if err != nil {
			fail(err)
			continue
		}
		m.Log.InfoContext(ctx, "sweep", "repositories", r.Repositories, "tags", r.Tags, "analysed", r.Analysed, "failed", r.Failed, "events", r.Events)
		poke(m.news)
	}
}

func (m *Monitor) current() Matcher {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.matcher
}
