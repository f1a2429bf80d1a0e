package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/examples/internal/images"
	"github.com/boltseal/boltseal/image"
)

// runScan scans one image and writes what was asked for.
func runScan(ctx context.Context, o *options, c *cli.Console) int {
	c.Quiet = o.quiet
	now, fixed, err := c.Now()
	if err != nil {
		return c.Usage(err, "")
	}
	a, err := openAdvisories(ctx, o.db, c)
	if err != nil {
		return c.Fail(err)
	}
	defer a.close()
	r, err := scan(ctx, o, c, a, now)
	if r == nil {
		return c.Fail(err)
	}
	if err != nil {
		c.Remark("%v", err)
	}
	if fixed {
		r.Created = &now
	}
	if err := o.write(c, r, now); err != nil {
		return c.Fail(err)
	}
	if a.snapshot && o.ref != "" && !covered(r.Checks) {
		c.Remark("the advisories inside this program are few and age with it; a database for all scans to come: imagescan db build -from %s", osvExport)
	}
	return o.status(c, r)
}

// scan is the whole job: open, read every layer once, match. A report that
// comes with an error holds what could be read.
func scan(ctx context.Context, o *options, c *cli.Console, a *advisories, now time.Time) (*boltseal.Report, error) {
	img, cache, err := o.open(ctx, c)
	if err != nil {
		return nil, err
	}
	defer img.Close()

	analyzers, scanner := o.analyzers(c)
	observer, done := c.Progress("reading layers")
	inv, err := image.Analyze(ctx, img, &image.AnalyzeOptions{Cache: cache, Observer: observer}, analyzers...)
	done()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("interrupted: %w", context.Cause(ctx))
	}
	if inv == nil {
		return nil, err
	}
	r := inv.Report()
	if scanner != nil {
		err = errors.Join(err, configSecrets(ctx, scanner, img, r))
	}
	layers, cerr := image.Classify(ctx, inv, nil)
	layers.Apply(r)
	if cerr != nil { // the provenance; the layers' contents are not concerned
		r.Skipped = append(r.Skipped, boltseal.Skip{Reason: "provenance: " + cerr.Error(), Note: true})
	}
	for m := range a.db.Match(inv.Packages) {
		r.Findings = append(r.Findings, m.Finding())
	}
	r.Checks = append(r.Checks, a.db.Coverage(now, inv.Distro, inv.Packages)...)
	r.Advisories = a.db.Info()
	r.Complete = r.Complete && err == nil && covered(r.Checks)
	return r, err
}

// open opens the image and the cache of layer records.
func (o *options) open(ctx context.Context, c *cli.Console) (*image.Image, image.Cache, error) {
	if o.ref == "" {
		img, err := openDemo(ctx)
		return img, nil, err
	}
	if info, err := os.Stat(o.ref); err == nil && (info.Mode().IsRegular() || filepath.IsAbs(o.ref) || strings.HasPrefix(o.ref, ".")) {
		how := "oci-archive:%[1]s or docker-archive:%[1]s"
		if info.IsDir() {
			how = "oci:%[1]s for an image layout, dir:%[1]s for a root file system"
		}
		return nil, nil, fmt.Errorf("%[1]s lies here, and is no image in a registry; say "+how, o.ref)
	} else if filepath.IsAbs(o.ref) || strings.HasPrefix(o.ref, ".") { // no image has such a name
		return nil, nil, err
	}
	opts := images.OpenOptions(o.ref, c)
	opts.Platform = o.platform
	img, err := image.Open(ctx, o.ref, opts)
	if err != nil || o.cache == "" {
		return img, nil, err
	}
	return img, &image.DirCache{Dir: o.cache}, nil
}
