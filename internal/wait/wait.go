// Package wait waits, for time to pass or for somebody else's code to return,
// and never longer than a context lasts.
package wait

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// For waits for d. The error is the context's cause if that ended first.
func For(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// grace is how long a function may go on after its context has ended.
const grace = 50 * time.Millisecond

// Call returns what f returns. A panic of f is an error, named by what f is; an
// f that goes on after its context has ended is left behind.
func Call[T any](ctx context.Context, what string, f func(context.Context) (T, error)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	done := make(chan answer, 1) // not waited for once it is left behind
	go func() {
		var a answer
		defer func() {
			if p := recover(); p != nil {
				a = answer{err: fmt.Errorf("%s panicked: %v\n%s", what, p, debug.Stack())}
			}
			done <- a
		}()
		a.v, a.err = f(ctx)
	}()
	select {
	case a := <-done:
		return a.v, a.err
	case <-ctx.Done():
	}
	select {
	case a := <-done:
		return a.v, a.err
	case <-time.After(grace):
		var none T
		return none, fmt.Errorf("given up: %w", ctx.Err())
	}
}
