package main

import (
	"context"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/examples/internal/images"
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
	so := &secrets.Options{Decompress: images.Decompress()}
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
	res.Apply(r)
	r.Findings = secrets.GroupFindings(r.Findings)
	return err
}
