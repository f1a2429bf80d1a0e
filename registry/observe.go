package registry

import "time"

// Observer is told what a [Monitor] does, for metrics and progress. Every func
// is optional, is called from several goroutines, and must return quickly.
type Observer struct {
	// Listed is called when the tags of a repository are known.
	Listed func(repository string, tags int)
	// Looked is called when a tag was looked up, and its images analysed.
	Looked func(repository string)
	// Analysed is called after each analysis of an image.
	Analysed func(name string, took time.Duration, err error)
	// Swept is called after each look at the registries. Full is false for one
	// that hints caused.
	Swept func(r Round, full bool)
	// Evaluated is called after a new generation of advisories was evaluated.
	Evaluated func(e Evaluation, took time.Duration)
}

func (o *Observer) listed(repository string, tags int) {
	if o != nil && o.Listed != nil {
		o.Listed(repository, tags)
	}
}

func (o *Observer) looked(repository string) {
	if o != nil && o.Looked != nil {
		o.Looked(repository)
	}
}

func (o *Observer) analysed(name string, took time.Duration, err error) {
	if o != nil && o.Analysed != nil {
		o.Analysed(name, took, err)
	}
}

func (o *Observer) swept(r Round, full bool) {
	if o != nil && o.Swept != nil {
		o.Swept(r, full)
	}
}

func (o *Observer) evaluated(e Evaluation, took time.Duration) {
	if o != nil && o.Evaluated != nil {
		o.Evaluated(e, took)
	}
}
