package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"golang.org/x/term"

	"github.com/boltseal/boltseal/internal/report"
)

// console is where the program writes to, and what it knows of its environment.
type console struct {
	out, err io.Writer
	env      func(string) string
	quiet    bool
}

// usage answers a parsing error: the help itself if it was asked for.
func (c *console) usage(err error, help string) int {
	if errors.Is(err, flag.ErrHelp) {
		io.WriteString(c.out, help)
		return exitOK
	}
	fmt.Fprintf(c.err, "imagescan: %s\n", report.Clean(err.Error()))
	fmt.Fprintln(c.err, "Run imagescan -h for help.")
	return exitUsage
}

// fail writes an error; its text may hold names from an image.
func (c *console) fail(err error) int {
	fmt.Fprintf(c.err, "imagescan: %s\n", report.Clean(err.Error()))
	return exitIncomplete
}

// remark writes something worth knowing.
func (c *console) remark(format string, args ...any) {
	if !c.quiet {
		fmt.Fprintf(c.err, "imagescan: %s\n", report.Clean(fmt.Sprintf(format, args...)))
	}
}

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

// color reports whether w wants colours: a terminal that can, and no NO_COLOR
// (https://no-color.org: set and not empty).
func (c *console) color(w io.Writer) bool {
	return columns(w) > 0 && c.env("NO_COLOR") == "" && c.env("TERM") != "dumb"
}

// now returns the time of the scan; fixed says that SOURCE_DATE_EPOCH gave it
// (https://reproducible-builds.org/specs/source-date-epoch/).
func (c *console) now() (t time.Time, fixed bool, err error) {
	s := c.env("SOURCE_DATE_EPOCH")
	if s == "" {
		return time.Now().UTC(), false, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > 253402300799 { // the end of the year 9999
		return time.Time{}, false, fmt.Errorf("SOURCE_DATE_EPOCH=%q: want the seconds since 1970", s)
	}
	return time.Unix(n, 0).UTC(), true, nil
}
