package main

import (
	"errors"
	"flag"
	"fmt"
	"strings"
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
