package main

import (
	"errors"
	"fmt"
	"strings"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/image"
)

// options are what the command line asks for.
type options struct {
	ref      string // empty: the demo
	outputs  cli.Outputs
	db       string
	cache    string // empty: none
	platform *v1.Platform
	failOn   *boltseal.Severity // nil: never
	unrated  boltseal.Severity
	layers   bool
	secrets  bool
	quiet    bool
}

func parseFlags(args []string) (*options, error) {
	o := &options{unrated: boltseal.SeverityCritical, cache: cli.InUserCache("layers")}
	fs := cli.NewFlagSet("imagescan")
	o.outputs.Formats = []string{"table", "json", "html", "sarif", "cyclonedx", "spdx"}
	fs.Func("o", "", o.outputs.Add)
	fs.StringVar(&o.db, "db", "", "")
	fs.StringVar(&o.cache, "cache", o.cache, "")
	fs.BoolVar(&o.layers, "layers", false, "")
	fs.BoolVar(&o.secrets, "secrets", true, "")
	fs.BoolVar(&o.quiet, "q", false, "")
	fs.Func("fail-on", "", cli.Severity(&o.failOn))
	fs.Func("unrated", "", func(s string) (err error) {
		o.unrated, err = boltseal.ParseSeverity(s)
		return err
	})
	fs.Func("platform", "", func(s string) error {
		p, err := image.ParsePlatform(s)
		o.platform = &p
		return err
	})
	rest, err := cli.Parse(fs, args)
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
	return o, nil
}
