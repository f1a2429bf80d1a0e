package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/examples/internal/cli"
)

const usage = `secretscan finds credentials that were left where others can read them.

    secretscan [flags] [TARGET]

TARGET is one of
    ./src, /etc, dir:src   the files of a folder, or one file; default .
    git:DIR                the whole history of a git repository
    -                      what stdin holds
    debian:12, oci:DIR, oci-archive:FILE, docker-archive:FILE, docker:NAME
                           an image: all layers, configuration, history

Flags
    -o FORMAT[=FILE]       table (default), json, html, sarif; may be given
                           several times, without FILE to stdout
    -fail-on SEVERITY      exit with 1 if a finding is at or above: low, medium,
                           high, critical
    -rules FILE            own rules, what to switch off, and exceptions
    -gitleaks FILE         rules in the format of Gitleaks, beside the built-in
                           ones
    -baseline FILE         findings that are known and do not count
    -write-baseline FILE   note the findings of this scan as known
    -reason TEXT           why: needed by -write-baseline
    -ignore-marks          a line's "boltseal:allow" counts for nothing
    -salt FILE             keys the fingerprints; default: one of your own, made
                           once and kept in the user's cache
    -cache DIR             keeps what was found in an image's layers; default:
                           the user's cache, -cache= keeps nothing
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
	outputs       cli.Outputs
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

func parseFlags(args []string) (*options, error) {
	o := &options{target: "dir:.", cache: cli.InUserCache("layers")}
	fs := cli.NewFlagSet(tool)
	o.outputs.Formats = []string{"table", "json", "html", "sarif"}
	fs.Func("o", "", o.outputs.Add)
	fs.Func("fail-on", "", cli.Severity(&o.failOn))
	for name, to := range map[string]*string{
		"rules": &o.rules, "gitleaks": &o.gitleaks, "baseline": &o.baseline, "write-baseline": &o.writeBaseline,
		"reason": &o.reason, "salt": &o.salt, "cache": &o.cache,
	} {
		fs.StringVar(to, name, *to, "")
	}
	fs.BoolVar(&o.ignoreMarks, "ignore-marks", false, "")
	fs.BoolVar(&o.quiet, "q", false, "")
	rest, err := cli.Parse(fs, args)
	if err != nil {
		return nil, err
	}
	switch {
	case len(rest) > 1:
		return nil, fmt.Errorf("%d targets given, want one: %s", len(rest), strings.Join(rest, " "))
	case len(rest) == 1 && rest[0] == "":
		return nil, errors.New("the target is empty")
	case len(rest) == 1:
		o.target = rest[0]
	}
	if o.writeBaseline != "" && strings.TrimSpace(o.reason) == "" {
		return nil, errors.New("-write-baseline needs a -reason, for those who read the file next year")
	}
	return o, nil
}
