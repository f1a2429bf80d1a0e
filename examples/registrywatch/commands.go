package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/internal/report"
	"github.com/boltseal/boltseal/registry"
)

// runStatus is registrywatch status.
func runStatus(ctx context.Context, args []string, c *cli.Console) int {
	fset := cli.NewFlagSet("status")
	path := fset.String("store", "", "")
	url := fset.String("url", "", "")
	asJSON := fset.Bool("json", false, "")
	if status, ok := parse(c, fset, args); !ok {
		return status
	}
	p := &report.Fleet{}
	var err error
	if *url != "" {
		err = ask(ctx, *url, "/status.json", func(r io.Reader) error { return json.NewDecoder(r).Decode(p) })
	} else {
		err = withStore(ctx, *path, func(s *registry.Store) (err error) {
			f := &fleet{name: *path, store: s}
			p, err = f.now(ctx)
			return err
		})
	}
	if err != nil {
		return c.Fail(err)
	}
	if *asJSON {
		enc := json.NewEncoder(report.JSON(c.Out))
		enc.SetIndent("", "  ")
		err = enc.Encode(p)
	} else {
		err = writeStatus(c.Out, p)
	}
	if err != nil {
		return c.Fail(err)
	}
	return cli.ExitOK
}

// writeStatus writes what is known for a terminal.
func writeStatus(out io.Writer, p *report.Fleet) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\n\nimages\t%d behind %d tags\n", report.Clean(p.Name), p.Images, p.References)
	for _, s := range []string{"critical", "high", "medium", "low", "none", "unknown"} {
		if n := p.Worst[s]; n > 0 {
			fmt.Fprintf(w, "  worst %s\t%d\n", s, n)
		}
	}
	for _, f := range p.Facts {
		fmt.Fprintf(w, "%s\t%s\n", report.Clean(strings.ToLower(f.Name)), report.Clean(f.Value))
	}
	for _, g := range p.Gaps {
		fmt.Fprintf(w, "not known: %s\n", report.Clean(g))
	}
	if len(p.Issues) > 0 {
		fmt.Fprintln(w, "\nADVISORY\tSEVERITY\tIMAGES\tPACKAGE\tFIXED IN")
	}
	for i, x := range p.Issues {
		if i == 20 {
			fmt.Fprintf(w, "and %d more\n", len(p.Issues)-i+p.More)
			break
		}
		severity := x.Severity.String()
		if x.Exploited != "" {
			severity += ", exploited"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", report.Clean(x.Rule), severity, x.Images, few(x.Packages, 20), few(x.Fixed, 16))
	}
	if len(p.Teams) > 0 {
		fmt.Fprintln(w, "\nTEAM\tIMAGES\tCRITICAL\tHIGH\tEXPLOITED\tWITH A FIX")
	}
	for _, t := range p.Teams {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\n", cmp.Or(report.Clean(t.Name), "-"), t.Images, t.Worst["critical"], t.Worst["high"], t.Exploited, t.Fixable)
	}
	return w.Flush()
}

// few writes the first of a list, as many as fit a column, and how many are left.
func few(list []string, width int) string {
	out := ""
	for i, s := range list {
		if s = report.Clean(s); i > 0 {
			if len(out)+2+len(s) > width {
				return fmt.Sprintf("%s +%d", out, len(list)-i)
			}
			s = ", " + s
		}
		out += s
	}
	return cmp.Or(out, "-")
}

// runEvents is registrywatch events.
func runEvents(ctx context.Context, args []string, c *cli.Console) int {
	fset := cli.NewFlagSet("events")
	path := fset.String("store", "", "")
	url := fset.String("url", "", "")
	since := fset.Uint64("since", 0, "")
	if status, ok := parse(c, fset, args); !ok {
		return status
	}
	out := report.JSON(c.Out)
	var err error
	if *url != "" {
		err = ask(ctx, *url, fmt.Sprintf("/events?since=%d", *since), func(r io.Reader) error { _, err := io.Copy(out, r); return err })
	} else {
		err = withStore(ctx, *path, func(s *registry.Store) error { return writeEvents(ctx, out, s, *since) })
	}
	if err != nil {
		return c.Fail(err)
	}
	return cli.ExitOK
}

// runVerify is registrywatch verify.
func runVerify(ctx context.Context, args []string, c *cli.Console) int {
	fset := cli.NewFlagSet("verify")
	path := fset.String("store", "", "")
	db := fset.String("db", "", "")
	if status, ok := parse(c, fset, args); !ok {
		return status
	}
	var differs error
	err := withStore(ctx, *path, func(s *registry.Store) error {
		var m registry.Matcher
		if *db != "" {
			a := &advisories{path: *db}
			var err error
			if m, err = a.get(ctx); err != nil {
				return err
			}
			g, err := s.Generation()
			if err != nil {
				return err
			}
			if g != m.Generation() {
				return fmt.Errorf("the store was evaluated with the advisories %s, %s has %s: leave -db out, or run registrywatch run -once first", short(g), *db, short(m.Generation()))
			}
		}
		differs = s.Verify(ctx, m)
		return ctx.Err()
	})
	switch {
	case err != nil:
		return c.Fail(err)
	case differs != nil:
		fmt.Fprintln(c.Err, "registrywatch: the store is not what it should be:")
		for _, line := range strings.Split(differs.Error(), "\n") {
			fmt.Fprintln(c.Err, "  "+report.Clean(line))
		}
		return cli.ExitFindings
	}
	fmt.Fprintln(c.Out, "the store is what it should be")
	return cli.ExitOK
}

// runCompact is registrywatch compact.
func runCompact(ctx context.Context, args []string, c *cli.Console) int {
	fset := cli.NewFlagSet("compact")
	path := fset.String("store", "", "")
	if status, ok := parse(c, fset, args); !ok {
		return status
	}
	part := *path + ".compact"
	var before int64
	err := withStore(ctx, *path, func(s *registry.Store) error {
		if err := os.Remove(part); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		st, err := s.Stats()
		before = st.Bytes
		if err == nil {
			err = s.Compact(ctx, part)
		}
		if err == nil {
			err = os.Rename(part, *path) // while it is locked, so that nobody writes to the old one
		}
		if err != nil {
			os.Remove(part)
		}
		return err
	})
	if err != nil {
		return c.Fail(err)
	}
	info, err := os.Stat(*path)
	if err != nil {
		return c.Fail(err)
	}
	fmt.Fprintf(c.Out, "%s: %d bytes, %d before\n", report.Clean(*path), info.Size(), before)
	return cli.ExitOK
}

func withStore(ctx context.Context, path string, use func(*registry.Store) error) error {
	s, err := openStore(ctx, path, false, 2*time.Second)
	if err != nil {
		return err
	}
	return errors.Join(use(s), s.Close())
}

// ask reads from a running monitor.
func ask(ctx context.Context, base, path string, use func(io.Reader) error) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+path, nil)
	if err != nil {
		return fmt.Errorf("-url: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s; is it the -listen address of registrywatch?", base, resp.Status)
	}
	if err := use(resp.Body); err != nil {
		return fmt.Errorf("%s: %w", base, err)
	}
	return nil
}
