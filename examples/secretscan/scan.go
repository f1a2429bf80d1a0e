package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/examples/internal/images"
	"github.com/boltseal/boltseal/image"
	"github.com/boltseal/boltseal/secrets"
)

// scan reads the target. A report that comes with an error holds what could be
// read.
func (o *options) scan(ctx context.Context, c *cli.Console) (*boltseal.Report, error) {
	p, err := o.policy(c)
	if err != nil {
		return nil, err
	}
	r, err := o.read(ctx, c, p.options)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("interrupted: %w", context.Cause(ctx))
	}
	if r == nil {
		return nil, err
	}
	r.Findings = secrets.GroupFindings(r.Findings)
	p.apply(c, r)
	return r, err
}

func (o *options) read(ctx context.Context, c *cli.Console, so *secrets.Options) (*boltseal.Report, error) {
	s := secrets.NewScanner(so)
	kind, path, _ := strings.Cut(o.target, ":")
	if strings.HasPrefix(o.target, ".") || filepath.IsAbs(o.target) { // no image has such a name
		kind, path = "dir", o.target
	}
	switch {
	case o.target == "-":
		res, err := s.Reader(ctx, "stdin", c.In)
		return collect(c, "stdin", func(yield func(secrets.Result, error) bool) { yield(res, err) })
	case kind == "dir":
		return readFiles(ctx, c, s, o.target, path)
	case kind == "git":
		limits := boltseal.Limits{ArchiveBytes: 256 << 30, ArchiveEntries: boltseal.Unlimited} // history is long
		deep := *so
		deep.Limits = &limits
		return collect(c, o.target, secrets.NewScanner(&deep).Git(ctx, os.DirFS(path)))
	}
	if _, err := os.Stat(o.target); err == nil {
		return nil, fmt.Errorf("%[1]s lies here, and is no image in a registry; say dir:%[1]s", o.target)
	}
	return o.readImage(ctx, c, s, so)
}

// collect makes a report of the results of files.
func collect(c *cli.Console, name string, results iter.Seq2[secrets.Result, error]) (*boltseal.Report, error) {
	r := &boltseal.Report{Image: &boltseal.ReportImage{Name: name}, Complete: true}
	var errs []error
	const most = 20
	step, done := c.Counter("looking at files")
	defer done()
	for res, err := range results {
		step()
		res.Apply(r)
		if err != nil {
			r.Complete = false
			if len(errs) < most {
				errs = append(errs, err)
			}
		}
	}
	// A secret that a file and the history beside it both hold is shown by its file.
	slices.SortStableFunc(r.Findings, func(a, b boltseal.Finding) int { return cmp.Compare(nested(a), nested(b)) })
	return r, errors.Join(errs...)
}

// nested counts the archives and repositories that a finding lies in.
func nested(f boltseal.Finding) int {
	if len(f.Locations) == 0 {
		return 0
	}
	return len(f.Locations[0].Member)
}

// readFiles reads a folder, or one file.
func readFiles(ctx context.Context, c *cli.Console, s *secrets.Scanner, target, path string) (*boltseal.Report, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return collect(c, target, s.FS(ctx, os.DirFS(path)))
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: neither a folder nor a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	res, err := s.Reader(ctx, path, f)
	return collect(c, target, func(yield func(secrets.Result, error) bool) { yield(res, err) })
}

// readImage reads every layer of an image once, and its configuration.
func (o *options) readImage(ctx context.Context, c *cli.Console, s *secrets.Scanner, so *secrets.Options) (*boltseal.Report, error) {
	img, err := image.Open(ctx, o.target, images.OpenOptions(o.target, c))
	if err != nil {
		return nil, err
	}
	defer img.Close()
	observer, done := c.Progress("reading layers")
	ao := &image.AnalyzeOptions{Observer: observer}
	if o.cache != "" {
		ao.Cache = &image.DirCache{Dir: o.cache}
	}
	inv, err := image.Analyze(ctx, img, ao, secrets.New(so))
	done()
	if inv == nil {
		return nil, err
	}
	r := inv.Report()
	res, cerr := s.Config(ctx, img.Config.Raw, img.Annotations)
	res.Apply(r)
	r.Complete = r.Complete && cerr == nil
	return r, errors.Join(err, cerr)
}
