package wait

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		require.NoError(t, For(t.Context(), time.Hour))
		require.Equal(t, time.Hour, time.Since(start))
		why := errors.New("why")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(why)
		require.ErrorIs(t, For(ctx, time.Hour), why)
		require.Equal(t, time.Hour, time.Since(start))
	})
}

func TestCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, err := Call(t.Context(), "it", func(context.Context) (int, error) { return 7, errors.New("own") })
		require.Equal(t, 7, n)
		require.EqualError(t, err, "own")

		_, err = Call(t.Context(), "it", func(context.Context) (int, error) { panic("bad") })
		require.ErrorContains(t, err, "it panicked: bad")

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		n, err = Call(ctx, "it", func(ctx context.Context) (int, error) { <-ctx.Done(); return 3, nil })
		require.NoError(t, err, "it ended as it should")
		require.Equal(t, 3, n)

		ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		_, err = Call(ctx, "it", func(context.Context) (int, error) { time.Sleep(time.Hour); return 3, nil })
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Minute+grace, time.Since(start))
		time.Sleep(time.Hour) // the one left behind ends, too
	})
}
