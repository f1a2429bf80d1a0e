package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/report"
	"github.com/boltseal/boltseal/secrets"
)

// finish writes the baseline and the reports that were asked for.
func (o *options) finish(c *console, r *boltseal.Report) error {
	if o.writeBaseline != "" {
		b := secrets.NewBaseline(r.Findings, o.reason)
		if err := writeFile(o.writeBaseline, b.Write); err != nil {
			return err
		}
		b.Apply(r.Findings)
		c.remark("wrote %d entries to %s", len(b.Entries), o.writeBaseline)
	}
	for _, out := range o.outputs {
		render := func(w io.Writer) error { return c.render(w, out.format, r) }
		if out.file != "" {
			if err := writeFile(out.file, render); err != nil {
				return err
			}
			continue
		}
		b := bufio.NewWriter(c.out)
		if err := errors.Join(render(b), b.Flush()); err != nil {
			return fmt.Errorf("write %s: %w", out.format, err)
		}
	}
	return nil
}

func (c *console) render(w io.Writer, format string, r *boltseal.Report) error {
	switch format {
	case "json":
		return r.WriteJSON(w)
	case "html":
		return report.HTML(w, r)
	case "sarif":
		return report.SARIF(w, r, report.Tool{Name: "secretscan"})
	}
	o := &report.TableOptions{}
	if f, ok := c.out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		o.Color = c.env("NO_COLOR") == "" && c.env("TERM") != "dumb"
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			o.Width = n
		}
	}
	return report.Table(w, r, o)
}

func writeFile(name string, fill func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(f)
	if err := errors.Join(fill(b), b.Flush(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
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
