package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/boltseal/boltseal/internal/report"
)

// console is where the program reads from and writes to.
type console struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) string
	quiet    bool
}

// usage answers a parsing error: the help itself if it was asked for.
func (c *console) usage(err error) int {
	if errors.Is(err, flag.ErrHelp) {
		io.WriteString(c.out, usage)
		return exitOK
	}
	fmt.Fprintf(c.err, "clusteraudit: %s\nRun clusteraudit -h for help.\n", report.Clean(err.Error()))
	return exitUsage
}

// fail writes an error; its text may hold names from a manifest.
func (c *console) fail(err error) int {
	fmt.Fprintf(c.err, "clusteraudit: %s\n", report.Clean(err.Error()))
	return exitIncomplete
}

// words says what the library says in the words of the command line.
func words(s string) string {
	return strings.NewReplacer(
		"LoadOptions.Complete says that there is no more", "-complete says that there is no more",
		"PostureOptions.Registries is not set, so there is nothing to judge by", "say with -registry where images may come from",
		"PostureOptions.Verifier is not set, so there is nothing to judge by", "say with -trusted which images somebody vouches for",
	).Replace(s)
}

// remark writes something worth knowing.
func (c *console) remark(format string, args ...any) {
	if !c.quiet {
		fmt.Fprintf(c.err, "clusteraudit: %s\n", report.Clean(words(fmt.Sprintf(format, args...))))
	}
}

// print writes a line of an answer.
func (c *console) print(format string, args ...any) { line(c.out, format, args...) }

// line writes one line with the indentation of its format.
func line(w io.Writer, format string, args ...any) {
	text := strings.TrimLeft(format, " ")
	fmt.Fprintln(w, format[:len(format)-len(text)]+report.Clean(fmt.Sprintf(text, args...)))
}

// now is the time of the audit; SOURCE_DATE_EPOCH fixes it.
func (c *console) now() (time.Time, error) {
	s := c.env("SOURCE_DATE_EPOCH")
	if s == "" {
		return time.Now().UTC(), nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > 253402300799 { // the end of the year 9999
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH=%q: want the seconds since 1970", s)
	}
	return time.Unix(n, 0).UTC(), nil
}
