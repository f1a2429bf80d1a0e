package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/registry"
)

// workerOptions are the flags of registrywatch worker.
type workerOptions struct {
	nats              *natsOptions
	registries, plain []string
	cache, listen     string
	team              string
	workers           int
	quiet             bool
}

// runWorker is registrywatch worker.
func runWorker(ctx context.Context, args []string, c *cli.Console) int {
	o := &workerOptions{}
	fset := cli.NewFlagSet("worker")
	o.nats = natsFlags(fset, c)
	fset.Func("registry", "", list(&o.registries))
	fset.Func("plain-http", "", list(&o.plain))
	fset.StringVar(&o.cache, "cache", "", "")
	fset.StringVar(&o.team, "team", teamLabel, "")
	fset.StringVar(&o.listen, "listen", "", "")
	fset.IntVar(&o.workers, "workers", 2, "")
	fset.BoolVar(&o.quiet, "q", false, "")
	if status, ok := parse(c, fset, args); !ok {
		return status
	}
	switch {
	case o.nats.url == "":
		return c.Usage(errors.New("say where the work comes from with -nats URL,…"), usage)
	case len(o.registries) == 0:
		return c.Usage(errors.New("say of which registries images are analysed with -registry HOST,…: the same as the monitor's"), usage)
	case o.workers < 1:
		return c.Usage(errors.New("-workers is at least 1"), usage)
	}
	if err := o.nats.check(); err != nil {
		return c.Usage(err, usage)
	}
	if err := o.work(ctx, c); err != nil && ctx.Err() == nil {
		return c.Fail(err)
	}
	return cli.ExitOK
}

func (o *workerOptions) work(ctx context.Context, c *cli.Console) error {
	log := logger(c, c.Err, o.quiet)
	ix, err := newIndexer(o.cache, o.team, o.plain, o.registries)
	if err != nil {
		return err
	}
	reg := prometheus.NewRegistry()
	scans, failures := scanMetrics(reg)
	if o.listen != "" {
		mux := http.NewServeMux()
		mux.Handle("GET /metrics", metricsHandler(reg, log))
		mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
		end, err := serve(o.listen, guarded(mux), log)
		if err != nil {
			return err
		}
		defer end()
	}
	q, err := o.nats.connect(ctx, log)
	if err != nil {
		return err
	}
	defer q.Close()
	log.Info("at work", "workers", o.workers, "registries", strings.Join(o.registries, ", "))
	err = q.Work(ctx, registry.IndexerFunc(func(ctx context.Context, ref string) (registry.Inventory, error) {
		start := time.Now()
		inv, err := ix.Index(ctx, ref)
		scans.Observe(time.Since(start).Seconds())
		if err != nil {
			failures.Inc()
		}
		log.Debug("analysed", "image", ref, "packages", len(inv.Packages), "took", time.Since(start), "error", err)
		return inv, err
	}), o.workers)
	if ctx.Err() != nil {
		log.Info("interrupted; what was under way goes to another worker")
	}
	return err
}

// hosts are the registries as names of images begin with them.
func hosts(registries []string) (list []string, err error) {
	for _, host := range registries {
		r, err := registry.Open(host, nil)
		if err != nil {
			return nil, err
		}
		list = append(list, r.Host())
		if err := r.Close(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// allowedHost checks that an image lies where images may lie: whoever can write
// to the queue shall not make this process fetch from anywhere else.
func allowedHost(hosts []string, ref string) error {
	host, _, ok := strings.Cut(ref, "/")
	if !ok || !slices.Contains(hosts, host) {
		return fmt.Errorf("image %.200q: not of a registry that -registry names", ref)
	}
	return nil
}
