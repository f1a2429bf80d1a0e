// Command build builds the API server, its controller manager and etcd for the
// tests of this module, unless they are in the cache.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/boltseal/boltseal/internal/kubetest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	start := time.Now()
	dir, err := kubetest.Build(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%s, after %.0f s\n", dir, time.Since(start).Seconds())
}
