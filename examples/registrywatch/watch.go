package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/internal/report"
	"github.com/boltseal/boltseal/registry"
	"github.com/boltseal/boltseal/registry/jetstream"
)

// watchOptions are the flags of registrywatch run.
type watchOptions struct {
	nats                        *natsOptions
	registries, repos, plain    []string
	db, store, cache, team      string
	interval                    time.Duration
	workers                     int
	once, quiet                 bool
	events, webhook, listen     string
	allow                       []netip.Prefix
	webhookSecrets, hintsSecret string
}

func list(to *[]string) func(string) error {
	return func(s string) error {
		for _, x := range strings.Split(s, ",") {
			if x = strings.TrimSpace(x); x == "" {
				return errors.New("an empty name")
			}
			*to = append(*to, x)
		}
		return nil
	}
}

// runWatch is registrywatch run.
func runWatch(ctx context.Context, args []string, c *cli.Console) int {
	o := &watchOptions{webhookSecrets: c.Env("REGISTRYWATCH_WEBHOOK_SECRET"), hintsSecret: c.Env("REGISTRYWATCH_HINT_SECRET")}
	fset := cli.NewFlagSet("run")
	o.nats = natsFlags(fset, c)
	fset.IntVar(&o.nats.replicas, "nats-replicas", 0, "")
	fset.Func("registry", "", list(&o.registries))
	fset.Func("repos", "", list(&o.repos))
	fset.Func("plain-http", "", list(&o.plain))
	fset.StringVar(&o.db, "db", "", "")
	fset.StringVar(&o.store, "store", "", "")
	fset.StringVar(&o.cache, "cache", "", "")
	fset.StringVar(&o.team, "team", teamLabel, "")
	fset.DurationVar(&o.interval, "interval", 15*time.Minute, "")
	fset.IntVar(&o.workers, "workers", 0, "")
	fset.BoolVar(&o.once, "once", false, "")
	fset.BoolVar(&o.quiet, "q", false, "")
	fset.StringVar(&o.events, "events", "", "")
	fset.StringVar(&o.webhook, "webhook", "", "")
	fset.StringVar(&o.listen, "listen", "", "")
	fset.Func("webhook-allow", "", func(s string) error {
		for _, x := range strings.Split(s, ",") {
			p, err := netip.ParsePrefix(x)
			if err != nil {
				return errors.New("want networks as 10.0.0.0/8")
			}
			o.allow = append(o.allow, p)
		}
		return nil
	})
	if status, ok := parse(c, fset, args); !ok {
		return status
	}
	switch {
	case len(o.registries) == 0:
		return c.Usage(errors.New("say what to watch with -registry HOST"), usage)
	case o.db == "":
		return c.Usage(errors.New("say where the advisories are with -db FILE; imagescan db build makes one"), usage)
	case o.store == "":
		return c.Usage(errors.New("say where to remember all with -store FILE"), usage)
	case o.interval < time.Second || o.workers < 0:
		return c.Usage(errors.New("-interval is at least 1s, -workers at least 1"), usage)
	}
	if err := o.nats.check(); err != nil {
		return c.Usage(err, usage)
	}
	if o.workers == 0 {
		o.workers = 2
		if o.nats.url != "" {
			o.workers = 64 // they only wait
		}
	}
	if err := o.watch(ctx, c); err != nil && (ctx.Err() == nil || !errors.Is(err, context.Canceled)) {
		return c.Fail(err)
	}
	return cli.ExitOK
}

// watch watches at once, or with a queue when it is this process's turn.
func (o *watchOptions) watch(ctx context.Context, c *cli.Console) error {
	log := logger(c, c.Err, o.quiet)
	var bar *progress
	if !o.quiet {
		if bar = newProgress(c.Err); bar != nil {
			log = logger(c, bar, false) // above the bar
		}
	}
	front := &door{}
	if o.listen != "" {
		end, err := serve(o.listen, guarded(front), log)
		if err != nil {
			return err
		}
		defer end()
	}
	var q *jetstream.Queue
	lead := func(ctx context.Context) error {
		w, err := newWatch(ctx, o, c, q, log, bar)
		if err != nil {
			return err
		}
		return errors.Join(w.run(ctx, front), w.close())
	}
	if o.nats.url == "" {
		return lead(ctx)
	}
	q, err := o.nats.connect(ctx, log)
	if err != nil {
		return err
	}
	defer q.Close()
	err = q.Lead(ctx, leaseName(o.registries, o.repos), identity(), leaseTime, func(ctx context.Context) error {
		err := lead(ctx)
		if err == nil && o.once {
			return errOnce
		}
		return err
	})
	if errors.Is(err, errOnce) {
		return nil
	}
	return err
}

var errOnce = errors.New("looked once")

// watch is a monitor with all that belongs to it.
type watch struct {
	*watchOptions
	store    *registry.Store
	queue    *jetstream.Queue // nil: this process analyses by itself
	monitor  *registry.Monitor
	fleet    *fleet
	metrics  *metrics
	progress *progress
	log      *slog.Logger
	lines    *registry.Lines
	hook     *registry.Webhook
	remotes  []*registry.Remote
}

func newWatch(ctx context.Context, o *watchOptions, c *cli.Console, q *jetstream.Queue, log *slog.Logger, bar *progress) (w *watch, err error) {
	w = &watch{watchOptions: o, log: log, progress: bar, queue: q}
	patience := 2 * time.Second
	if q != nil { // its leader of before may be ending
		patience = leaseTime
	}
	if w.store, err = openStore(ctx, o.store, true, patience); err != nil {
		return nil, err
	}
	defer func(w *watch) {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}(w)
	w.fleet = &fleet{name: strings.Join(o.registries, ", "), store: w.store, advisories: &advisories{path: o.db}, queue: q, interval: o.interval, started: time.Now()}
	w.metrics = newMetrics(w.fleet)
	var sources []registry.Source
	for _, host := range o.registries {
		r, err := registry.Open(host, &registry.Options{Keychain: authn.DefaultKeychain, PlainHTTP: o.plain, Observe: w.metrics.exchange})
		if err != nil {
			return nil, err
		}
		w.remotes = append(w.remotes, r)
		sources = append(sources, registry.Source{Client: r, Repositories: o.repos})
	}
	ix, imageTime, err := w.indexer()
	if err != nil {
		return nil, err
	}
	w.monitor, err = registry.NewMonitor(w.store, registry.MonitorOptions{
		Sources: sources, Indexer: judged{ix, w.fleet.advisories}, Advisories: w.fleet.advisories.get,
		Interval: o.interval, Workers: o.workers, ImageTime: imageTime, Log: w.log, Observer: w.observer(),
	})
	if err != nil {
		return nil, err
	}
	if o.webhook != "" {
		w.hook, err = registry.NewWebhook(o.webhook, &registry.WebhookOptions{Secrets: strings.Fields(o.webhookSecrets), Source: "boltseal/registrywatch", Allow: o.allow,
			Failed: func(m *registry.Message, try int, next time.Duration, err error) {
				w.metrics.retries.Inc()
				w.log.Warn("webhook failed", "event", m.ID, "try", try, "again", next.Round(time.Millisecond), "error", err)
			}})
		if err != nil {
			return nil, err
		}
	}
	switch o.events {
	case "":
	case "-":
		w.lines = registry.NewLines(report.JSON(c.Out))
	default:
		w.lines, err = registry.OpenLines(o.events)
	}
	return w, err
}

// indexer returns who analyses images, and how long that may take: with a queue
// there may be a long wait before, and the workers have their own deadline.
func (w *watch) indexer() (registry.Indexer, time.Duration, error) {
	if w.queue != nil {
		return w.queue, 24 * time.Hour, nil
	}
	ix, err := newIndexer(w.cache, w.team, w.plain, w.registries)
	return ix, 0, err
}

func (w *watch) observer() *registry.Observer {
	return &registry.Observer{
		Listed: func(_ string, tags int) { w.progress.listed(tags) },
		Looked: func(string) { w.progress.looked() },
		Analysed: func(_ string, took time.Duration, err error) {
			w.metrics.scans.Observe(took.Seconds())
			if err != nil {
				w.metrics.failures.Inc()
			}
		},
		Swept: func(r registry.Round, full bool) {
			w.progress.swept()
			if full {
				w.metrics.sweep.Set(r.Took.Seconds())
			}
			w.fleet.swept(r, full)
		},
		Evaluated: func(_ registry.Evaluation, took time.Duration) { w.metrics.evaluated.Set(took.Seconds()) },
	}
}

func (w *watch) close() error {
	var err error
	if w.lines != nil {
		err = w.lines.Close()
	}
	for _, r := range w.remotes {
		err = errors.Join(err, r.Close())
	}
	return errors.Join(err, w.store.Close())
}

// run watches until the context ends, or once.
func (w *watch) run(ctx context.Context, front *door) error {
	deliveries, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	sinks := map[string]chan error{} // that say why they ended
	deliver := func(name string, sink registry.Sink, o *registry.DeliverOptions) {
		ended := make(chan error, 1)
		sinks[name] = ended
		running.Go(func() {
			err := registry.Deliver(deliveries, w.store, name, sink, o)
			if err != nil {
				w.log.Error("events are no longer delivered", "sink", name, "error", err)
			}
			ended <- err
		})
	}
	if w.lines != nil {
		deliver("events", w.lines, nil)
	}
	if w.hook != nil {
		deliver("webhook", w.hook, &registry.DeliverOptions{Dead: registry.SinkFunc(func(_ context.Context, m *registry.Message) error {
			w.metrics.dead.Inc()
			w.log.Error("event given up; registrywatch events has it", "event", m.ID, "sequence", m.Sequence)
			return nil
		})})
	}
	if w.queue != nil {
		sink, err := w.queue.Sink(ctx)
		if err != nil {
			return err
		}
		deliver("jetstream", sink, nil)
	}
	var hints http.Handler
	if w.hintsSecret != "" {
		var err error
		if hints, err = w.monitor.HintHandler(registry.HintOptions{Authorization: w.hintsSecret}); err != nil {
			return fmt.Errorf("REGISTRYWATCH_HINT_SECRET: %w", err)
		}
	}
	defer front.open(routes(w.fleet, w.metrics, hints, w.log))()
	if w.once {
		return w.reconcile(ctx, sinks)
	}
	for e, err := range w.monitor.Run(ctx, "log") {
		if err != nil {
			w.log.Warn("watch", "error", err)
			continue
		}
		level := slog.LevelInfo
		if strings.HasPrefix(kind(e), "image.") {
			level = slog.LevelDebug // as many as there are images
		}
		w.log.Log(ctx, level, kind(e), "sequence", e.Sequence, "about", text(e))
		if e.Type == registry.GenerationActivated {
			w.trim()
		}
	}
	if ctx.Err() == nil {
		return errors.New("the watch ended")
	}
	w.log.Info("interrupted; what is stored is complete")
	return nil
}

// eventAge is how long an event is kept that all sinks have.
const eventAge = 90 * 24 * time.Hour

func (w *watch) trim() {
	if n, err := w.store.TrimEvents(time.Now().Add(-eventAge)); err != nil {
		w.log.Warn("events not trimmed", "error", err)
	} else if n > 0 {
		w.log.Info("old events forgotten", "events", n)
	}
}

// reconcile looks at everything once, and waits for the sinks.
func (w *watch) reconcile(ctx context.Context, sinks map[string]chan error) error {
	r, err := w.monitor.Reconcile(ctx)
	if err != nil {
		return err
	}
	w.log.Info("looked once", "repositories", r.Repositories, "tags", r.Tags, "analysed", r.Analysed, "failed", r.Failed, "took", r.Took.Round(time.Millisecond).String())
	st, err := w.store.Stats()
	if err != nil {
		return err
	}
	for _, name := range sorted(sinks) {
		for {
			n, err := w.store.Cursor(name)
			if err != nil {
				return err
			}
			if n >= st.Events {
				break
			}
			select {
			case <-time.After(50 * time.Millisecond):
			case err := <-sinks[name]:
				if err == nil {
					err = ctx.Err()
				}
				return fmt.Errorf("%s does not have all events; the next run goes on there: %w", name, err)
			case <-ctx.Done():
				return fmt.Errorf("interrupted before %s had all events; the next run goes on there", name)
			}
		}
	}
	if len(r.Errors) > 0 {
		return fmt.Errorf("not everything could be looked at (%d errors): %w", len(r.Errors), errors.Join(r.Errors[:min(10, len(r.Errors))]...))
	}
	return nil
}
