package jetstream_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/registry"
	"github.com/boltseal/boltseal/registry/jetstream"
)

func Example() {
	dir, err := os.MkdirTemp("", "queue")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	q, err := jetstream.Embed(ctx, dir, &jetstream.Options{Analyzers: "1"})
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()

	// A worker; with Connect, in a process of its own.
	done := make(chan error)
	go func() {
		done <- q.Work(ctx, registry.IndexerFunc(func(_ context.Context, ref string) (registry.Inventory, error) {
			return registry.Inventory{Packages: []boltseal.Package{{Type: "deb", Name: "zlib", Version: "1.3"}}}, nil
		}), 2)
	}()

	// What a monitor calls.
	inv, err := q.Index(ctx, "registry.example.com/shop@sha256:6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(inv.Packages[0].Name, inv.Packages[0].Version)
	cancel()
	<-done
	// Output: zlib 1.3
}
