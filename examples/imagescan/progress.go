package main

import (
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/boltseal/boltseal"
)

// progress draws one bar for all items being read. It returns nil, and a func
// that does nothing, unless w is a terminal.
func progress(w io.Writer, what string, quiet bool) (o *boltseal.Observer, done func()) {
	width := columns(w)
	if quiet || width == 0 {
		return nil, func() {}
	}
	p := &bar{left: map[string]int64{}, bar: progressbar.NewOptions64(1,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(true),
		progressbar.OptionSetWidth(max(10, min(40, width-50))),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(100*time.Millisecond),
	)}
	return &boltseal.Observer{Begin: p.begin, Advance: p.advance, End: p.end}, p.finish
}

// bar sums what is known of all items. An item ends at its total, whatever
// was read of it.
type bar struct {
	mu    sync.Mutex
	bar   *progressbar.ProgressBar
	total int64
	left  map[string]int64
}

func (p *bar) begin(item string, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if total <= 0 {
		return
	}
	p.total += total
	p.left[item] += total
	p.bar.ChangeMax64(p.total)
}

func (p *bar) advance(item string, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n = min(n, p.left[item]); n > 0 {
		p.left[item] -= n
		p.bar.Add64(n)
	}
}

func (p *bar) end(item string, _ error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := p.left[item]; n > 0 {
		p.bar.Add64(n)
	}
	delete(p.left, item)
}

func (p *bar) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bar.Finish()
	p.bar.Clear()
}
