package secrets

import (
	"context"
	"io/fs"

	"github.com/boltseal/boltseal"
)

// Analyzer finds secrets in files, as a [boltseal.FileAnalyzer]. It is safe for
// concurrent use.
type Analyzer struct {
	settings *settings
	info     boltseal.Info
}

// New returns an analyzer. Nil options are the defaults.
func New(o *Options) *Analyzer {
	s := o.settle()
	return &Analyzer{settings: s, info: boltseal.Info{
		ID: "secrets", Version: engineVersion, Options: s.digest(),
		Doc: "credentials left in files, whatever they are packed and encoded in",
	}}
}

// Info describes the analyzer. Its Options digest the rules and the salt.
func (a *Analyzer) Info() boltseal.Info { return a.info }

// Wants returns true for every regular file.
func (a *Analyzer) Wants(string, fs.DirEntry) bool { return true }

// smallFile is up to what size a file is taken whole: the size up to which
// drivers have it in memory anyway.
const smallFile = 256 << 10

// AnalyzeFile scans one file and everything in it.
func (a *Analyzer) AnalyzeFile(ctx context.Context, f *boltseal.File, p *boltseal.Pass) error {
	s := a.settings.scan(p.Limits.WithDefaults())
	c := content{loc: boltseal.Location{Path: f.Path}}
	err := s.file(ctx, c, f.Content, f.Info.Size() <= smallFile)
	for _, m := range s.grouped.order {
		p.Finding(m.Finding())
	}
	p.Results.Skipped = append(p.Results.Skipped, s.skips...)
	return err
}
