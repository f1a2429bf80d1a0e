package main

import (
	"context"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/image"
	"github.com/boltseal/boltseal/sbom"
	"github.com/boltseal/boltseal/secrets"
)

// analyzers returns what looks at the files of layers. The scanner is for the
// image's configuration; it is nil if nobody wants to know of secrets.
//
// The fingerprints of secrets are keyed with a salt that is made once and kept
// in the user's cache: findings stay comparable over scans, and records of
// layers can be used again. The demo, which keeps nothing, has a fixed one.
func (o *options) analyzers(c *cli.Console) ([]image.Analyzer, *secrets.Scanner) {
	all := sbom.Analyzers()
	if !o.secrets {
		return all, nil
	}
	so := &secrets.Options{Decompress: map[string]func(io.Reader) (io.ReadCloser, error){"zstd": unzstd}}
	if o.ref == "" {
		so.Salt = []byte("the demo has no secrets to keep")
	} else if name := cli.InUserCache("secrets.salt"); name != "" {
		var err error
		if so.Salt, err = secrets.LoadSalt(name, true); err != nil {
			c.Remark("secrets are fingerprinted for this scan alone: %v", err)
		}
	}
	return append(all, secrets.New(so)), secrets.NewScanner(so)
}

// configSecrets adds what the image's configuration holds, and joins the places of each
// secret.
func configSecrets(ctx context.Context, s *secrets.Scanner, img *image.Image, r *boltseal.Report) error {
	res, err := s.Config(ctx, img.Config.Raw, img.Annotations)
	for i := range res.Matches {
		r.Findings = append(r.Findings, res.Matches[i].Finding())
	}
	for _, s := range res.Skipped {
		r.Skipped = append(r.Skipped, s)
		r.Complete = r.Complete && s.Note
	}
	r.Findings = secrets.GroupFindings(r.Findings)
	return err
}

// unzstd opens files in layers that are compressed with zstd.
func unzstd(r io.Reader) (io.ReadCloser, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(128<<20))
	if err != nil {
		return nil, err
	}
	return z.IOReadCloser(), nil
}
