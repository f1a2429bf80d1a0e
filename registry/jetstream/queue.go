// Package jetstream spreads the analysis of images over many processes, by NATS
// JetStream: embedded in the process, or a cluster of its own.
//
//	q, err := jetstream.Connect(ctx, "nats://queue.example.com", &jetstream.Options{Analyzers: "v3"})
//
//	// where the monitor runs:
//	m, err := registry.NewMonitor(store, registry.MonitorOptions{Indexer: q, Workers: 64, ImageTime: 24 * time.Hour, …})
//
//	// in as many processes as there is work for:
//	err = q.Work(ctx, indexer, 2)
//
// The queue is never the truth. What it loses, the monitor asks for again; what
// is asked for twice, is queued once, under a subject of its own for each digest;
// what two workers answer, is written once. The monitor's time for an image
// includes the wait for a worker; [Options.Time] is a worker's own. Jobs and results lie in several
// streams, by digest: a server syncs one write to a stream after the other, and
// those to different streams at the same time.
//
// With [Embed] no port is opened and every write is on the disk before it is
// confirmed. A cluster needs sync_interval: always for the same: with NATS's
// default of two minutes, a power cut loses what was confirmed before.
//
// Whoever may write to the streams can ask for the analysis of any image, and
// answer for it. [Options.Key] has jobs and results sealed, so that only those
// who know the key can.
package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/wait"
)

// Options are the settings of [Embed] and [Connect]. Nil and the zero value are
// ready to use.
type Options struct {
	// Name tells apart what several fleets have on one server; empty means
	// "boltseal". Letters, digits, - and _.
	Name string
	// Analyzers names the version of the analysis. A job is done by workers of
	// the same one, and waits for them.
	Analyzers string
	// Key, if set, seals jobs and results (HMAC-SHA256): those sealed with
	// another, or not at all, are refused. At least 16 bytes, the same everywhere.
	Key []byte
	// Replicas is how many servers of a cluster keep each message. 0 leaves
	// streams that exist as they are, and means 1 for new ones.
	Replicas int
	// Lost is after how long without a sign of life a worker is given up, and
	// its image given to another; 0 means 30 seconds.
	Lost time.Duration
	// Tries is how often the analysis of an image may fail before it counts as
	// poison; 0 means 3. That a worker died, or the registry said to slow down, is
	// no failure, up to twenty deliveries in all.
	Tries int
	// Time bounds one analysis; 0 means 10 minutes.
	Time time.Duration
	// Keep is how long a result is kept for the monitor to fetch, and a job for a
	// worker; 0 means a week.
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
	results [lanes]jetstream.KeyValue
	server  *server.Server // embedded; else nil

	// A server answers a read in the order of its connection, and only when no
	// write to the stream is under way: what is written need not wait for that.
	readers *nats.Conn
	known   [lanes]jetstream.KeyValue // results, on that connection

	mu      sync.Mutex
	waiting map[string][]chan []byte // by key of the result
	listens bool
	once    sync.Once
	closed  chan struct{}
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
	if len(c.Key) > 0 && len(c.Key) < minKey {
		return c, fmt.Errorf("key of the queue: %w: at least %d bytes are meant", boltseal.ErrMalformed, minKey)
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
	start := 30 * time.Second
	if d, ok := ctx.Deadline(); ok {
		start = time.Until(d)
	}
	if !s.ReadyForConnections(start) {
		s.Shutdown()
		return nil, fmt.Errorf("queue in %s: not ready after %v", dir, start)
	}
	q, err := open(ctx, "", c, append(slices.Clip(c.NATS), nats.InProcessServer(s)))
	if err != nil {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("queue in %s: %w", dir, err)
	}
	q.server = s
	return q, nil
}

const maxEmbedded = 8 << 20 // bytes of a message

// Connect uses the JetStream of a server or cluster. It waits until the context
// ends for servers that cannot be reached, or have no leader yet; what they
// refuse is an error.
func Connect(ctx context.Context, url string, o *Options) (*Queue, error) {
	c, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	for {
		q, err := open(ctx, url, c, append(slices.Clip(c.NATS), nats.MaxReconnects(-1)))
		switch {
		case err == nil:
			return q, nil
		case ctx.Err() != nil:
			return nil, fmt.Errorf("queue at the server: %w, and before: %w", ctx.Err(), err)
		case !passing(err):
			return nil, fmt.Errorf("queue at the server: %w", err) // the address may hold a password
		}
		c.Log.WarnContext(ctx, "the queue does not answer; tried again", "error", err)
		_ = wait.For(ctx, time.Second) // the context is looked at above
	}
}

// passing reports whether an error may be gone in a while: nobody there, no
// leader yet, not enough servers yet. The numbers are NATS's own.
func passing(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode {
		case 10005: // no suitable peers for placement
			return true
		case 10039, 10074, 10076: // no JetStream here; replicas without a cluster
			return false
		}
		return api.Code >= 500
	}
	for _, e := range []error{nats.ErrNoServers, nats.ErrTimeout, nats.ErrNoResponders, nats.ErrDisconnected, nats.ErrConnectionReconnecting, context.DeadlineExceeded, jetstream.ErrNoStreamResponse} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func open(ctx context.Context, url string, o Options, conn []nats.Option) (*Queue, error) {
	q := &Queue{Options: o, waiting: map[string][]chan []byte{}}
	connect := func() (*nats.Conn, jetstream.JetStream, error) {
		nc, err := nats.Connect(url, append(slices.Clip(conn), nats.Name("boltseal"))...)
		if err != nil {
			return nil, nil, err
		}
		js, err := jetstream.New(nc)
		return nc, js, err
	}
	var err error
	var reads jetstream.JetStream
	if q.nc, q.js, err = connect(); err == nil {
		q.readers, reads, err = connect()
	}
	if err == nil {
		err = q.prepare(ctx)
	}
	for lane := 0; err == nil && lane < lanes; lane++ {
		short, cancel := context.WithTimeout(ctx, patience)
		if q.results[lane], err = q.js.KeyValue(short, q.bucket(lane)); err == nil {
			q.known[lane], err = reads.KeyValue(short, q.bucket(lane))
		}
		cancel()
	}
	if err != nil {
		q.disconnect()
		return nil, err
	}
	q.closed = make(chan struct{})
	return q, nil
}

func (q *Queue) disconnect() {
	for _, nc := range []*nats.Conn{q.nc, q.readers} {
		if nc != nil {
			nc.Close()
		}
	}
}

// Close ends the connection, and the server if it is embedded.
func (q *Queue) Close() error {
	q.once.Do(func() {
		close(q.closed)
		q.done.Wait()
		_ = q.nc.FlushTimeout(time.Second) // jobs that are given back; else they are after Options.Lost
		q.disconnect()
		if q.server != nil {
			q.server.Shutdown()
			q.server.WaitForShutdown()
		}
	})
	return nil
}

// Depth is how many images wait or are being analysed.
func (q *Queue) Depth(ctx context.Context) (int, error) {
	n := 0
	for lane := range lanes {
		s, err := q.js.Stream(ctx, q.jobs(lane))
		if err != nil {
			return 0, fmt.Errorf("queue: %w", err)
		}
		n += int(s.CachedInfo().State.Msgs)
	}
	return n, nil
}
