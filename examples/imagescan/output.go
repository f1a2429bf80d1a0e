package main

import (
	"io"
	"time"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/internal/report"
	"github.com/boltseal/boltseal/sbom/cyclonedx"
	"github.com/boltseal/boltseal/sbom/spdx"
)

const tool = "imagescan"

// write writes the report in every form that was asked for.
func (o *options) write(c *cli.Console, r *boltseal.Report, now time.Time) error {
	return o.outputs.Write(c, func(w io.Writer, format string) error { return o.render(w, c, format, r, now) })
}

func (o *options) render(w io.Writer, c *cli.Console, format string, r *boltseal.Report, now time.Time) error {
	var stated time.Time // of documents: only what SOURCE_DATE_EPOCH says
	if r.Created != nil {
		stated = *r.Created
	}
	switch format {
	case "json":
		return r.WriteJSON(report.JSON(w))
	case "html":
		dated := *r
		dated.Created = &now
		return report.HTML(w, &dated)
	case "sarif":
		return report.SARIF(report.JSON(w), r, report.Tool{Name: tool})
	case "cyclonedx":
		return cyclonedx.Write(report.JSON(w), r, &cyclonedx.WriteOptions{Created: stated, Tool: tool})
	case "spdx":
		return spdx.Write(report.JSON(w), r, &spdx.WriteOptions{Created: stated, Tool: tool})
	}
	return report.Table(w, r, &report.TableOptions{Width: cli.Columns(c.Out), Color: c.Color(), Layers: o.layers})
}
