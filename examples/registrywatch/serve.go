package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/boltseal/boltseal/internal/report"
	"github.com/boltseal/boltseal/registry"
)

// serve answers on an address until the returned func is called.
func serve(addr string, h http.Handler, log *slog.Logger) (stop func(), err error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("-listen: %w", err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 10 * time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("server ended", "error", err)
		}
	}()
	log.Info("listening", "address", l.Addr().String())
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			server.Close()
		}
	}, nil
}

// door is the handler of a monitor, which may be waiting for its turn.
type door struct{ watching atomic.Pointer[http.Handler] }

// open lets requests in to h until the returned func is called.
func (d *door) open(h http.Handler) (shut func()) {
	d.watching.Store(&h)
	return func() { d.watching.Store(nil) }
}

// ServeHTTP implements http.Handler.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := d.watching.Load()
	switch {
	case h != nil:
		(*h).ServeHTTP(w, r)
	case r.URL.Path == "/healthz":
		io.WriteString(w, "waits for its turn\n")
	case r.URL.Path == "/metrics":
		io.WriteString(w, "# TYPE "+namespace+"_leader gauge\n"+namespace+"_leader 0\n")
	default:
		w.Header().Set("Retry-After", "10")
		http.Error(w, "another process watches; this one waits for its turn", http.StatusServiceUnavailable)
	}
}

// guarded sets what every answer has.
func guarded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		h.ServeHTTP(w, r)
	})
}

func routes(f *fleet, m *metrics, hints http.Handler, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	failed := func(w http.ResponseWriter, r *http.Request, err error) {
		log.Error("request failed", "path", r.URL.Path, "error", err)
		http.Error(w, "something failed; the log says what", http.StatusInternalServerError)
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		p, err := f.now(r.Context())
		if err != nil {
			failed(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "frame-ancestors 'none'")
		if err := report.FleetHTML(w, p); err != nil {
			log.Debug("page not sent", "error", err)
		}
	})
	mux.HandleFunc("GET /status.json", func(w http.ResponseWriter, r *http.Request) {
		p, err := f.now(r.Context())
		if err != nil {
			failed(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(p); err != nil {
			log.Debug("status not sent", "error", err)
		}
	})
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		since, err := strconv.ParseUint("0"+r.URL.Query().Get("since"), 10, 64)
		if err != nil {
			http.Error(w, "since is the sequence of an event", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/jsonl")
		if err := writeEvents(r.Context(), w, f.store, since); err != nil {
			log.Debug("events not sent", "error", err)
		}
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if why := f.healthy(); why != "" {
			http.Error(w, why, http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, "ok\n")
	})
	mux.Handle("GET /metrics", metricsHandler(m.registry, log))
	if hints != nil {
		mux.Handle("POST /hints", hints)
	}
	return mux
}

// writeEvents writes the events after a sequence as lines of JSON.
func writeEvents(ctx context.Context, w io.Writer, s *registry.Store, since uint64) error {
	lines := registry.NewLines(w)
	for e, err := range s.Events(ctx, since) {
		if err != nil {
			return err
		}
		m, err := s.Message(e, 0)
		if err != nil {
			return err
		}
		if err := lines.Send(ctx, m); err != nil {
			return err
		}
	}
	return lines.Flush(ctx)
}
