package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/examples/internal/images"
	"github.com/boltseal/boltseal/secrets"
	"github.com/boltseal/boltseal/secrets/gitleaks"
)

// policy is what is looked for, and what of it counts.
type policy struct {
	options  *secrets.Options
	allow    []secrets.Allow
	baseline *secrets.Baseline
}

func (o *options) policy(c *cli.Console) (*policy, error) {
	salt, err := o.readSalt(c)
	if err != nil {
		return nil, err
	}
	p := &policy{options: &secrets.Options{
		Salt: salt, IgnoreMarks: o.ignoreMarks, Decompress: images.Decompress(),
	}}
	if o.baseline != "" {
		if p.baseline, err = readFile(o.baseline, secrets.ReadBaseline); err != nil {
			return nil, err
		}
	}
	if o.rules == "" && o.gitleaks == "" {
		return p, nil
	}
	rules := secrets.Families()
	if o.gitleaks != "" {
		imported, err := readFile(o.gitleaks, func(r io.Reader) (*gitleaks.Imported, error) {
			return gitleaks.Read(r, &gitleaks.Options{Open: func(path string) (io.ReadCloser, error) {
				if path == "default" {
					return nil, errors.New("the built-in rules are not those of Gitleaks: give its file by extend.path")
				}
				return os.Open(path)
			}})
		})
		if err != nil {
			return nil, err
		}
		for _, r := range imported.Refused {
			c.Remark("%s: %s: not taken over: %s", o.gitleaks, r.Rule, r.Reason)
		}
		for i := range imported.Rules {
			imported.Rules[i].ID = "gitleaks-" + imported.Rules[i].ID // beside a built-in of that name
		}
		rules = append(rules, imported.Rules...)
	}
	if o.rules != "" {
		f, err := readFile(o.rules, secrets.ReadRules)
		if err != nil {
			return nil, err
		}
		p.allow = f.Allow
		if rules, err = f.Apply(rules, nil); err != nil {
			return nil, fmt.Errorf("%s: %w", o.rules, err)
		}
	}
	p.options.Rules, err = secrets.Compile(rules)
	return p, err
}

func readFile[T any](name string, read func(io.Reader) (T, error)) (v T, err error) {
	f, err := os.Open(name)
	if err != nil {
		return v, err
	}
	defer f.Close()
	if v, err = read(f); err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return v, err
}

// apply marks the findings that do not count.
func (p *policy) apply(c *cli.Console, r *boltseal.Report) {
	for _, a := range secrets.ApplyAllow(r.Findings, p.allow, time.Now()) {
		c.Remark("an exception fits nothing any more: %s", a.Reason)
	}
	if p.baseline != nil {
		if gone := p.baseline.Apply(r.Findings); len(gone) > 0 {
			c.Remark("%d of %d entries of the baseline fit nothing here: dealt with, elsewhere, or made with another salt", len(gone), len(p.baseline.Entries))
		}
	}
}

// readSalt returns the salt of the fingerprints. One that is not named is made
// once and kept, so that the same secret has the same fingerprint tomorrow.
func (o *options) readSalt(c *cli.Console) ([]byte, error) {
	if o.salt != "" {
		return secrets.LoadSalt(o.salt, false)
	}
	name := cli.InUserCache("secrets.salt")
	if name == "" {
		c.Remark("no user cache: fingerprints of this scan fit no other")
		return nil, nil
	}
	return secrets.LoadSalt(name, true)
}
