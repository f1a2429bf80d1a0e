package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/orchestrator"
)

// load reads the cluster. An error beside a snapshot concerns single documents
// or kinds: the rest was read.
func (s *source) load(ctx context.Context, c *cli.Console) (*orchestrator.Snapshot, error) {
	opt := &orchestrator.LoadOptions{Namespace: s.namespace, Complete: s.complete, Minor: s.minor}
	if s.kubeconfig != "" {
		return s.live(ctx)
	}
	if s.path == "-" {
		return orchestrator.Read(ctx, c.In, "stdin", opt)
	}
	info, err := os.Stat(s.path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return orchestrator.Load(ctx, os.DirFS(s.path), opt)
	}
	f, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return orchestrator.Read(ctx, f, filepath.Base(s.path), opt)
}
