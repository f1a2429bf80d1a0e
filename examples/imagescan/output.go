package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/report"
	"github.com/boltseal/boltseal/sbom/cyclonedx"
	"github.com/boltseal/boltseal/sbom/spdx"
)

const tool = "imagescan"

// write writes the report in every form that was asked for.
func (o *options) write(c *console, r *boltseal.Report, now time.Time) error {
	for _, out := range o.outputs {
		var err error
		if out.file == "" {
			b := bufio.NewWriter(c.out)
			if err = o.render(b, c, out.format, r, now); err == nil {
				err = b.Flush()
			}
		} else {
			err = writeFile(out.file, func(w io.Writer) error { return o.render(w, c, out.format, r, now) })
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

func (o *options) render(w io.Writer, c *console, format string, r *boltseal.Report, now time.Time) error {
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
	return report.Table(w, r, &report.TableOptions{Width: columns(c.out), Color: c.color(c.out), Layers: o.layers})
}

// writeFile writes a file whole or not at all: beside it first, then renamed.
// What exists and is no regular file, such as a pipe, is written to directly.
func writeFile(name string, fill func(io.Writer) error) error {
	if info, serr := os.Stat(name); serr == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return finish(f, fill)
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		var at *fs.PathError // of a name that nobody knows
		if errors.As(err, &at) {
			err = at.Err
		}
		return fmt.Errorf("%s: %w", name, err)
	}
	defer os.Remove(f.Name()) // fails once renamed
	f.Chmod(0o644)
	if err := finish(f, fill); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

func finish(f *os.File, fill func(io.Writer) error) error {
	b := bufio.NewWriter(f)
	err := fill(b)
	if err == nil {
		err = b.Flush()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
