// Package cli is what the command lines of the programs in examples have in
// common: how they take flags, speak, draw progress and write files.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/boltseal/boltseal/internal/report"
)

// Exit statuses.
const (
	ExitOK         = 0
	ExitFindings   = 1 // what was asked about is not as it should be
	ExitUsage      = 2
	ExitIncomplete = 3 // something failed or was not looked at
)

// Console is what a program is connected to.
type Console struct {
	Name     string // of the program: its lines on Err begin with it
	In       io.Reader
	Out, Err io.Writer
	Env      func(string) string
	Quiet    bool // no remarks
}

// Main runs a program on the standard streams. It ends the process with the
// status that run returns. The context ends when the process is interrupted or
// told to terminate.
func Main(name string, run func(context.Context, []string, *Console) int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], &Console{Name: name, In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Getenv})
	stop()
	os.Exit(status)
}

// Usage answers a command line that could not be parsed: with the help itself
// if it was asked for.
func (c *Console) Usage(err error, help string) int {
	if errors.Is(err, flag.ErrHelp) {
		io.WriteString(c.Out, help)
		return ExitOK
	}
	c.line(err.Error())
	fmt.Fprintf(c.Err, "Run %s -h for help.\n", c.Name)
	return ExitUsage
}

// Fail writes an error; its text may hold names from what was looked at.
func (c *Console) Fail(err error) int {
	c.line(err.Error())
	return ExitIncomplete
}

// Remark writes something worth knowing, unless the console is quiet.
func (c *Console) Remark(format string, args ...any) {
	if !c.Quiet {
		c.line(fmt.Sprintf(format, args...))
	}
}

func (c *Console) line(text string) { fmt.Fprintf(c.Err, "%s: %s\n", c.Name, report.Clean(text)) }

// Now returns the time to judge by; fixed says that SOURCE_DATE_EPOCH gave it
// (https://reproducible-builds.org/specs/source-date-epoch/).
func (c *Console) Now() (t time.Time, fixed bool, err error) {
	s := c.Env("SOURCE_DATE_EPOCH")
	if s == "" {
		return time.Now().UTC(), false, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > 253402300799 { // the end of the year 9999
		return time.Time{}, false, fmt.Errorf("SOURCE_DATE_EPOCH=%q: want the seconds since 1970", s)
	}
	return time.Unix(n, 0).UTC(), true, nil
}
