package main

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/boltseal/boltseal/registry"
)

// metrics are what an operator's Prometheus sees. No image, repository or tag is
// a label: their number has no bound.
type metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	throttled prometheus.Counter
	sweep     prometheus.Gauge
	scans     prometheus.Histogram
	failures  prometheus.Counter
	evaluated prometheus.Gauge
	retries   prometheus.Counter
	dead      prometheus.Counter
}

const namespace = "boltseal_registry"

func newMetrics(f *fleet) *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
		m.registry.MustRegister(c)
		return c
	}
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help})
		m.registry.MustRegister(g)
		return g
	}
	m.requests = prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: "requests_total", Help: "Requests to registries; code 0 is no answer."}, []string{"host", "method", "code"})
	m.scans, m.failures = scanMetrics(m.registry)
	m.registry.MustRegister(m.requests, &storeMetrics{f})
	gauge("leader", "Whether this process watches, or waits for its turn.").Set(1)
	m.throttled = counter("throttled_total", "Answers of registries that say to slow down.")
	m.sweep = gauge("sweep_duration_seconds", "How long the last look at everything took.")
	m.evaluated = gauge("evaluation_duration_seconds", "How long the last new generation of advisories took.")
	m.retries = counter("webhook_retries_total", "Webhooks that have to be sent again.")
	m.dead = counter("dead_letters_total", "Events that a webhook's receiver did not take.")
	return m
}

// scanMetrics are what monitors and workers tell of analyses.
func scanMetrics(r *prometheus.Registry) (prometheus.Histogram, prometheus.Counter) {
	scans := prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: "scan_duration_seconds", Help: "Time to analyse one image; a monitor's includes the wait for a worker.", Buckets: prometheus.ExponentialBuckets(0.01, 3, 10)})
	failures := prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: "scan_failures_total", Help: "Images that could not be analysed, each try."})
	r.MustRegister(scans, failures)
	return scans, failures
}

func metricsHandler(r *prometheus.Registry, log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)})
}

func (m *metrics) exchange(x registry.Exchange) {
	method := x.Method
	switch method {
	case "GET", "HEAD", "POST", "PUT":
	default:
		method = "other"
	}
	m.requests.WithLabelValues(x.Host, method, strconv.Itoa(x.Status)).Inc()
	if x.Status == 429 {
		m.throttled.Inc()
	}
}

// storeMetrics are read from the store when they are asked for.
type storeMetrics struct{ f *fleet }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(namespace+"_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector; what is collected describes itself.
func (s *storeMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (s *storeMetrics) Collect(ch chan<- prometheus.Metric) {
	send := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	st, err := s.f.store.Stats()
	if err != nil {
		ch <- prometheus.NewInvalidMetric(desc("images", "Images that a tag leads to."), err)
		return
	}
	send(desc("images", "Images that a tag leads to."), float64(st.Live))
	send(desc("references", "Tags."), float64(st.References))
	send(desc("packages", "Distinct packages of all images."), float64(st.Components))
	send(desc("store_bytes", "Size of the store's file."), float64(st.Bytes))
	ch <- prometheus.MustNewConstMetric(desc("events_total", "Events so far."), prometheus.CounterValue, float64(st.Events))
	if at, _ := s.f.sweep(); !at.IsZero() {
		send(desc("sweep_lag_seconds", "Time since everything was looked at."), time.Since(at).Seconds())
	}
	if info := s.f.advisories.info(); info != nil {
		if info.Newest != nil {
			send(desc("generation_age_seconds", "Age of the newest advisory in use."), time.Since(*info.Newest).Seconds())
		}
		current := 0.0
		if info.Generation == st.Generation {
			current = 1
		}
		send(desc("generation_current", "Whether the store was evaluated with the advisories at hand."), current)
	}
	if n, ok := s.f.depth(); ok {
		send(desc("queue_depth", "Images that wait for a worker, or are with one."), float64(n))
	}
	sinks, err := s.f.store.Sinks()
	if err == nil {
		for name, at := range sinks {
			send(desc("sink_lag_events", "Events that a sink does not have yet.", "sink"), float64(st.Events-min(at, st.Events)), name)
		}
	}
}
