package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/internal/report"
	"github.com/boltseal/boltseal/registry"
)

const tool = "registrywatch"

// parse reads the flags of a command, which takes no arguments. If it returns
// false, the command is over.
func parse(c *cli.Console, fset *flag.FlagSet, args []string) (status int, ok bool) {
	rest, err := cli.Parse(fset, args)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%s takes no arguments, got %s", fset.Name(), strings.Join(rest, " "))
	}
	if err != nil {
		return c.Usage(err, usage), false
	}
	return 0, true
}

func noVerb(c *cli.Console, args []string) int {
	if len(args) == 0 {
		return c.Usage(errors.New("want a command: run, worker, status, events, dead, verify or compact"), usage)
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		return c.Usage(flag.ErrHelp, usage)
	}
	return c.Usage(fmt.Errorf("no command %q: want run, worker, status, events, dead, verify or compact", args[0]), usage)
}

// logger writes lines of JSON, or on a terminal what people read; if it is to be
// quiet, only warnings and errors.
func logger(c *cli.Console, w io.Writer, quiet bool) *slog.Logger {
	o := &slog.HandlerOptions{}
	if quiet {
		o.Level = slog.LevelWarn
	}
	if cli.Columns(c.Err) > 0 {
		return slog.New(slog.NewTextHandler(w, o))
	}
	return slog.New(slog.NewJSONHandler(w, o))
}

// writeLine writes a value as a line of JSON that does a terminal no harm.
func writeLine(c *cli.Console, v any) error { return json.NewEncoder(report.JSON(c.Out)).Encode(v) }

// openStore opens a store. Another process that has it is waited for no longer
// than the patience. Unless the store may be made, it must exist.
func openStore(ctx context.Context, path string, make bool, patience time.Duration) (*registry.Store, error) {
	if path == "" {
		return nil, errors.New("say where the store is with -store FILE")
	}
	if _, err := os.Stat(path); err != nil && !make {
		return nil, fmt.Errorf("store: %w; registrywatch run makes it", err)
	}
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s, err := registry.OpenStore(short, path)
	if err != nil && short.Err() != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("%s is in use by another process; ask a running monitor with -url http://HOST:PORT, its -listen address", path)
	}
	return s, err
}
