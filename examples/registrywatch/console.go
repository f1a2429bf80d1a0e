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

	"golang.org/x/term"

	"github.com/boltseal/boltseal/internal/report"
	"github.com/boltseal/boltseal/registry"
)

// console is where the program writes to, and what it knows of its environment.
type console struct {
	out, err io.Writer
	env      func(string) string
}

// parse reads the flags of a command. If it returns false, the command is over.
func (c *console) parse(fset *flag.FlagSet, args []string) (status int, ok bool) {
	fset.SetOutput(io.Discard)
	err := fset.Parse(args)
	if err == nil && fset.NArg() > 0 {
		err = fmt.Errorf("%s takes no arguments, got %s", fset.Name(), strings.Join(fset.Args(), " "))
	}
	if err != nil {
		return c.usage(err), false
	}
	return 0, true
}

// usage answers a wrong command line, or the question for help.
func (c *console) usage(err error) int {
	if errors.Is(err, flag.ErrHelp) {
		io.WriteString(c.out, usage)
		return exitOK
	}
	fmt.Fprintf(c.err, "registrywatch: %s\nRun registrywatch -h for help.\n", report.Clean(err.Error()))
	return exitUsage
}

func (c *console) noVerb(args []string) int {
	if len(args) == 0 {
		return c.usage(errors.New("want a command: run, worker, status, events, dead, verify or compact"))
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		return c.usage(flag.ErrHelp)
	}
	return c.usage(fmt.Errorf("no command %q: want run, worker, status, events, dead, verify or compact", args[0]))
}

// fail writes an error; its text may hold what a registry said.
func (c *console) fail(err error) int {
	fmt.Fprintf(c.err, "registrywatch: %s\n", report.Clean(err.Error()))
	return exitFailed
}

// logger writes lines of JSON, or on a terminal what people read.
func (c *console) logger(w io.Writer, level slog.Level) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if columns(c.err) > 0 {
		return slog.New(slog.NewTextHandler(w, o))
	}
	return slog.New(slog.NewJSONHandler(w, o))
}

// line writes a value as a line of JSON that does a terminal no harm.
func (c *console) line(v any) error { return json.NewEncoder(report.JSON(c.out)).Encode(v) }

// columns returns the width of the terminal that w is, 0 if it is none.
func columns(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	n, _, err := term.GetSize(int(f.Fd()))
	if err != nil || n <= 0 {
		return 80
	}
	return n
}

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
