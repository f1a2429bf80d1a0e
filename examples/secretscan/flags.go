package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/report"
)

const usage = `secretscan finds credentials that were left where others can read them.

    secretscan [flags] [TARGET]

TARGET is one of
    ./src, /etc, dir:src                the files of a folder, or one file; default .
    git:DIR                             the whole history of a git repository
    -                                   what stdin holds
    debian:12, oci:DIR, oci-archive:FILE, docker-archive:FILE, docker:NAME
                                        an image: all layers, configuration, history

Flags
    -o FORMAT[=FILE]       table (default), json, html, sarif; may be given
                           several times, without FILE to stdout
    -fail-on SEVERITY      exit with 1 if a finding is at or above: low, medium,
                           high, critical
    -rules FILE            own rules, what to switch off, and exceptions
    -gitleaks FILE         rules in the format of Gitleaks, beside the built-in ones
    -baseline FILE         findings that are known and do not count
    -write-baseline FILE   note the findings of this scan as known
    -reason TEXT           why: needed by -write-baseline
    -ignore-marks          a line's "boltseal:allow" counts for nothing
    -salt FILE             keys the fingerprints; default: one of your own, made
                           once and kept in the user's cache
    -cache DIR             keeps what was found in an image's layers; default: the
                           user's cache, -cache= keeps nothing
    -q                     no remarks on stderr
    -h                     this text

Exit status
    0  nothing is at or above -fail-on
    1  something is
    2  wrong usage
    3  the scan failed or is incomplete: what it did not see may still be there
`

// options are what the command line asks for.
type options struct {
	target        string
	outputs       []output
	failOn        *boltseal.Severity // nil: never
	rules         string
	gitleaks      string
	baseline      string
	writeBaseline string
	reason        string
	salt          string
	cache         string
	ignoreMarks   bool
	quiet         bool
}

// output is one -o.
type output struct {
	format string
	file   string // empty: stdout
}

var formats = []string{"table", "json", "html", "sarif"}

func parseFlags(args []string) (*options, error) {
	o := &options{target: "dir:.", cache: inUserCache("layers")}
	fs := flag.NewFlagSet("secretscan", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Func("o", "", o.addOutput)
	fs.Func("fail-on", "", func(s string) error {
		v, err := boltseal.ParseSeverity(s)
		o.failOn = &v
		return err
	})
	for name, to := range map[string]*string{
		"rules": &o.rules, "gitleaks": &o.gitleaks, "baseline": &o.baseline, "write-baseline": &o.writeBaseline,
		"reason": &o.reason, "salt": &o.salt, "cache": &o.cache,
	} {
		fs.StringVar(to, name, *to, "")
	}
	fs.BoolVar(&o.ignoreMarks, "ignore-marks", false, "")
	fs.BoolVar(&o.quiet, "q", false, "")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	switch rest := fs.Args(); {
	case len(rest) > 1:
		return nil, fmt.Errorf("%d targets given, want one; flags go before it: %s", len(rest), strings.Join(rest, " "))
	case len(rest) == 1 && rest[0] == "":
		return nil, errors.New("the target is empty")
	case len(rest) == 1:
		o.target = rest[0]
	}
	if o.writeBaseline != "" && strings.TrimSpace(o.reason) == "" {
		return nil, errors.New("-write-baseline needs a -reason, for those who read the file next year")
	}
	if len(o.outputs) == 0 {
		o.outputs = []output{{format: "table"}}
	}
	return o, nil
}

func (o *options) addOutput(s string) error {
	format, file, named := strings.Cut(s, "=")
	if !slices.Contains(formats, format) {
		return fmt.Errorf("want one of %s", strings.Join(formats, ", "))
	}
	if named && file == "" {
		return fmt.Errorf("no file name after %s=", format)
	}
	for _, other := range o.outputs {
		if other.file == file {
			return fmt.Errorf("%s and %s cannot both go to the same place: give one another file", other.format, format)
		}
	}
	o.outputs = append(o.outputs, output{format, file})
	return nil
}

// inUserCache returns a path in the user's cache directory, "" if there is none.
func inUserCache(name string) string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "boltseal", name)
}

// usage answers a parsing error: the help itself if it was asked for.
func (c *console) usage(err error) int {
	if errors.Is(err, flag.ErrHelp) {
		io.WriteString(c.out, usage)
		return exitOK
	}
	fmt.Fprintf(c.err, "secretscan: %s\nRun secretscan -h for help.\n", report.Clean(err.Error()))
	return exitUsage
}

// fail writes an error; its text may hold names from what was scanned.
func (c *console) fail(err error) int {
	fmt.Fprintf(c.err, "secretscan: %s\n", report.Clean(err.Error()))
	return exitIncomplete
}

// remark writes something worth knowing.
func (c *console) remark(format string, args ...any) {
	if !c.quiet {
		fmt.Fprintf(c.err, "secretscan: %s\n", report.Clean(fmt.Sprintf(format, args...)))
	}
}
