// Package jetstream spreads the analysis of images over many processes, by NATS
// JetStream: embedded in the process, or a cluster of its own.
//
//	q, err := jetstream.Connect(ctx, "nats://queue.example.com", &jetstream.Options{Analyzers: "v3"})
//
//	// where the monitor runs:
//	m, err := registry.NewMonitor(store, registry.MonitorOptions{Indexer: q, Workers: 64, …})
//
//	// in as many processes as there is work for:
//	err = q.Work(ctx, indexer, 2)
//
// The queue is never the truth. What it loses, the monitor asks for again; what
// is asked for twice, is queued once, under a subject of its own for each digest;
// what two workers answer, is written once.
//
// With [Embed] no port is opened and every write is on the disk before it is
// confirmed. A cluster needs sync_interval: always for the same: with NATS's
// default of two minutes, a power cut loses what was confirmed before.
package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/boltseal/boltseal"
)

// Options are the settings of [Embed] and [Connect]. Nil and the zero value are
// ready to use.
type Options struct {
	// Name tells apart what several fleets have on one server; empty means
	// "boltseal". Letters, digits, - and _.
	Name string
	// Analyzers names the version of the analysis. Results of another are not
	// used.
	Analyzers string
	// Replicas is how many servers of a cluster keep each message; 0 means 1.
	Replicas int
	// Lost is after how long without a sign of life a worker is given up, and
	// its image given to another; 0 means 30 seconds.
	Lost time.Duration
	// Tries is how often an image is analysed before it counts as poison; 0
	// means 3.
	Tries int
	// Time bounds one analysis; 0 means 10 minutes.
	Time time.Duration
	// Keep is how long a result is kept for the monitor to fetch; 0 means a week.
	Keep time.Duration
	// NATS are further settings of the connection: credentials, TLS.
	NATS []nats.Option
	// Log gets what an operator may want to see; nil discards.
	Log *slog.Logger
}

// Queue is a connection to the queue. It is safe for concurrent use, and a
// registry.Indexer.
type Queue struct {
	Options
	nc      *nats.Conn
	js      jetstream.JetStream
	results jetstream.KeyValue
	server  *server.Server // embedded; else nil

	mu      sync.Mutex
	waiting map[string][]chan struct{} // by key of the result
	stop    context.CancelFunc
	done    sync.WaitGroup
}

func (o *Options) withDefaults() (Options, error) {
	c := Options{}
	if o != nil {
		c = *o
	}
	if c.Name == "" {
		c.Name = "boltseal"
	}
	if strings.ContainsFunc(c.Name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	}) {
		return c, fmt.Errorf("name of the queue %q: %w: letters, digits, - and _ are meant", c.Name, boltseal.ErrMalformed)
	}
	for _, d := range []struct {
		of *time.Duration
		is time.Duration
	}{{&c.Lost, 30 * time.Second}, {&c.Time, 10 * time.Minute}, {&c.Keep, 7 * 24 * time.Hour}} {
		if *d.of <= 0 {
			*d.of = d.is
		}
	}
	if c.Tries <= 0 {
		c.Tries = 3
	}
	if c.Replicas <= 0 {
		c.Replicas = 1
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// Embed runs the queue in this process, in a folder that no other process has.
// No port is opened: workers are in this process as well.
func Embed(ctx context.Context, dir string, o *Options) (*Queue, error) {
	c, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(&server.Options{
		ServerName: c.Name, DontListen: true, JetStream: true, StoreDir: dir, SyncAlways: true, NoSigs: true, NoLog: true, MaxPayload: maxEmbedded,
	})
	if err != nil {
		return nil, fmt.Errorf("queue in %s: %w", dir, err)
	}
	s.Start()
	wait := 30 * time.Second
	if d, ok := ctx.Deadline(); ok {
		wait = time.Until(d)
	}
	if !s.ReadyForConnections(wait) {
		s.Shutdown()
		return nil, fmt.Errorf("queue in %s: not ready after %v", dir, wait)
	}
	q, err := open(ctx, "", c, append(c.NATS, nats.InProcessServer(s)))
	if err != nil {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("queue in %s: %w", dir, err)
	}
	q.server = s
	return q, nil
}

const maxEmbedded = 8 << 20 // bytes of a message

// Connect uses the JetStream of a server or cluster.
func Connect(ctx context.Context, url string, o *Options) (*Queue, error) {
	c, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	q, err := open(ctx, url, c, append(c.NATS, nats.MaxReconnects(-1)))
	if err != nil {
		return nil, fmt.Errorf("queue at the server: %w", err) // the address may hold a password
	}
	return q, nil
}

func open(ctx context.Context, url string, o Options, conn []nats.Option) (*Queue, error) {
	nc, err := nats.Connect(url, append(conn, nats.Name("boltseal"))...)
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		nc.Close()
		return nil, err
	}
	q := &Queue{Options: o, nc: nc, js: js, waiting: map[string][]chan struct{}{}}
	if err := q.prepare(ctx); err != nil {
		nc.Close()
		return nil, err
	}
	ctx, q.stop = context.WithCancel(context.WithoutCancel(ctx))
	q.done.Go(func() { q.listen(ctx) })
	return q, nil
}

func (q *Queue) jobs() string               { return q.Name + "-jobs" }
func (q *Queue) dead() string               { return q.Name + "-dead" }
func (q *Queue) subject(part string) string { return q.Name + ".job." + part }
func (q *Queue) grave(part string) string   { return q.Name + ".dead." + part }

// prepare makes the streams, or finds them as they should be.
func (q *Queue) prepare(ctx context.Context) error {
	// One message for each digest, waiting or being worked on; a second is
	// refused. A window of time, as message identities have, would refuse what
	// is wanted again, and forget what is under way.
	_, err := q.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: q.jobs(), Subjects: []string{q.subject("*")}, Retention: jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage, Replicas: q.Replicas,
		MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew, DiscardNewPerSubject: true,
	})
	if err != nil {
		return fmt.Errorf("stream %s: %w", q.jobs(), err)
	}
	_, err = q.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: q.dead(), Subjects: []string{q.grave("*")}, Storage: jetstream.FileStorage, Replicas: q.Replicas,
		MaxMsgsPerSubject: 1, MaxAge: 90 * 24 * time.Hour,
	})
	if err != nil {
		return fmt.Errorf("stream %s: %w", q.dead(), err)
	}
	q.results, err = q.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: q.Name + "-results", TTL: q.Keep, Storage: jetstream.FileStorage, Replicas: q.Replicas})
	if err != nil {
		return fmt.Errorf("bucket of results: %w", err)
	}
	return nil
}

// Close ends the connection, and the server if it is embedded.
func (q *Queue) Close() error {
	q.stop()
	q.done.Wait()
	q.nc.Close()
	if q.server != nil {
		q.server.Shutdown()
		q.server.WaitForShutdown()
	}
	return nil
}

// Depth is how many images wait or are being analysed.
func (q *Queue) Depth(ctx context.Context) (int, error) {
	s, err := q.js.Stream(ctx, q.jobs())
	if err != nil {
		return 0, fmt.Errorf("queue: %w", err)
	}
	info, err := s.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("queue: %w", err)
	}
	return int(info.State.Msgs), nil
}

// queued reports whether an error of a publication says that the digest is
// queued already.
func queued(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == 10077 // maximum messages per subject exceeded
}
