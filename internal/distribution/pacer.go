package distribution

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/boltseal/boltseal/internal/wait"
)

// Quota is what a registry says of its rate limit, in the headers RateLimit-Limit
// and RateLimit-Remaining ("100;w=21600").
type Quota struct {
	Known     bool
	Limit     int           // requests in Window
	Remaining int           // of them
	Window    time.Duration // 0 if not told
	Seen      time.Time
}

// pacer slows down when a registry says that it is too much, and speeds up when
// it no longer does: half as fast at each complaint, a tenth faster each second
// without one, and free again at twice the rate that was too much.
type pacer struct {
	free atomic.Bool // nothing below is looked at while it is set

	mu       sync.Mutex
	limiter  *rate.Limiter
	until    time.Time // no request before
	too      float64   // requests/s that were too much
	raised   time.Time
	second   time.Time // start of the second that count counts
	count    int
	previous int // requests of the second before
	known    Quota
}

const slowest = 1 // requests/s

func newPacer() *pacer {
	p := &pacer{limiter: rate.NewLimiter(rate.Inf, 1)}
	p.free.Store(true)
	return p
}

// wait returns when the next request may be made. If that is longer away than
// the given time, it returns at once, and says how long.
func (p *pacer) wait(ctx context.Context, longest time.Duration) (tooLong time.Duration, err error) {
	if p.free.Load() {
		return 0, nil
	}
	p.mu.Lock()
	d := time.Until(p.until)
	p.mu.Unlock()
	if d > longest {
		return d, nil
	}
	if d > 0 {
		if err := wait.For(ctx, d); err != nil {
			return 0, err
		}
	}
	return 0, p.limiter.Wait(ctx)
}

// learn takes in an answer, and for how long it asked to be left alone.
func (p *pacer) learn(resp *http.Response, after time.Duration) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.second) >= time.Second {
		p.previous, p.count, p.second = p.count, 0, now
	}
	p.count++
	if q, ok := quotaOf(resp.Header, now); ok {
		p.known = q
	}
	switch {
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable:
		if u := now.Add(after); u.After(p.until) {
			p.until = u
		}
		if now.Sub(p.raised) < time.Second && !p.free.Load() {
			return // many answers to one burst are one complaint
		}
		current := float64(p.limiter.Limit())
		if p.free.Load() {
			current = float64(max(p.previous, p.count))
		}
		p.too, p.raised = current, now
		p.limiter.SetLimit(rate.Limit(max(current/2, slowest)))
		p.free.Store(false)
	case !p.free.Load() && now.Sub(p.raised) >= time.Second && now.After(p.until):
		p.raised = now
		next := float64(p.limiter.Limit()) * 1.1
		p.limiter.SetLimit(rate.Limit(next))
		if next >= 2*p.too {
			p.limiter.SetLimit(rate.Inf)
			p.free.Store(true)
		}
	}
}

func (p *pacer) quota() Quota {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known
}

func quotaOf(h http.Header, now time.Time) (Quota, bool) {
	remaining, window, ok := quotaField(h.Get("Ratelimit-Remaining"))
	if !ok {
		return Quota{}, false
	}
	q := Quota{Known: true, Remaining: remaining, Window: window, Seen: now}
	if limit, w, ok := quotaField(h.Get("Ratelimit-Limit")); ok {
		q.Limit = limit
		if q.Window == 0 {
			q.Window = w
		}
	}
	return q, true
}

func quotaField(s string) (n int, window time.Duration, ok bool) {
	if s == "" {
		return 0, 0, false
	}
	value, params, _ := strings.Cut(s, ";")
	n, err := strconv.Atoi(strings.TrimSpace(value))
	if err != nil || n < 0 {
		return 0, 0, false
	}
	for p := range strings.SplitSeq(params, ";") {
		if w, found := strings.CutPrefix(strings.TrimSpace(p), "w="); found {
			if seconds, err := strconv.ParseUint(w, 10, 31); err == nil {
				window = time.Duration(seconds) * time.Second
			}
		}
	}
	return n, window, true
}
