package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/boltseal/boltseal/internal/report"
)

const tool = "clusteraudit"

// write writes the audit in every form that was asked for.
func (o *auditOptions) write(c *console, a *audit, now time.Time) error {
	for _, out := range o.outputs {
		err := error(nil)
		if out.file == "" {
			err = o.render(c.out, out.format, a, now)
		} else {
			err = writeFile(out.file, func(w io.Writer) error { return o.render(w, out.format, a, now) })
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", out.format, err)
		}
		if out.file != "" {
			c.remark("wrote %s", out.file)
		}
	}
	return nil
}

func (o *auditOptions) render(w io.Writer, format string, a *audit, now time.Time) error {
	b := bufio.NewWriter(w)
	var err error
	switch format {
	case "json":
		err = a.report.WriteJSON(report.JSON(b))
	case "sarif":
		err = report.SARIF(report.JSON(b), a.report, report.Tool{Name: tool})
	case "html":
		err = report.ClusterHTML(b, a.page(o.name(), now))
	default:
		a.table(b)
	}
	if err != nil {
		return err
	}
	return b.Flush()
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

// writeFile writes a file whole or not at all: beside it first, then renamed.
func writeFile(name string, fill func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once renamed
	f.Chmod(0o644)
	err = fill(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
