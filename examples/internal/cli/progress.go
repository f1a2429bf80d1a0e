package cli

import (
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/boltseal/boltseal"
)

// Progress draws one bar for all items being read. It returns nil, and a func
// that does nothing, unless Err is a terminal.
func (c *Console) Progress(what string) (o *boltseal.Observer, done func()) {
	width := Columns(c.Err)
	if c.Quiet || width == 0 {
		return nil, func() {}
	}
	p := &bar{left: map[string]int64{}, bar: progressbar.NewOptions64(1,
		progressbar.OptionSetWriter(c.Err),
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

// Counter draws how many things were done, where their number is not known
// before. It draws nothing unless Err is a terminal.
func (c *Console) Counter(what string) (step, done func()) {
	if c.Quiet || Columns(c.Err) == 0 {
		return func() {}, func() {}
	}
	b := progressbar.NewOptions(-1,
		progressbar.OptionSetWriter(c.Err),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(100*time.Millisecond),
	)
	return func() { b.Add(1) }, func() { b.Finish(); b.Clear() }
}
