package main

import (
	"io"
	"path/filepath"
	"time"

	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/internal/report"
)

const tool = "clusteraudit"

// write writes the audit in every form that was asked for.
func (o *auditOptions) write(c *cli.Console, a *audit, now time.Time) error {
	return o.outputs.Write(c, func(w io.Writer, format string) error {
		switch format {
		case "json":
			return a.report.WriteJSON(report.JSON(w))
		case "sarif":
			return report.SARIF(report.JSON(w), a.report, report.Tool{Name: tool})
		case "html":
			return report.ClusterHTML(w, a.page(o.name(), now))
		}
		a.table(w)
		return nil
	})
}

// name is what the page calls the cluster.
func (o *auditOptions) name() string {
	switch {
	case o.kubeconfig != "":
		return "cluster of " + filepath.Base(o.kubeconfig)
	case o.path == "-":
		return "standard input"
	}
	return filepath.Base(o.path)
}
