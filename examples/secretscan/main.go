// Secretscan finds credentials in folders, in the history of git repositories, in
// images and in what it is piped.
//
//	secretscan                                    the files of the current folder
//	secretscan dir:/srv/app                       those of another one
//	secretscan git:.                              every commit, also those that nothing leads to
//	secretscan debian:12                          an image: every layer, its configuration and history
//	secretscan oci-archive:image.tar              a file that buildah, skopeo or BuildKit wrote
//	git diff --cached | secretscan -              anything
//	secretscan -o table -o sarif=scan.sarif -fail-on medium git:.
//	secretscan -write-baseline known.json -reason "before our time" git:.
//	secretscan -baseline known.json -fail-on low git:.
//
// Run it with -h for all flags. The exit status is 0 if nothing is at or above -fail-on
// (without that flag: always), 1 if something is, 2 for a usage error, and 3 if the scan
// failed or is incomplete. What was found counts more than what was missed.
//
// # Secrets stay secret
//
// Reports hold of each secret what every token of its family begins with, its length, and a
// fingerprint, which is keyed with a salt: without the salt, not even a short
// password can be guessed from it. The salt is made once and kept in the
// user's cache directory, $XDG_CACHE_HOME/boltseal/secrets.salt or
// ~/.cache/boltseal/secrets.salt on Linux. A team that shares a baseline shares a salt:
// -salt names its file, of 16 bytes or more, which is a secret itself.
//
// # Before each commit
//
// As .git/hooks/pre-commit, made executable:
//
//	#!/bin/sh
//	git diff --cached --no-color --no-ext-diff -U0 | secretscan -q -fail-on low -
//
// # Rules, exceptions
//
// The file of -rules adds rules, switches some off, changes severities, and
// lists exceptions with a reason and a last day; see RuleFile in package
// secrets. -gitleaks takes rules in the format of Gitleaks. A line with
// "boltseal:allow" is excepted too, unless -ignore-marks is given.
package main

import (
	"context"

	"github.com/boltseal/boltseal/examples/internal/cli"
)

func main() { cli.Main(tool, run) }

// run is the program: arguments in, exit status out.
func run(ctx context.Context, args []string, c *cli.Console) int {
	o, err := parseFlags(args)
	if err != nil {
		return c.Usage(err, usage)
	}
	c.Quiet = o.quiet
	r, err := o.scan(ctx, c)
	if r == nil {
		return c.Fail(err)
	}
	if err != nil {
		c.Remark("%v", err)
		r.Complete = false
	}
	if err := o.finish(c, r); err != nil {
		return c.Fail(err)
	}
	if o.exceeded(r) {
		return cli.ExitFindings
	}
	if !r.Complete {
		return cli.ExitIncomplete
	}
	return cli.ExitOK
}
