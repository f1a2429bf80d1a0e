package distribution

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/boltseal/boltseal/internal/wait"
)

// ThrottleError is returned where a registry wants to be left alone for longer
// than Options.MaxWait, or did so at each try.
type ThrottleError struct {
	Host  string
	After time.Duration // from now on; 0 if the registry did not say
}

// Error says who, and for how long.
func (e *ThrottleError) Error() string {
	if e.After <= 0 {
		return e.Host + " answers that it is asked too often: try later, or log in for a higher limit"
	}
	return fmt.Sprintf("%s wants no request for %v: try later, or log in for a higher limit", e.Host, e.After.Round(time.Second))
}

const (
	firstWait = 500 * time.Millisecond
	longWait  = time.Minute
)

// patient makes a request again where that may help and can do no harm: GET,
// HEAD, PUT and DELETE may be repeated (RFC 9110, section 9.2.2), POST and
// PATCH may not; and no answer that says "you are wrong" is asked for twice.
type patient struct {
	inner   http.RoundTripper
	host    string
	pace    *pacer
	tries   int
	max     time.Duration
	observe func(Exchange)
}

// RoundTrip implements [http.RoundTripper].
func (p *patient) RoundTrip(req *http.Request) (*http.Response, error) {
	own := req.URL.Host == p.host
	for try := 1; ; try++ {
		if own {
			tooLong, err := p.pace.wait(req.Context(), p.max)
			if err != nil {
				return nil, err
			}
			if tooLong > 0 {
				return nil, &ThrottleError{Host: p.host, After: tooLong}
			}
		}
		start := time.Now()
		resp, err := p.inner.RoundTrip(req)
		if p.observe != nil {
			x := Exchange{Host: req.URL.Host, Method: req.Method, Took: time.Since(start), Err: err}
			if resp != nil {
				x.Status = resp.StatusCode
			}
			p.observe(x)
		}
		after, asked := retryAfter(resp, time.Now())
		if own && resp != nil {
			p.pace.learn(resp, after)
		}
		if !worthAgain(resp, err) || req.Context().Err() != nil {
			return resp, err
		}
		throttled := resp != nil && resp.StatusCode == http.StatusTooManyRequests
		if try >= p.tries || after > p.max || !repeatable(req) {
			if throttled {
				drain(resp.Body)
				return nil, &ThrottleError{Host: p.host, After: after}
			}
			return resp, err
		}
		if resp != nil {
			drain(resp.Body)
		}
		if !asked {
			after = jitter(try)
		}
		if err := wait.For(req.Context(), after); err != nil {
			return nil, err
		}
		if req.GetBody != nil && req.Body != nil && req.Body != http.NoBody {
			if req.Body, err = req.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}

// jitter spreads tries over an interval that doubles ("full jitter").
func jitter(try int) time.Duration {
	return time.Duration(rand.Int64N(int64(min(firstWait<<min(try, 16), longWait))))
}

func repeatable(req *http.Request) bool {
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, "":
		return true
	case http.MethodPut, http.MethodDelete:
		return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
	}
	return false
}

func worthAgain(resp *http.Response, err error) bool {
	if err != nil {
		return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
			errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNABORTED)
	}
	switch resp.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// retryAfter reads the header of that name: seconds, or a date (RFC 9110,
// section 10.2.3).
func retryAfter(resp *http.Response, now time.Time) (after time.Duration, ok bool) {
	if resp == nil {
		return 0, false
	}
	h := resp.Header.Get("Retry-After")
	if h == "" {
		return 0, false
	}
	if n, err := strconv.ParseUint(h, 10, 31); err == nil {
		return time.Duration(n) * time.Second, true
	}
	if t, err := http.ParseTime(h); err == nil {
		return max(0, t.Sub(now)), true
	}
	return 0, false
}
