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

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/image"
)

// options are what the command line asks for.
type options struct {
	ref      string // empty: the demo
	outputs  []output
	db       string
	cache    string // empty: none
	platform *v1.Platform
	failOn   *boltseal.Severity // nil: never
	unrated  boltseal.Severity
	layers   bool
	secrets  bool
	quiet    bool
}

// output is one -o.
type output struct {
	format string
	file   string // empty: stdout
}

var formats = [...]string{"table", "json", "html", "sarif", "cyclonedx", "spdx"}

func parseFlags(args []string) (*options, error) {
	o := &options{unrated: boltseal.SeverityCritical, cache: inUserCache("layers")}
	fs := newFlagSet("imagescan")
	fs.Func("o", "", o.addOutput)
	fs.StringVar(&o.db, "db", "", "")
	fs.StringVar(&o.cache, "cache", o.cache, "")
	fs.BoolVar(&o.layers, "layers", false, "")
	fs.BoolVar(&o.secrets, "secrets", true, "")
	fs.BoolVar(&o.quiet, "q", false, "")
	fs.Func("fail-on", "", func(s string) error {
		v, err := boltseal.ParseSeverity(s)
		o.failOn = &v
		return err
	})
	fs.Func("unrated", "", func(s string) (err error) {
		o.unrated, err = boltseal.ParseSeverity(s)
		return err
	})
	fs.Func("platform", "", func(s string) error {
		p, err := image.ParsePlatform(s)
		o.platform = &p
		return err
	})
	rest, err := parse(fs, args)
	if err != nil {
		return nil, err
	}
	switch {
	case len(rest) > 1 && rest[0] == "db":
		return nil, errors.New("flags go after the command: imagescan db status -db FILE")
	case len(rest) > 1:
		return nil, fmt.Errorf("%d images given, want one: %s", len(rest), strings.Join(rest, " "))
	case len(rest) == 1 && rest[0] == "":
		return nil, errors.New("the image's name is empty")
	case len(rest) == 1:
		o.ref = rest[0]
	}
	if o.ref == "" && o.platform != nil {
		return nil, errors.New("-platform chooses among the platforms of an image: give one")
	}
	if len(o.outputs) == 0 {
		o.outputs = []output{{format: "table"}}
	}
	return o, nil
}

func (o *options) addOutput(s string) error {
	format, file, named := strings.Cut(s, "=")
	if !slices.Contains(formats[:], format) {
		return fmt.Errorf("want one of %s", strings.Join(formats[:], ", "))
	}
	if named && file == "" {
		return fmt.Errorf("no file name after %s=", format)
	}
	if file == "-" {
		file = ""
	}
	for _, other := range o.outputs {
		if other.file == file {
			if file == "" {
				return fmt.Errorf("%s and %s cannot both go to stdout: give one a file, as in -o %s=FILE", other.format, format, format)
			}
			return fmt.Errorf("%s and %s cannot both go to %s", other.format, format, file)
		}
	}
	o.outputs = append(o.outputs, output{format, file})
	return nil
}

func newFlagSet(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	return fs
}

// parse takes flags before, between and after the other arguments, which it
// returns. What follows "--" is no flag.
func parse(fs *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		left := fs.Args()
		if len(left) == 0 {
			return rest, nil
		}
		if n := len(args) - len(left); n > 0 && args[n-1] == "--" {
			return append(rest, left...), nil
		}
		rest, args = append(rest, left[0]), left[1:]
	}
}

// inUserCache returns a path in the user's cache directory, "" if there is none.
func inUserCache(name string) string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "boltseal", name)
}
