package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/internal/report"
	"github.com/boltseal/boltseal/vuln"
)

// runDB is imagescan db.
func runDB(ctx context.Context, args []string, c *cli.Console) int {
	verb := ""
	if len(args) > 0 {
		verb = args[0]
	}
	switch verb {
	case "build":
		return runBuild(ctx, args[1:], c)
	case "status":
		return runStatus(ctx, args[1:], c)
	case "-h", "-help", "--help", "help":
		io.WriteString(c.Out, usageDB)
		return cli.ExitOK
	}
	return c.Usage(fmt.Errorf("want db build or db status, got %q", strings.TrimSpace("db "+verb)), usageDB)
}

// buildOptions are the flags of imagescan db build.
type buildOptions struct {
	from            []string
	file, kev, epss string
}

func runBuild(ctx context.Context, args []string, c *cli.Console) int {
	var o buildOptions
	fset := cli.NewFlagSet("db build")
	fset.Func("from", "", func(s string) error {
		if s == "" {
			return errors.New("want a directory or a URL")
		}
		o.from = append(o.from, s)
		return nil
	})
	fset.StringVar(&o.file, "o", cli.InUserCache(databaseFile), "")
	fset.StringVar(&o.kev, "kev", "", "")
	fset.StringVar(&o.epss, "epss", "", "")
	fset.BoolVar(&c.Quiet, "q", false, "")
	rest, err := cli.Parse(fset, args)
	switch {
	case err != nil:
	case len(rest) > 0:
		err = fmt.Errorf("db build takes no arguments, got %s", strings.Join(rest, " "))
	case len(o.from) == 0:
		err = errors.New("db build: say where the advisories are with -from DIR or -from URL")
	case o.file == "":
		err = errors.New("db build: there is no user cache here; name a file with -o FILE")
	}
	if err != nil {
		return c.Usage(err, usageBuild)
	}
	if err := o.build(ctx, c); err != nil {
		return c.Fail(err)
	}
	return cli.ExitOK
}

func (o *buildOptions) build(ctx context.Context, c *cli.Console) error {
	now, _, err := c.Now()
	if err != nil {
		return err
	}
	build := &vuln.BuildOptions{Time: now}
	for _, feed := range []struct {
		name string
		to   *io.Reader
	}{{o.kev, &build.KEV}, {o.epss, &build.EPSS}} {
		if feed.name == "" {
			continue
		}
		f, err := os.Open(feed.name)
		if err != nil {
			return err
		}
		defer f.Close()
		*feed.to = f
	}
	if err := os.MkdirAll(filepath.Dir(o.file), 0o755); err != nil {
		return err
	}
	var sources []fs.FS
	for _, from := range o.from {
		src, err := openSource(ctx, from, c)
		if err != nil {
			return fmt.Errorf("-from: %w", err)
		}
		sources = append(sources, src)
	}
	stats, err := vuln.Build(ctx, o.file, sources, build)
	if err != nil {
		return err
	}
	for i, s := range stats.Skipped {
		if i == 10 {
			c.Remark("and %d more documents that could not be read", len(stats.Skipped)-i)
			break
		}
		c.Remark("skipped %s: %s", s.Path, s.Reason)
	}
	fmt.Fprintf(c.Out, "%s: %d advisories for %d packages in %d ecosystems, %d bytes\n",
		report.Clean(o.file), stats.Advisories, stats.Packages, stats.Ecosystems, stats.Bytes)
	return nil
}

func runStatus(ctx context.Context, args []string, c *cli.Console) int {
	var path string
	fset := cli.NewFlagSet("db status")
	fset.StringVar(&path, "db", "", "")
	fset.BoolVar(&c.Quiet, "q", false, "")
	rest, err := cli.Parse(fset, args)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("db status takes no arguments, got %s", strings.Join(rest, " "))
	}
	if err != nil {
		return c.Usage(err, usageStatus)
	}
	a, err := openAdvisories(ctx, path, c)
	if err != nil {
		return c.Fail(err)
	}
	defer a.close()
	a.status(c.Out)
	return cli.ExitOK
}

// status writes what the database holds, source by source.
func (a *advisories) status(out io.Writer) {
	info := a.db.Info()
	fmt.Fprintf(out, "from        %s\n", report.Clean(a.from))
	fmt.Fprintf(out, "generation  %s\n", report.Clean(info.Generation))
	if info.Built != nil {
		fmt.Fprintf(out, "built       %s\n", info.Built.UTC().Format("2006-01-02 15:04 UTC"))
	}
	if info.Newest != nil {
		fmt.Fprintf(out, "newest      %s\n", info.Newest.UTC().Format("2006-01-02"))
	}
	fmt.Fprintf(out, "advisories  %d\nsize        %d bytes\n\n", info.Advisories, a.db.Size())
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SOURCE\tADVISORIES\tNEWEST\tLICENCE")
	for _, s := range info.Sources {
		newest, licence := "-", "not stated"
		if s.Newest != nil {
			newest = s.Newest.UTC().Format("2006-01-02")
		}
		if s.License != "" {
			licence = s.License
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", report.Clean(s.Name), s.Advisories, newest, report.Clean(licence))
	}
	fmt.Fprintln(w, "\nECOSYSTEM\tPACKAGES\tNEWEST\tORDER")
	for _, e := range a.db.Ecosystems() {
		newest := "-"
		if !e.Newest.IsZero() {
			newest = e.Newest.UTC().Format("2006-01-02")
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", report.Clean(e.Name), e.Packages, newest, report.Clean(e.Ordering))
	}
	w.Flush()
}
