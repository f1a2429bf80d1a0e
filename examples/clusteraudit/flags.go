package main

import (
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/boltseal/boltseal/orchestrator/kube"
)

// source says where the cluster is read from; all commands share it.
type source struct {
	path       string // a file, a folder, or "-"
	kubeconfig string
	read       kube.Options // of a running cluster
	namespace  string       // of manifests that name none
	complete   bool
	minor      int
	quiet      bool
}

func (s *source) flags(fs *flag.FlagSet) {
	fs.StringVar(&s.kubeconfig, "kubeconfig", "", "")
	liveFlags(fs, &s.read)
	fs.StringVar(&s.namespace, "namespace", "", "")
	fs.BoolVar(&s.complete, "complete", false, "")
	fs.IntVar(&s.minor, "minor", 0, "")
	fs.BoolVar(&s.quiet, "q", false, "")
}

// liveFlags say what of a running cluster is read.
func liveFlags(fs *flag.FlagSet, o *kube.Options) {
	fs.Func("only", "", func(s string) error {
		for ns := range strings.SplitSeq(s, ",") {
			if ns == "" {
				return errors.New("want namespaces, separated by commas")
			}
			o.Namespaces = append(o.Namespaces, ns)
		}
		return nil
	})
	fs.BoolVar(&o.ConfigMaps, "configmaps", false, "")
}

// take takes the one path that is left of the arguments.
func (s *source) take(rest []string) error {
	switch {
	case len(rest) > 1:
		return fmt.Errorf("%d paths given, want one: %s", len(rest), strings.Join(rest, " "))
	case len(rest) == 1 && s.kubeconfig != "":
		return errors.New("give a path or -kubeconfig, not both")
	case s.kubeconfig == "" && (len(s.read.Namespaces) > 0 || s.read.ConfigMaps):
		return errors.New("-only and -configmaps say what to read of a running cluster: they go with -kubeconfig")
	case len(rest) == 1:
		s.path = rest[0]
	case s.kubeconfig == "":
		return errors.New("give a file or folder of manifests, - for standard input, or -kubeconfig FILE")
	}
	return nil
}
