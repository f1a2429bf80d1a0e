package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/registry/jetstream"
	"github.com/boltseal/boltseal/sbom"
)

// natsOptions are the flags that lead to a queue.
type natsOptions struct {
	url, name, creds, ca, cert, key string
	replicas                        int
	seal                            string
}

func natsFlags(fset *flag.FlagSet, c *cli.Console) *natsOptions {
	o := &natsOptions{seal: c.Env("REGISTRYWATCH_NATS_KEY")}
	fset.StringVar(&o.url, "nats", c.Env("REGISTRYWATCH_NATS"), "")
	fset.StringVar(&o.name, "nats-name", "", "")
	fset.StringVar(&o.creds, "nats-creds", "", "")
	fset.StringVar(&o.ca, "nats-ca", "", "")
	fset.StringVar(&o.cert, "nats-cert", "", "")
	fset.StringVar(&o.key, "nats-key", "", "")
	return o
}

func (o *natsOptions) check() error {
	switch {
	case o.url == "" && (o.name != "" || o.creds != "" || o.ca != "" || o.cert != "" || o.key != "" || o.replicas != 0):
		return errors.New("say which NATS servers are meant with -nats URL,…")
	case (o.cert == "") != (o.key == ""):
		return errors.New("-nats-cert and -nats-key go together")
	case o.replicas < 0 || o.replicas > 5:
		return errors.New("-nats-replicas is at most 5")
	}
	return nil
}

// connect waits for the servers until the context ends.
func (o *natsOptions) connect(ctx context.Context, log *slog.Logger) (*jetstream.Queue, error) {
	conn := []nats.Option{
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("NATS is gone; looked for again", "error", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) { log.Info("NATS is back", "server", nc.ConnectedServerName()) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { log.Warn("NATS", "error", err) }),
	}
	if o.creds != "" {
		conn = append(conn, nats.UserCredentials(o.creds))
	}
	if o.ca != "" {
		conn = append(conn, nats.RootCAs(o.ca))
	}
	if o.cert != "" {
		conn = append(conn, nats.ClientCert(o.cert, o.key))
	}
	q, err := jetstream.Connect(ctx, o.url, &jetstream.Options{
		Name: o.name, Analyzers: analysis(), Key: []byte(o.seal), Replicas: o.replicas, NATS: conn, Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("-nats: %w", err)
	}
	return q, nil
}

// analysis names the version of all that decides what is found in an image.
func analysis() string {
	var parts []string
	for _, a := range sbom.Analyzers() {
		i := a.Info()
		parts = append(parts, fmt.Sprintf("%s %d %s", i.ID, i.Version, i.Options))
	}
	slices.Sort(parts)
	return strings.Join(parts, "\n")
}

// leaseTime is after how long a leader that died has a successor.
const leaseTime = 15 * time.Second

// leaseName tells apart monitors that watch different things with one queue.
func leaseName(registries, repos []string) string {
	all := slices.Sorted(slices.Values(slices.Concat(registries, []string{""}, repos)))
	sum := sha256.Sum256([]byte(strings.Join(all, "\n")))
	return "sweep-" + hex.EncodeToString(sum[:8])
}

// identity tells people which process has a lease.
func identity() string {
	host, _ := os.Hostname() // for people only
	return fmt.Sprintf("%s-%d-%s", cmp.Or(host, "monitor"), os.Getpid(), rand.Text()[:6])
}

// runDead is registrywatch dead.
func runDead(ctx context.Context, args []string, c *cli.Console) int {
	fset := cli.NewFlagSet("dead")
	o := natsFlags(fset, c)
	if status, ok := parse(c, fset, args); !ok {
		return status
	}
	if o.url == "" {
		return c.Usage(errors.New("say where the queue is with -nats URL,…"), usage)
	}
	if err := o.check(); err != nil {
		return c.Usage(err, usage)
	}
	short, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	q, err := o.connect(short, logger(c, c.Err, true))
	if err != nil {
		return c.Fail(err)
	}
	defer q.Close()
	var failed error
	for l, err := range q.DeadLetters(ctx) {
		if err == nil {
			err = writeLine(c, l)
		}
		failed = errors.Join(failed, err)
	}
	if failed != nil {
		return c.Fail(failed)
	}
	return cli.ExitOK
}
