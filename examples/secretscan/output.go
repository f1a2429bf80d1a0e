package main

import (
	"io"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/internal/report"
	"github.com/boltseal/boltseal/secrets"
)

const tool = "secretscan"

// finish writes the baseline and the reports that were asked for.
func (o *options) finish(c *cli.Console, r *boltseal.Report) error {
	if o.writeBaseline != "" {
		b := secrets.NewBaseline(r.Findings, o.reason)
		if err := cli.WriteFile(o.writeBaseline, b.Write); err != nil {
			return err
		}
		b.Apply(r.Findings)
		c.Remark("wrote %d entries to %s", len(b.Entries), o.writeBaseline)
	}
	return o.outputs.Write(c, func(w io.Writer, format string) error { return render(w, c, format, r) })
}

func render(w io.Writer, c *cli.Console, format string, r *boltseal.Report) error {
	switch format {
	case "json":
		return r.WriteJSON(report.JSON(w))
	case "html":
		return report.HTML(w, r)
	case "sarif":
		return report.SARIF(report.JSON(w), r, report.Tool{Name: tool})
	}
	return report.Table(w, r, &report.TableOptions{Width: cli.Columns(c.Out), Color: c.Color()})
}

// exceeded reports whether a finding that counts is at or above -fail-on.
func (o *options) exceeded(r *boltseal.Report) bool {
	if o.failOn == nil {
		return false
	}
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Suppressed == "" && f.Severity >= *o.failOn {
			return true
		}
	}
	return false
}
