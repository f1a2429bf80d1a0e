package main

import (
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/boltseal/boltseal/examples/internal/cli"
)

// progress draws a bar over the tags of a sweep below what is logged. It is nil
// where the output is no terminal.
type progress struct {
	w io.Writer

	mu          sync.Mutex
	bar         *progressbar.ProgressBar
	total, done int
}

func newProgress(w io.Writer) *progress {
	if cli.Columns(w) == 0 {
		return nil
	}
	return &progress{w: w}
}

// Write writes a line above the bar.
func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		p.bar.Clear()
	}
	return p.w.Write(b)
}

func (p *progress) listed(tags int) {
	if p == nil || tags == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total += tags
	if p.bar == nil {
		p.bar = progressbar.NewOptions(p.total, progressbar.OptionSetWriter(p.w), progressbar.OptionSetDescription("looking at tags"),
			progressbar.OptionShowCount(), progressbar.OptionSetWidth(max(10, min(40, cli.Columns(p.w)-60))), progressbar.OptionThrottle(100*time.Millisecond))
	}
	p.bar.ChangeMax(p.total)
}

func (p *progress) looked() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done++; p.bar != nil && p.done < p.total { // the end is for swept to draw
		p.bar.Add(1)
	}
}

func (p *progress) swept() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		p.bar.Clear()
	}
	p.bar, p.total, p.done = nil, 0, 0
}
