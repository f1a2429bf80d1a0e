package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
)

// source says where the cluster is read from; all commands share it.
type source struct {
	path       string // a file, a folder, or "-"
	kubeconfig string
	namespace  string // of manifests that name none
	complete   bool
	minor      int
	quiet      bool
}

func (s *source) flags(fs *flag.FlagSet) {
	fs.StringVar(&s.kubeconfig, "kubeconfig", "", "")
	fs.StringVar(&s.namespace, "namespace", "", "")
	fs.BoolVar(&s.complete, "complete", false, "")
	fs.IntVar(&s.minor, "minor", 0, "")
	fs.BoolVar(&s.quiet, "q", false, "")
}

// take takes the one path that is left of the arguments.
func (s *source) take(rest []string) error {
	switch {
	case len(rest) > 1:
		return fmt.Errorf("%d paths given, want one: %s", len(rest), strings.Join(rest, " "))
	case len(rest) == 1 && s.kubeconfig != "":
		return errors.New("give a path or -kubeconfig, not both")
	case len(rest) == 1:
		s.path = rest[0]
	case s.kubeconfig == "":
		return errors.New("give a file or folder of manifests, - for standard input, or -kubeconfig FILE")
	}
	return nil
}

// output is one -o.
type output struct {
	format string
	file   string // empty: stdout
}

type outputs []output

func (o *outputs) add(s string) error {
	formats := []string{"table", "json", "html", "sarif"}
	format, file, named := strings.Cut(s, "=")
	switch {
	case !slices.Contains(formats, format):
		return fmt.Errorf("want one of %s", strings.Join(formats, ", "))
	case named && file == "":
		return fmt.Errorf("no file name after %s=", format)
	case slices.ContainsFunc(*o, func(other output) bool { return other.file == file }):
		return fmt.Errorf("two outputs cannot go to the same place: give one a file, as in -o %s=FILE", format)
	}
	*o = append(*o, output{format, file})
	return nil
}

func newFlagSet(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	return fs
}

// parse takes flags before, between and after the other arguments, which it
// returns.
func parse(fs *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		left := fs.Args()
		if len(left) == 0 {
			return rest, nil
		}
		rest, args = append(rest, left[0]), left[1:]
	}
}

func severity(to **boltseal.Severity) func(string) error {
	return func(s string) error {
		v, err := boltseal.ParseSeverity(s)
		*to = &v
		return err
	}
}
