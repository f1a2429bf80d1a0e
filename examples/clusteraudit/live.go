package main

import (
	"context"
	"fmt"

	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/orchestrator"
	"github.com/boltseal/boltseal/orchestrator/kube"
)

// live reads a running cluster, by the current context of the kubeconfig.
func (s *source) live(ctx context.Context) (*orchestrator.Snapshot, error) {
	conf, err := clientcmd.BuildConfigFromFlags("", s.kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.kubeconfig, err)
	}
	return kube.Snapshot(ctx, conf, &s.read)
}

// runRole prints the ClusterRole that an audit of a running cluster needs, with
// the same -only and -configmaps.
func runRole(_ context.Context, args []string, c *cli.Console) int {
	fs := cli.NewFlagSet("role")
	name := "clusteraudit"
	fs.StringVar(&name, "name", name, "")
	var opt kube.Options
	liveFlags(fs, &opt)
	rest, err := cli.Parse(fs, args)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("role takes no path: %s", rest[0])
	}
	if err != nil {
		return c.Usage(err, usage)
	}
	data, err := yaml.Marshal(kube.ClusterRole(name, &opt, false))
	if err != nil {
		return c.Fail(err)
	}
	if _, err := c.Out.Write(data); err != nil {
		return c.Fail(err)
	}
	return cli.ExitOK
}
